/** An item's row, its embeddings and its pictures as one, to be carried into another store. */
import { MixspaceError } from '../errors.js';
import type { Box } from '../domain/tiles.js';
import type { ItemCopy, Uncopied } from './copy-catalog.js';
import type { Sources } from './pictures/sources.js';
import { toItem, type StoredItem } from './stored-item.js';

/** Bytes of pictures and embeddings handed out at once, but for an item that is larger. */
export const copiedBytes = 32e6;

interface Held<Row extends StoredItem> {
  /** Of its collection's space; undefined when it has none, or they are damaged. */
  parts: { embedding: Float32Array; box?: Box | undefined }[] | undefined;
  sources: Sources<Row>;
  /** What lies at its path goes along. */
  files: boolean;
}

/** What is damaged of it cannot be copied; what has gone from its path is left out. */
export async function copyOf<Row extends StoredItem>(row: Row, { parts, sources, files }: Held<Row>): Promise<ItemCopy | Uncopied> {
  try {
    const { id, modality, contentHash, metadata, sources: places, createdAt, updatedAt, text, width, height, takenAt, exif, mediaType } = toItem(row);
    if (!parts && row.unembedded === null) return { id, problem: 'Its embedding is damaged.' };
    const [, ...tiles] = parts ?? [];
    const thumbnail = row.thumbnail_bytes === null ? undefined : (await sources.picture(row, 'thumbnail')).bytes;
    const original = row.original_bytes !== null ? await sources.original(row) : files && row.path !== null ? await whereItLies(row, sources) : undefined;
    return {
      id,
      content: {
        modality,
        contentHash,
        ...(text === undefined ? {} : { text }),
        ...(width === undefined ? {} : { width }),
        ...(height === undefined ? {} : { height }),
        ...(takenAt === undefined ? {} : { takenAt }),
        ...(exif === undefined ? {} : { exif }),
        ...(mediaType === undefined ? {} : { mediaType }),
        ...(row.path === null ? {} : { path: row.path }),
        embeddings: parts?.map(({ embedding }) => embedding.slice()) ?? [],
        ...(tiles.length === 0 || !tiles.every(({ box }) => box) ? {} : { boxes: tiles.map(({ box }) => box!) }),
        ...(thumbnail === undefined ? {} : { thumbnail }),
        ...(original === undefined ? {} : { original }),
      },
      metadata,
      sources: places,
      createdAt,
      updatedAt,
    };
  } catch (error) {
    if (error instanceof MixspaceError && (error.code === 'not_found' || error.code === 'not_ready')) return { id: row.id, problem: error.message };
    throw error;
  }
}

async function whereItLies<Row extends StoredItem>(row: Row, sources: Sources<Row>): Promise<Uint8Array | undefined> {
  try {
    return await sources.original(row);
  } catch (error) {
    if (error instanceof MixspaceError) return undefined;
    throw error;
  }
}

export function bytesOf(copied: ItemCopy | Uncopied): number {
  if ('problem' in copied) return 0;
  const { embeddings, thumbnail, original, text } = copied.content;
  return embeddings.reduce((sum, { byteLength }) => sum + byteLength, (thumbnail?.byteLength ?? 0) + (original?.byteLength ?? 0) + (text?.length ?? 0));
}
