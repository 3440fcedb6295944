-- What cursors are sealed with, so that none can be made or changed by who was given one.
ALTER TABLE lineage ADD COLUMN cursor_key BLOB;
UPDATE lineage SET cursor_key = randomblob(32);
