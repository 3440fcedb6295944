-- Damage is seen: what a row says carries checksums, and the database an identity and a number that grows with every
-- write, which `mixspace.mark` beside it holds as well.

PRAGMA application_id = 1835628656;

CREATE TABLE lineage (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  identity TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

INSERT INTO lineage VALUES (1, lower(hex(randomblob(16))), 0);

-- CRC-32, see checksums.ts; NULL in a row that is older than its checksum, until it is given one.
ALTER TABLE collections ADD COLUMN checksum INTEGER;
-- Of all columns that say what the item is, but for the metadata.
ALTER TABLE items ADD COLUMN checksum INTEGER;
ALTER TABLE items ADD COLUMN metadata_checksum INTEGER;
ALTER TABLE items ADD COLUMN embedding_checksum INTEGER;
ALTER TABLE items ADD COLUMN thumbnail_checksum INTEGER;
ALTER TABLE reembedded ADD COLUMN embedding_checksum INTEGER;

CREATE INDEX items_unsealed ON items (key) WHERE checksum IS NULL;
