-- What jobs found out about a collection, the latest of each kind, and what those that are under way have found so far.
-- It can be found out again: what is missing or damaged here costs time alone.
CREATE TABLE results (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  job TEXT NOT NULL UNIQUE,
  -- JSON; NULL until all of it is there.
  summary TEXT,
  -- CRC-32 of the summary.
  checksum INTEGER
) STRICT;

CREATE INDEX results_by_kind ON results (collection, kind);

CREATE TABLE result_entries (
  result INTEGER NOT NULL REFERENCES results (key) ON DELETE CASCADE,
  list TEXT NOT NULL,
  number INTEGER NOT NULL,
  -- JSON
  body TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (result, list, number)
) STRICT, WITHOUT ROWID;
