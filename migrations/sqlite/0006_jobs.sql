-- Long work: what waits, runs, was paused and, of what has ended, the latest.

CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  -- Its name when the job was started; the collection may have gone since.
  collection TEXT,
  state TEXT NOT NULL,
  -- JSON, as is `checkpoint`: from there it goes on.
  parameters TEXT NOT NULL,
  checkpoint TEXT,
  done INTEGER NOT NULL,
  total INTEGER,
  failed INTEGER NOT NULL,
  -- Why it ended, a sentence, where nobody asked for it.
  problem TEXT,
  -- JSON
  result TEXT,
  created_at TEXT NOT NULL,
  ended_at TEXT,
  -- CRC-32 of all of these, see checksums.ts.
  checksum INTEGER NOT NULL
) STRICT;

-- What a job could not do, each thing once. A number is never used again.
CREATE TABLE job_failures (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  what TEXT NOT NULL CHECK (what IN ('item', 'file')),
  -- The item's id, or the file's path.
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  UNIQUE (job, what, name)
) STRICT;

CREATE INDEX job_failures_in_order ON job_failures (job, number);
