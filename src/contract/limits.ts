/**
 * The limits that the schemas themselves keep. Those that a deployment may set (body, picture, text, metadata,
 * inputs, items, labels) are settings, kept by the operations.
 */
export const limits = {
  promptsPerLabel: 100,
  templates: 100,
  ids: 10_000,
  idBytes: 512,
  sourceBytes: 4096,
  nameLength: 64,
  descriptionLength: 4096,
  queries: 32,
  page: 1000,
  dimensions: 65_536,
} as const;
