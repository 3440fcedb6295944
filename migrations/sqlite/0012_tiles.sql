-- Pictures are cut into tiles beside the whole, as their collection wants it (src/domain/tiles.ts).
ALTER TABLE collections ADD COLUMN tiles TEXT NOT NULL DEFAULT 'none';

-- Where in the picture a part lies: JSON, [x, y, width, height] as fractions of the upright picture. NULL: it is of the whole.
ALTER TABLE embeddings ADD COLUMN box TEXT;
