CREATE TABLE collections (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  -- NULL once deleted, until the last of its items is swept away.
  name TEXT UNIQUE,
  description TEXT,
  model TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  dimension INTEGER NOT NULL CHECK (dimension > 0),
  originals TEXT NOT NULL CHECK (originals IN ('keep', 'thumbnail')),
  created_at TEXT NOT NULL,
  -- Grows with every write; a snapshot of a later sequence number belongs to another database.
  seq INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A key is never used again and always means the same embedding: an item whose content is replaced gets a new one.
-- The graph's keys are uint32.
CREATE TABLE items (
  key INTEGER PRIMARY KEY AUTOINCREMENT CHECK (key < 4294967296),
  collection INTEGER NOT NULL REFERENCES collections (key),
  id TEXT NOT NULL,
  modality TEXT NOT NULL CHECK (modality IN ('image', 'text')),
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
    length(embedding) + coalesce(octet_length(text), 0) + octet_length(metadata) + coalesce(thumbnail_bytes, 0) + coalesce(original_bytes, 0)
  ) VIRTUAL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  -- float32, little-endian
  embedding BLOB NOT NULL,
  UNIQUE (collection, id)
) STRICT;

CREATE INDEX items_by_modality ON items (collection, modality, key);
CREATE INDEX items_by_original ON items (content_hash) WHERE original_bytes IS NOT NULL;

CREATE TABLE thumbnails (
  item INTEGER PRIMARY KEY REFERENCES items (key) ON DELETE CASCADE,
  webp BLOB NOT NULL
) STRICT;

CREATE TABLE tallies (
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  modality TEXT NOT NULL,
  items INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (collection, modality)
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
