/** What an item's embedding can be made from: its text, its original, an embedding kept from an earlier time, its thumbnail. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { MixspaceError } from '../../errors.js';
import type { ReembeddingItem } from '../store.js';
import { checksum, isMissing } from './files.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { Originals } from './originals.js';

/** Coarse clocks of file systems, and the time between the reading of a file and the writing of its row. */
const clockSlackMs = 2_000;

export interface SourceChoice {
  /** Numbers of the spaces whose embeddings can be taken as they are. */
  spaces: ReadonlySet<number>;
  fromThumbnails: boolean;
}

export type Kind = 'embedding' | 'text' | 'original' | 'thumbnail';

export class Sources {
  readonly #items: ItemTable;
  readonly #originals: Originals;

  constructor(items: ItemTable, originals: Originals) {
    this.#items = items;
    this.#originals = originals;
  }

  /** The picture as it came. Of a file named by path, only what the item was made from: whatever else lies there is nobody's to see. */
  async original(item: ItemRow): Promise<Buffer> {
    try {
      if (item.original_bytes !== null) return await this.#originals.read(item.content_hash);
      if (item.path === null) throw new MixspaceError('not_found', `The original of "${item.id}" is not kept.`);
      const chunks: Buffer[] = [];
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(item.path, { highWaterMark: 1 << 20 })) {
        chunks.push(chunk as Buffer);
        hash.update(chunk as Buffer);
      }
      if (hash.digest('hex') === item.content_hash) return Buffer.concat(chunks);
      throw new MixspaceError('not_found', `The file that "${item.id}" was taken from has changed since.`);
    } catch (error) {
      if (error instanceof MixspaceError) throw error;
      const code = (error as NodeJS.ErrnoException).code;
      if (!isMissing(error) && code !== 'EACCES' && code !== 'EISDIR' && code !== 'EIO') throw error;
      throw new MixspaceError('not_found', isMissing(error) ? `The original of "${item.id}" has gone from ${item.path ?? 'the originals'}.` : `The original of "${item.id}" cannot be read (${code}).`, { cause: error });
    }
  }

  /** What `read` will find, or the sentence that says why nothing. A file that was touched since it was taken in is read when `mayRead`, else trusted. */
  async look(item: ItemRow, choice: SourceChoice, mayRead: boolean): Promise<Kind | { impossible: string }> {
    if (choice.spaces.has(item.space)) return 'embedding';
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : 'text';
    const problem = await this.#problemOf(item, mayRead);
    if (problem === undefined) return 'original';
    return choice.fromThumbnails && item.thumbnail_bytes !== null ? 'thumbnail' : { impossible: problem };
  }

  async read(item: ItemRow, choice: SourceChoice): Promise<ReembeddingItem['source']> {
    if (choice.spaces.has(item.space)) {
      const embedding = this.#items.embeddingInRow(item.key);
      // Its row has gone since it was read: whatever comes of it is passed over.
      return embedding ? { embedding } : { impossible: `"${item.id}" has gone.` };
    }
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : { text: item.text };
    try {
      if (item.original_bytes === null && item.path === null) throw new MixspaceError('not_found', noContent(item));
      return { picture: await this.original(item) };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      const thumbnail = choice.fromThumbnails ? this.#items.thumbnail(item.key) : undefined;
      return thumbnail ? { picture: thumbnail } : { impossible: error.message };
    }
  }

  async #problemOf(item: ItemRow, mayRead: boolean): Promise<string | undefined> {
    const { path, id } = item;
    if (item.original_bytes === null && path === null) return noContent(item);
    try {
      const file = item.original_bytes === null ? path! : this.#originals.path(item.content_hash);
      const { size, ctimeMs } = await stat(file);
      if (item.original_bytes !== null) return size === item.original_bytes ? undefined : `The original of "${id}" is damaged.`;
      const isTouched = ctimeMs > Date.parse(item.created_at) - clockSlackMs;
      if (!isTouched || !mayRead || (await checksum(file)) === item.content_hash) return undefined;
      return `The file that "${id}" was taken from has changed since.`;
    } catch (error) {
      if (isMissing(error)) return `The original of "${id}" has gone from ${path ?? 'the originals'}.`;
      return `The original of "${id}" cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`;
    }
  }
}

function noContent({ id, thumbnail_bytes, modality }: ItemRow): string {
  if (modality === 'image' && thumbnail_bytes !== null) return `The original of "${id}" is not kept, only its thumbnail.`;
  return `"${id}" was given as an embedding.`;
}
