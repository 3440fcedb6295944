-- An embedding is a row of its own, of one item in one space. A collection goes over to another space by pointing to it.
--
-- The rows of older tables are carried over in small transactions afterwards (src/store/embedded/carry-over.ts), and the
-- next migration removes what is left of them. Until then an item is in `old_items` or in `items`, and `tallies` counts both.

DROP TRIGGER items_tallied;
DROP TRIGGER items_untallied;
DROP TRIGGER items_retallied;
DROP TRIGGER reembedded_tallied;
DROP TRIGGER reembedded_untallied;
DROP INDEX items_by_modality;
DROP INDEX items_by_original;
DROP INDEX items_unembedded;
DROP INDEX items_unsealed;
DROP INDEX reembedded_by_space;
DROP INDEX reembedded_impossible;

-- Thumbnails stay where they are: they go on referring to `items`.
PRAGMA legacy_alter_table = ON;
ALTER TABLE items RENAME TO old_items;
ALTER TABLE reembedded RENAME TO old_reembedded;
ALTER TABLE spaces RENAME TO old_spaces;
PRAGMA legacy_alter_table = OFF;

-- Every space that embeddings of a collection are in: its present one, the one it is to go over to, and those it has left
-- until nothing is kept of them.
CREATE TABLE spaces (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  model TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  dimension INTEGER NOT NULL CHECK (dimension > 0),
  -- The collection's sequence number with which it went over to it: the higher, the later. NULL: it never has.
  since INTEGER
) STRICT;

CREATE INDEX spaces_by_collection ON spaces (collection);

-- The numbers that spaces had within their collection, and the keys they have now.
INSERT OR IGNORE INTO old_spaces SELECT key, space, model, fingerprint, dimension FROM collections;
ALTER TABLE old_spaces ADD COLUMN key INTEGER;
UPDATE old_spaces SET key = numbered.key
  FROM (SELECT collection, number, row_number() OVER (ORDER BY collection, number) AS key FROM old_spaces) AS numbered
  WHERE old_spaces.collection = numbered.collection AND old_spaces.number = numbered.number;
INSERT INTO spaces
  SELECT old_spaces.key, collection, old_spaces.model, old_spaces.fingerprint, old_spaces.dimension,
    CASE WHEN number = space THEN since WHEN number < space THEN number - space END
  FROM old_spaces JOIN collections ON collections.key = collection;

-- The collection's row points to its present space. Its checksum is of the space's columns as well.
UPDATE collections SET checksum = NULL, space = (SELECT old_spaces.key FROM old_spaces WHERE collection = collections.key AND number = collections.space);
ALTER TABLE collections DROP COLUMN model;
ALTER TABLE collections DROP COLUMN fingerprint;
ALTER TABLE collections DROP COLUMN dimension;
ALTER TABLE collections DROP COLUMN since;

-- What is done and what is impossible, the tallies of its space tell.
UPDATE reembeddings SET space = (SELECT key FROM old_spaces WHERE old_spaces.collection = reembeddings.collection AND number = reembeddings.space);
ALTER TABLE reembeddings DROP COLUMN done;
ALTER TABLE reembeddings DROP COLUMN impossible;

-- A key is never used again: an item whose content is replaced gets a new one.
CREATE TABLE items (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  collection INTEGER NOT NULL REFERENCES collections (key),
  id TEXT NOT NULL,
  modality TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  text TEXT,
  metadata TEXT NOT NULL,
  sources TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  taken_at TEXT,
  media_type TEXT,
  path TEXT,
  -- NULL where there is none; else its size, the bytes being in a file named by the content hash.
  original_bytes INTEGER,
  thumbnail_bytes INTEGER,
  bytes INTEGER NOT NULL AS (
    coalesce(octet_length(text), 0) + octet_length(metadata) + coalesce(thumbnail_bytes, 0) + coalesce(original_bytes, 0)
  ) VIRTUAL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  -- CRC-32, see checksums.ts: of all columns that say what the item is, but for the metadata.
  checksum INTEGER NOT NULL,
  metadata_checksum INTEGER NOT NULL,
  thumbnail_checksum INTEGER,
  UNIQUE (collection, id)
) STRICT;

CREATE INDEX items_by_modality ON items (collection, modality, key);
CREATE INDEX items_by_original ON items (content_hash) WHERE original_bytes IS NOT NULL;

-- The key is the graph's, uint32; it is never used again and always means the same embedding, so that whoever follows by
-- key misses nothing. An item has one row for each part in each space, or none in a space.
CREATE TABLE embeddings (
  key INTEGER PRIMARY KEY AUTOINCREMENT CHECK (key < 4294967296),
  item INTEGER NOT NULL REFERENCES items (key) ON DELETE CASCADE,
  space INTEGER NOT NULL REFERENCES spaces (key),
  modality TEXT NOT NULL,
  part INTEGER NOT NULL CHECK (part >= 0),
  checksum INTEGER NOT NULL,
  -- float32, little-endian
  vector BLOB NOT NULL,
  UNIQUE (item, space, part)
) STRICT;

CREATE INDEX embeddings_by_space ON embeddings (space, modality, key, item);

-- Why an item has no embedding in a space: a sentence.
CREATE TABLE unembedded (
  item INTEGER NOT NULL REFERENCES items (key) ON DELETE CASCADE,
  space INTEGER NOT NULL REFERENCES spaces (key),
  modality TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (item, space)
) STRICT, WITHOUT ROWID;

CREATE INDEX unembedded_by_space ON unembedded (space, item);

CREATE TABLE space_tallies (
  space INTEGER NOT NULL REFERENCES spaces (key) ON DELETE CASCADE,
  modality TEXT NOT NULL,
  -- That have an embedding there.
  items INTEGER NOT NULL DEFAULT 0,
  embeddings INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  -- Items of which it is said why they have none.
  unembedded INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (space, modality)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER items_tallied AFTER INSERT ON items BEGIN
  INSERT INTO tallies VALUES (NEW.collection, NEW.modality, 1, NEW.bytes)
  ON CONFLICT DO UPDATE SET items = items + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER items_untallied AFTER DELETE ON items BEGIN
  UPDATE tallies SET items = items - 1, bytes = bytes - OLD.bytes WHERE collection = OLD.collection AND modality = OLD.modality;
END;

CREATE TRIGGER items_retallied AFTER UPDATE OF metadata, thumbnail_bytes, original_bytes ON items BEGIN
  UPDATE tallies SET bytes = bytes + NEW.bytes - OLD.bytes WHERE collection = NEW.collection AND modality = NEW.modality;
END;

CREATE TRIGGER old_items_untallied AFTER DELETE ON old_items BEGIN
  UPDATE tallies SET items = items - 1, bytes = bytes - OLD.bytes WHERE collection = OLD.collection AND modality = OLD.modality;
END;

CREATE TRIGGER embeddings_tallied AFTER INSERT ON embeddings BEGIN
  INSERT INTO space_tallies (space, modality, items, embeddings, bytes) VALUES (NEW.space, NEW.modality, NEW.part = 0, 1, length(NEW.vector))
  ON CONFLICT DO UPDATE SET items = items + excluded.items, embeddings = embeddings + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER embeddings_untallied AFTER DELETE ON embeddings BEGIN
  UPDATE space_tallies SET items = items - (OLD.part = 0), embeddings = embeddings - 1, bytes = bytes - length(OLD.vector)
  WHERE space = OLD.space AND modality = OLD.modality;
END;

CREATE TRIGGER unembedded_tallied AFTER INSERT ON unembedded BEGIN
  INSERT INTO space_tallies (space, modality, unembedded) VALUES (NEW.space, NEW.modality, 1)
  ON CONFLICT DO UPDATE SET unembedded = unembedded + 1;
END;

CREATE TRIGGER unembedded_untallied AFTER DELETE ON unembedded BEGIN
  UPDATE space_tallies SET unembedded = unembedded - 1 WHERE space = OLD.space AND modality = OLD.modality;
END;

-- Keys go on where they were; an embedding of a collection's present space takes its item's.
INSERT INTO sqlite_sequence (name, seq) SELECT 'items', seq FROM sqlite_sequence WHERE name = 'old_items';
INSERT INTO sqlite_sequence (name, seq) SELECT 'embeddings', seq FROM sqlite_sequence WHERE name = 'old_items';
