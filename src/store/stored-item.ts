/** A row of an item, whichever engine holds it. */
import type { Exif } from '../domain/exif.js';
import type { ItemField } from '../domain/filter.js';
import { foldersOf } from '../domain/folders.js';
import type { Metadata } from '../domain/metadata.js';
import type { Modality } from '../domain/modality.js';
import type { Item } from './catalog.js';

/** An item's row without its embeddings; `metadata` and `sources` are JSON. */
export interface StoredItem {
  key: number;
  id: string;
  modality: Modality;
  content_hash: string;
  text: string | null;
  metadata: string;
  sources: string;
  width: number | null;
  height: number | null;
  taken_at: string | null;
  media_type: string | null;
  path: string | null;
  original_bytes: number | null;
  thumbnail_bytes: number | null;
  /** Why it has no embedding of the collection's space. */
  unembedded: string | null;
  created_at: string;
  updated_at: string;
  /** JSON. */
  exif: string | null;
}

/** What filters see of a row. */
export type FieldColumns = Pick<StoredItem, 'modality' | 'metadata' | 'sources' | 'width' | 'height' | 'taken_at' | 'media_type' | 'created_at' | 'updated_at' | 'exif'>;

/** The metadata and, as `$item`, the item's own fields: what filters and orders go by. */
export function fieldsOf(row: FieldColumns): Metadata {
  const { modality, width, height, media_type, taken_at, created_at, updated_at } = row;
  const own: Partial<Record<ItemField | 'exif', unknown>> = { modality, created_at, updated_at };
  const sources = sourcesOf(row);
  if (sources.length > 0) own.source = sources;
  const folders = foldersOf(sources);
  if (folders.length > 0) own.folder = folders;
  const exif = exifOf(row);
  if (exif) own.exif = exif;
  if (width !== null) own.width = width;
  if (height !== null) own.height = height;
  if (media_type !== null) own.media_type = media_type;
  if (taken_at !== null) own.taken_at = taken_at;
  return { ...(JSON.parse(row.metadata) as Metadata), $item: own };
}

/** Damaged ones, of which an answer would be refused, are none. */
function sourcesOf({ sources }: Pick<StoredItem, 'sources'>): string[] {
  try {
    return JSON.parse(sources) as string[];
  } catch {
    return [];
  }
}

/** Damaged, as above. */
function exifOf({ exif }: Pick<StoredItem, 'exif'>): Exif | undefined {
  try {
    return exif === null ? undefined : (JSON.parse(exif) as Exif);
  } catch {
    return undefined;
  }
}

/** Where it is known. */
export function sizeOf({ width, height }: Pick<StoredItem, 'width' | 'height'>): { width?: number; height?: number } {
  return width === null || height === null ? {} : { width, height };
}

export function toItem(row: StoredItem): Item {
  return {
    id: row.id,
    modality: row.modality,
    contentHash: row.content_hash,
    ...(row.text === null ? {} : { text: row.text }),
    metadata: JSON.parse(row.metadata) as Metadata,
    sources: JSON.parse(row.sources) as string[],
    ...(row.width === null ? {} : { width: row.width }),
    ...(row.height === null ? {} : { height: row.height }),
    ...(row.taken_at === null ? {} : { takenAt: row.taken_at }),
    ...(row.exif === null ? {} : { exif: JSON.parse(row.exif) as Exif }),
    ...(row.media_type === null ? {} : { mediaType: row.media_type }),
    hasImage: row.modality === 'image' && (row.thumbnail_bytes !== null || row.original_bytes !== null || row.path !== null),
    ...(row.unembedded === null ? {} : { unembedded: row.unembedded }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
