-- Saved label sets, and the examples that refine them.

CREATE TABLE classifiers (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  -- JSON: model, fingerprint, labels, templates, created_at, updated_at.
  definition TEXT NOT NULL,
  -- CRC-32 of name and definition, see checksums.ts.
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE classifier_examples (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  classifier INTEGER NOT NULL REFERENCES classifiers (key) ON DELETE CASCADE,
  label TEXT NOT NULL,
  -- 1: it is not that.
  negative INTEGER NOT NULL CHECK (negative IN (0, 1)),
  -- Of the content: the same picture stands once for a label.
  hash TEXT NOT NULL,
  -- float32, little-endian, of the classifier's space.
  embedding BLOB NOT NULL,
  -- CRC-32 of the embedding.
  checksum INTEGER NOT NULL,
  UNIQUE (classifier, label, hash)
) STRICT;
