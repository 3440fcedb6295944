-- Files that a collection is kept equal to, as they were seen last.
CREATE TABLE seen_files (
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  -- Of whose disks the path is.
  machine TEXT NOT NULL,
  path TEXT NOT NULL,
  -- Inode, size and time of change in nanoseconds, with spaces between: the same as long as the file is.
  stamp TEXT NOT NULL,
  -- The id of the item that its content is: the content's SHA-256. The item may have been deleted.
  item TEXT NOT NULL,
  -- The id of the item that its content was before, and that still has the path among its sources.
  former TEXT,
  -- CRC-32 of all but the collection.
  checksum INTEGER NOT NULL,
  PRIMARY KEY (collection, machine, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_files_by_item ON seen_files (collection, item);

-- What was known of items that went with the last of their files: content that comes back has it again.
CREATE TABLE departed_items (
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  item TEXT NOT NULL,
  -- JSON.
  metadata TEXT NOT NULL,
  created_at TEXT NOT NULL,
  gone_at TEXT NOT NULL,
  -- CRC-32 of item, metadata and created_at.
  checksum INTEGER NOT NULL,
  PRIMARY KEY (collection, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX departed_items_by_time ON departed_items (collection, gone_at);

-- Folders among those of seen_files on which another file system was mounted when they were seen last.
CREATE TABLE seen_mounts (
  collection INTEGER NOT NULL REFERENCES collections (key) ON DELETE CASCADE,
  machine TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (collection, machine, path)
) STRICT, WITHOUT ROWID;
