/**
 * The limits that the schemas themselves keep. Those that a deployment may set (body, picture, text, metadata,
 * inputs, items, labels) are settings, kept by the operations.
 */
export const limits = {
  promptsPerLabel: 100,
  /** Of one mixed input. */
  contentParts: 64,
  templates: 100,
  questions: 1000,
  options: 255,
  examples: 1000,
  ids: 10_000,
  idBytes: 512,
  sourceBytes: 4096,
  /** Of an item, where it is told; added or removed at once. */
  toldSources: 100,
  changedSources: 1000,
  pathLength: 4096,
  /** To exclude, or to include. */
  globs: 256,
  nameLength: 64,
  modelLength: 512,
  descriptionLength: 4096,
  queries: 32,
  likes: 100,
  /** Matches whose place is explained. */
  explained: 20,
  /** Characters of one text, and texts, that `understand` is to leave alone. */
  understood: 1000,
  exceptions: 32,
  cursorLength: 2048,
  jobIdLength: 128,
  page: 1000,
  embeddings: 1000,
  recallQueries: 1000,
  /** Of a map: neighbors that hold a point, points told or asked for at once. */
  mapNeighbors: 50,
  mapItems: 1000,
  clusters: 500,
  clusterNameLength: 200,
  /** Of a group of duplicates, where groups are listed. */
  groupItems: 20,
  /** Of an import: URLs of one request; characters of a URL and of the name of a file that is sent. */
  importUrls: 10_000,
  urlLength: 8192,
  importNameLength: 255,
  /** Of a model that is pulled; of names, characters. */
  hubIdLength: 400,
  hubFolderLength: 400,
  modelNameLength: 96,
  variantLength: 20,
  variants: 6,
  dimensions: 65_536,
  encodings: 5,
  /** Levels of nesting of any JSON. */
  depth: 64,
  /** Entries of a list or an object that has no limit of its own. */
  entries: 65_536,
  keyBytes: 65_536,
  /** A string of a body may have so many bytes whatever the other limits are. */
  leastStringBytes: 65_536,
} as const;
