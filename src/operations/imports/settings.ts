import type { KeptUploads } from './kept-uploads.js';

export interface ImportSettings {
  uploads: KeptUploads;
  /** Entries of an archive, or of a list. */
  entries: number;
  /** Of all entries of an archive, decompressed. */
  bytes: number;
}

/** What no deployment needs to change. */
export const importBounds = {
  /** Bytes of an entry's name; of those of all entries. */
  name: 2048,
  names: 100e6,
  /** An entry of at least so many bytes may have at most so many for each of its compressed ones. */
  ratioFrom: 1e6,
  ratio: 200,
  /** Bytes of a side file; of those of a tar archive that are kept until their picture comes. */
  side: 256e3,
  sides: 64e6,
  /** Bytes of a line of a list. */
  line: 1e6,
} as const;
