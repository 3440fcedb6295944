-- What all collections share. The items of a collection, their pictures and their embeddings lie in tables of its own
-- (src/store/postgres/tables.ts): an index of nearest neighbors is used only where no other condition with an index stands
-- beside it, and what is dropped with a table costs nothing.
--
-- Text that comes from outside and may hold U+0000 is written as src/store/postgres/stored-text.ts has it.

CREATE TABLE store (
  only_row integer PRIMARY KEY CHECK (only_row = 1),
  -- The number of the last migration.
  version integer NOT NULL,
  -- What cursors are sealed with.
  cursor_key bytea NOT NULL
);

-- Never used again. Of items, and of embeddings: uint32, as the survey's port has them.
CREATE SEQUENCE item_keys MAXVALUE 4294967295;
CREATE SEQUENCE embedding_keys MAXVALUE 4294967295;

CREATE TABLE collections (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  description text,
  originals text NOT NULL CHECK (originals IN ('keep', 'thumbnail')),
  -- JSON, as all columns of this kind: a list of strings.
  text_fields text NOT NULL,
  tiles text NOT NULL,
  -- ISO 8601, UTC, as all times.
  created_at text NOT NULL,
  -- The key of the space that it is in.
  space integer,
  -- Rises with every change of the collection or its items; whoever writes takes the row first, so that writes of one
  -- collection come one after the other.
  seq bigint NOT NULL DEFAULT 0
);

-- Every space that embeddings of a collection are in: its present one, the one it is to go over to, and those it has left
-- until nothing is kept of them.
CREATE TABLE spaces (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  model text NOT NULL,
  fingerprint text NOT NULL,
  dimension integer NOT NULL CHECK (dimension > 0),
  -- The collection's sequence number with which it went over to it: the higher, the later. NULL: it never has.
  since bigint,
  -- Left by the collection, and nothing is in it any more that one of a later space stands in for.
  swept boolean NOT NULL DEFAULT false
);

CREATE INDEX spaces_by_collection ON spaces (collection);

-- What is there of each kind, kept by whoever writes.
CREATE TABLE tallies (
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  modality text NOT NULL,
  items bigint NOT NULL,
  bytes bigint NOT NULL,
  PRIMARY KEY (collection, modality)
);

CREATE TABLE space_tallies (
  space integer NOT NULL REFERENCES spaces (key) ON DELETE CASCADE,
  modality text NOT NULL,
  -- That have an embedding there.
  items bigint NOT NULL,
  embeddings bigint NOT NULL,
  -- Items of which it is said why they have none.
  unembedded bigint NOT NULL,
  PRIMARY KEY (space, modality)
);

-- Why an item has no embedding in a space: a sentence.
CREATE TABLE unembedded (
  space integer NOT NULL REFERENCES spaces (key) ON DELETE CASCADE,
  item bigint NOT NULL,
  modality text NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (space, item)
);

CREATE TABLE reembeddings (
  collection integer PRIMARY KEY REFERENCES collections (key) ON DELETE CASCADE,
  space integer NOT NULL,
  from_thumbnails boolean NOT NULL,
  skip_impossible boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'stopped')),
  -- Why it stopped, where nobody asked for it.
  problem text,
  started_at text NOT NULL
);

CREATE TABLE jobs (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  kind text NOT NULL,
  -- Its name when the job was started; the collection may have gone since.
  collection text COLLATE "C",
  state text NOT NULL,
  -- JSON, as is `checkpoint`: from there it goes on.
  parameters text NOT NULL,
  checkpoint text,
  done bigint NOT NULL,
  total bigint,
  failed bigint NOT NULL,
  -- Why it ended, a sentence, where nobody asked for it.
  problem text,
  -- JSON
  result text,
  created_at text NOT NULL,
  ended_at text
);

CREATE INDEX jobs_by_state ON jobs (state, number);

-- What a job could not do, each thing once.
CREATE TABLE job_failures (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job bigint NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  what text NOT NULL CHECK (what IN ('item', 'file')),
  -- The item's id, or the file's path.
  name text COLLATE "C" NOT NULL,
  reason text NOT NULL
);

CREATE INDEX job_failures_in_order ON job_failures (job, number);
-- A path may be longer than an index entry.
CREATE UNIQUE INDEX job_failures_once ON job_failures (job, what, md5(name));

-- What jobs found out about a collection, the latest of each kind, and what those that are under way have found so far.
CREATE TABLE results (
  key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  kind text NOT NULL,
  job text COLLATE "C" NOT NULL UNIQUE,
  -- JSON; NULL until all of it is there.
  summary text
);

CREATE INDEX results_by_kind ON results (collection, kind);

CREATE TABLE result_entries (
  result bigint NOT NULL REFERENCES results (key) ON DELETE CASCADE,
  list text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  -- JSON
  body text NOT NULL,
  PRIMARY KEY (result, list, number)
);

CREATE TABLE classifiers (
  key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  -- JSON: model, fingerprint, labels, templates, createdAt, updatedAt.
  definition text NOT NULL
);

CREATE TABLE classifier_examples (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  classifier integer NOT NULL REFERENCES classifiers (key) ON DELETE CASCADE,
  label text COLLATE "C" NOT NULL,
  -- It is not that.
  negative boolean NOT NULL,
  -- Of the content: the same picture stands once for a label.
  hash text NOT NULL,
  -- float32, little-endian, of the classifier's space.
  embedding bytea NOT NULL,
  UNIQUE (classifier, label, hash)
);

-- Files that a collection is kept equal to, as they were seen last.
CREATE TABLE seen_files (
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  -- Of whose disks the path is.
  machine text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  stamp text NOT NULL,
  -- The id of the item that its content is. The item may have been deleted.
  item text COLLATE "C" NOT NULL,
  -- The id of the item that its content was before, and that still has the path among its sources.
  former text COLLATE "C"
);

-- A path may be longer than an index entry.
CREATE UNIQUE INDEX seen_files_once ON seen_files (collection, machine, md5(path));
CREATE INDEX seen_files_in_order ON seen_files (collection, machine, left(path, 500));
CREATE INDEX seen_files_by_item ON seen_files (collection, item);

-- What was known of items that went with the last of their files: content that comes back has it again.
CREATE TABLE departed_items (
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  item text COLLATE "C" NOT NULL,
  -- JSON
  metadata text NOT NULL,
  created_at text NOT NULL,
  gone_at text NOT NULL,
  PRIMARY KEY (collection, item)
);

CREATE INDEX departed_items_by_time ON departed_items (collection, gone_at);

-- Folders among those of seen_files on which another file system was mounted when they were seen last.
CREATE TABLE seen_mounts (
  collection integer NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  machine text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX seen_mounts_once ON seen_mounts (collection, machine, md5(path));
