-- A collection's embeddings lie in one space at a time. It can go over to another: its items are embedded again beside
-- those that are searched, and one transaction makes them the ones that count.
--
-- A key means the same embedding as long as its collection stays in its space.

-- The number of the space that the collection is in; each that it goes over to has a higher one than those before.
ALTER TABLE collections ADD COLUMN space INTEGER NOT NULL DEFAULT 0;
-- The sequence number with which it went over: an earlier snapshot belongs to another space.
ALTER TABLE collections ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

-- The number of the space that `embedding` is of. Where it is not the collection's, the item's row in `reembedded` counts.
ALTER TABLE items ADD COLUMN space INTEGER NOT NULL DEFAULT 0;
-- Why the item has no embedding of the collection's space: a sentence. Its embedding of an earlier space is kept.
ALTER TABLE items ADD COLUMN unembedded TEXT;

CREATE INDEX items_unembedded ON items (collection, modality) WHERE unembedded IS NOT NULL;

-- Every space that a collection was in, or was to go over to.
CREATE TABLE spaces (
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  model TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  dimension INTEGER NOT NULL CHECK (dimension > 0),
  PRIMARY KEY (collection, number)
) STRICT, WITHOUT ROWID;

-- What is under way or was stopped; gone once the collection has gone over.
CREATE TABLE reembeddings (
  collection INTEGER PRIMARY KEY REFERENCES collections (key) ON DELETE CASCADE,
  space INTEGER NOT NULL,
  from_thumbnails INTEGER NOT NULL CHECK (from_thumbnails IN (0, 1)),
  skip_impossible INTEGER NOT NULL CHECK (skip_impossible IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('running', 'stopped')),
  -- Why it stopped, where nobody asked for it.
  problem TEXT,
  started_at TEXT NOT NULL,
  -- Rows in `reembedded` with an embedding, and without.
  done INTEGER NOT NULL DEFAULT 0,
  impossible INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Embeddings of the space that a collection is to go over to; once it has, until each has been moved to its item's row.
CREATE TABLE reembedded (
  item INTEGER PRIMARY KEY REFERENCES items (key) ON DELETE CASCADE,
  collection INTEGER NOT NULL,
  space INTEGER NOT NULL,
  -- float32, little-endian
  embedding BLOB,
  -- Why there is no embedding: a sentence.
  reason TEXT,
  CHECK ((embedding IS NULL) <> (reason IS NULL))
) STRICT;

CREATE INDEX reembedded_by_space ON reembedded (collection, space);
CREATE INDEX reembedded_impossible ON reembedded (collection, space) WHERE embedding IS NULL;

CREATE TRIGGER reembedded_tallied AFTER INSERT ON reembedded BEGIN
  UPDATE reembeddings SET done = done + (NEW.embedding IS NOT NULL), impossible = impossible + (NEW.embedding IS NULL)
  WHERE collection = NEW.collection AND space = NEW.space;
END;

CREATE TRIGGER reembedded_untallied AFTER DELETE ON reembedded BEGIN
  UPDATE reembeddings SET done = done - (OLD.embedding IS NOT NULL), impossible = impossible - (OLD.embedding IS NULL)
  WHERE collection = OLD.collection AND space = OLD.space;
END;

DROP TRIGGER items_retallied;
CREATE TRIGGER items_retallied AFTER UPDATE OF metadata, thumbnail_bytes, original_bytes, embedding ON items BEGIN
  UPDATE tallies SET bytes = bytes + NEW.bytes - OLD.bytes WHERE collection = NEW.collection AND modality = NEW.modality;
END;
