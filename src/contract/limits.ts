/**
 * The limits of requests that are fixed by the contract's schemas. Sizes in bytes that a deployment
 * may set (body, picture, text) are settings: see config.ts.
 */
export const limits = {
  inputs: 2048,
  items: 1000,
  labels: 1000,
  promptsPerLabel: 100,
  templates: 100,
  ids: 10_000,
  idBytes: 512,
  sourceBytes: 4096,
  nameLength: 64,
  descriptionLength: 4096,
  metadataBytes: 64 * 1024,
  queries: 32,
  page: 1000,
  dimensions: 65_536,
} as const;
