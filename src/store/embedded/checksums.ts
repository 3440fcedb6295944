import { crc32 } from 'node:zlib';

export interface ItemColumns {
  id: string;
  modality: string;
  content_hash: string;
  text: string | null;
  sources: string;
  width: number | null;
  height: number | null;
  taken_at: string | null;
  media_type: string | null;
  path: string | null;
  original_bytes: number | null;
  thumbnail_bytes: number | null;
  created_at: string;
  updated_at: string;
  /** Left out, as null: none. */
  exif?: string | null;
}

export interface CollectionColumns {
  key: number;
  name: string;
  description?: string | null;
  model: string;
  fingerprint: string;
  dimension: number;
  originals: string;
  space: number;
  since: number;
  createdAt: string;
  textFields?: string[];
  tiles?: string;
}

export const checksumOf = (bytes: Uint8Array | string): number => crc32(bytes);

/** An embedding without its space, or its place in the picture, would be as wrong as one with a wrong number. `box`: as it is stored. */
export function embeddingChecksum(vector: Uint8Array, space: number, box: string | null = null): number {
  const checksum = crc32(vector, space);
  return box === null ? checksum : crc32(box, checksum);
}

/** What the item is, but for its metadata and its embedding. */
export function itemChecksum(row: ItemColumns): number {
  const { id, modality, content_hash, text, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, created_at, updated_at, exif = null } = row;
  // Rows older than the column have the checksum of those that have none.
  return sumOf([id, modality, content_hash, text, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, created_at, updated_at, ...(exif === null ? [] : [exif])]);
}

export function collectionChecksum({ key, name, description, model, fingerprint, dimension, originals, space, since, createdAt, textFields = [], tiles = 'none' }: CollectionColumns): number {
  // Rows older than the columns have the checksum of those that choose no field and no tiles.
  return sumOf([key, name, description ?? null, model, fingerprint, dimension, originals, space, since, createdAt, ...textFields, ...(tiles === 'none' ? [] : [null, tiles])]);
}

/** Of all columns but the number, in whatever order they are given. */
export function jobChecksum(row: object): number {
  const columns = Object.entries(row) as [string, string | number | null][];
  return sumOf(columns.sort(([a], [b]) => (a < b ? -1 : 1)).flat());
}

/** The lengths keep neighbors apart, and null from an empty string. */
function sumOf(values: (string | number | null)[]): number {
  let text = '';
  for (const value of values) {
    const shown = value === null ? '' : String(value);
    text += `${value === null ? -1 : shown.length}:${shown}`;
  }
  return crc32(text);
}
