-- Where the cells of a large collection's embeddings lie, and how much of them searches look at. It can be found anew from
-- the embeddings: what is missing or damaged here costs time alone.
CREATE TABLE cells (
  space INTEGER NOT NULL REFERENCES spaces (key) ON DELETE CASCADE,
  modality TEXT NOT NULL,
  -- Embeddings there were when the cells were sought.
  count INTEGER NOT NULL,
  -- float32, little-endian, one direction behind the other; of the groups of cells too, and the first cell of each (uint32), and the end.
  centroids BLOB NOT NULL,
  groups BLOB NOT NULL,
  first_of BLOB NOT NULL,
  checksum INTEGER NOT NULL,
  -- By kind of query and depth, as JSON.
  shares TEXT NOT NULL,
  shares_checksum INTEGER NOT NULL,
  PRIMARY KEY (space, modality)
) STRICT, WITHOUT ROWID;
