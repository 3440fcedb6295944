-- What a picture's file told of how it was taken (src/domain/exif.ts): JSON. NULL: nothing, or it was taken in before this was read.
ALTER TABLE items ADD COLUMN exif TEXT;
