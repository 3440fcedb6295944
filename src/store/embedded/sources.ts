/** What an item's embedding can be made from: its text, its original, an embedding kept from an earlier time, its thumbnail. */
import { stat } from 'node:fs/promises';
import { MixspaceError } from '../../errors.js';
import { isMissing, isVerified, readVerified, unreadableReason } from '../../files.js';
import type { Picture } from '../catalog.js';
import type { ReembeddingItem } from '../reembedding-catalog.js';
import type { Damage } from './damage.js';
import { databaseName } from './database.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { Originals } from './originals.js';

/** Coarse clocks of file systems, and the time between the reading of a file and the writing of its row. */
const clockSlackMs = 2_000;

export interface SourceChoice {
  /** Keys of the spaces whose embeddings can be taken as they are. */
  spaces: ReadonlySet<number>;
  fromThumbnails: boolean;
}

export type Kind = 'embedding' | 'text' | 'original' | 'thumbnail';

export class Sources {
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;
  readonly #originals: Originals;
  readonly #damage: Damage;

  constructor(items: ItemTable, embeddings: EmbeddingTable, originals: Originals, damage: Damage) {
    this.#items = items;
    this.#embeddings = embeddings;
    this.#originals = originals;
    this.#damage = damage;
  }

  /** Errors: `not_found`, with the reason. */
  async picture(item: ItemRow, size: 'thumbnail' | 'original'): Promise<Picture> {
    const { id, modality, media_type } = item;
    if (modality !== 'image') throw new MixspaceError('not_found', `The item "${id}" is a text.`);
    if (size === 'original') return { bytes: await this.original(item), mediaType: media_type ?? 'application/octet-stream' };
    const bytes = this.#items.thumbnail(item);
    if (bytes === 'none') throw new MixspaceError('not_found', `The item "${id}" came without a picture.`);
    if (bytes === 'damaged') throw new MixspaceError('not_found', `The thumbnail of "${id}" in ${databaseName} is damaged. Send the picture again.`);
    return { bytes, mediaType: 'image/webp' };
  }

  /** The picture as it came, and nothing else: whatever else lies in its place is nobody's to see. Errors: `not_found`, with the reason. */
  async original(item: ItemRow): Promise<Buffer> {
    if (item.original_bytes !== null) return this.#kept(item);
    if (item.path === null) throw new MixspaceError('not_found', `The original of "${item.id}" is not kept.`);
    try {
      const bytes = await readVerified(item.path, item.content_hash);
      if (bytes) return bytes;
      throw new MixspaceError('not_found', `The file that "${item.id}" was taken from has changed since.`);
    } catch (error) {
      const reason = unreadableReason(error);
      if (reason === undefined) throw error;
      throw new MixspaceError('not_found', isMissing(error) ? `The original of "${item.id}" has gone from ${item.path}.` : `The original of "${item.id}" cannot be read from ${item.path}: ${reason}.`, { cause: error });
    }
  }

  async #kept({ id, content_hash }: ItemRow): Promise<Buffer> {
    const read = await this.#originals.read(content_hash);
    if ('bytes' in read) return read.bytes;
    this.#damage.tell('An original is not what it was: it is not shown until its picture is sent again.', { id, file: this.#originals.path(content_hash), reason: read.problem });
    throw new MixspaceError('not_found', `The original of "${id}" cannot be shown: ${read.problem}. Send the picture again.`);
  }

  /** What `read` will find, or the sentence that says why nothing. A file that was touched since it was taken in is read when `mayRead`, else trusted. */
  async look(item: ItemRow, choice: SourceChoice, mayRead: boolean): Promise<Kind | { impossible: string }> {
    if (this.#keptEmbedding(item, choice)) return 'embedding';
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : 'text';
    const problem = await this.#problemOf(item, mayRead);
    if (problem === undefined) return 'original';
    return choice.fromThumbnails && item.thumbnail_bytes !== null ? 'thumbnail' : { impossible: problem };
  }

  async read(item: ItemRow, choice: SourceChoice): Promise<ReembeddingItem['source']> {
    const embedding = this.#keptEmbedding(item, choice);
    if (embedding) return { embedding };
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : { text: item.text };
    try {
      if (item.original_bytes === null && item.path === null) throw new MixspaceError('not_found', noContent(item));
      return { picture: await this.original(item) };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      const thumbnail = choice.fromThumbnails ? this.#items.thumbnail(item) : 'none';
      return typeof thumbnail === 'string' ? { impossible: error.message } : { picture: thumbnail };
    }
  }

  #keptEmbedding({ key }: ItemRow, { spaces }: SourceChoice): Float32Array | undefined {
    if (spaces.size === 0) return undefined;
    const latest = this.#embeddings.latest(key);
    return latest && spaces.has(latest.space) ? latest.embedding : undefined;
  }

  async #problemOf(item: ItemRow, mayRead: boolean): Promise<string | undefined> {
    const { path, id } = item;
    if (item.original_bytes === null && path === null) return noContent(item);
    try {
      if (item.original_bytes !== null) {
        const size = this.#originals.size(item.content_hash);
        return size === item.original_bytes ? undefined : `The original of "${id}" ${size === undefined ? 'has gone from the originals' : 'is damaged'}.`;
      }
      const file = path!;
      const { ctimeMs } = await stat(file);
      const isTouched = ctimeMs > Date.parse(item.created_at) - clockSlackMs;
      if (!isTouched || !mayRead || (await isVerified(file, item.content_hash))) return undefined;
      return `The file that "${id}" was taken from has changed since.`;
    } catch (error) {
      if (isMissing(error)) return `The original of "${id}" has gone from ${path}.`;
      return `The original of "${id}" cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`;
    }
  }
}

function noContent({ id, thumbnail_bytes, modality }: ItemRow): string {
  if (modality === 'image' && thumbnail_bytes !== null) return `The original of "${id}" is not kept, only its thumbnail.`;
  return `"${id}" was given as an embedding.`;
}
