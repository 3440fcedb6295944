/** What an item's embedding can be made from: its text, its original, an embedding kept from an earlier time, its thumbnail. */
import { stat } from 'node:fs/promises';
import { MixspaceError } from '../../errors.js';
import { openable } from '../../file-names.js';
import { isMissing, isVerified, readVerified, unreadableReason } from '../../files.js';
import type { Modality } from '../../domain/modality.js';
import type { Box } from '../../domain/tiles.js';
import type { Picture } from '../catalog.js';
import type { ReembeddedParts, ReembeddingItem } from '../reembedding-catalog.js';
import type { TileSource } from '../tile-catalog.js';

/** Coarse clocks of file systems, and the time between the reading of a file and the writing of its row. */
const clockSlackMs = 2_000;

export interface SourceChoice {
  /** Keys of the spaces whose embeddings can be taken as they are. */
  spaces: ReadonlySet<number>;
  fromThumbnails: boolean;
}

export type Kind = 'embedding' | 'text' | 'original' | 'thumbnail';

/** What a catalog's row says of where an item came from; what is not there is null. */
export interface SourceItem {
  key: number;
  id: string;
  modality: Modality;
  content_hash: string;
  text: string | null;
  media_type: string | null;
  /** Where the original lies, when it was taken in by path. */
  path: string | null;
  /** Of the original kept among the originals. */
  original_bytes: number | null;
  thumbnail_bytes: number | null;
  /** ISO 8601, UTC. */
  created_at: string;
}

/** The embeddings that an item has of one space, the whole's first, with the space's key. */
export interface KeptEmbeddings {
  space: number;
  parts: { embedding: Float32Array; box?: Box | undefined }[];
}

/** What a catalog reads of its own. */
export interface SourceRows<Row extends SourceItem> {
  thumbnail(item: Row): ThumbnailRead | Promise<ThumbnailRead>;
  /** Of the last space that the item has some of. */
  latest(item: Row): KeptEmbeddings | undefined | Promise<KeptEmbeddings | undefined>;
}

export type ThumbnailRead = Buffer | 'none' | 'damaged';

/** The pictures that a catalog keeps as they came. */
export interface SourceOriginals<Row extends SourceItem> {
  /** The bytes where they are what was kept, else why not, and in which file they should lie, where that is so. */
  read(item: Row): Promise<{ bytes: Buffer } | { problem: string; file?: string }>;
  /** Bytes; `undefined` where there is nothing. */
  size(item: Row): number | undefined | Promise<number | undefined>;
}

export interface SourceParts<Row extends SourceItem> {
  rows: SourceRows<Row>;
  originals: SourceOriginals<Row>;
  /** Where the rows lie, as sentences name it. */
  where: string;
  tell: (what: string, fields: Record<string, unknown>) => void;
}

export class Sources<Row extends SourceItem> {
  readonly #rows: SourceRows<Row>;
  readonly #originals: SourceOriginals<Row>;
  readonly #where: string;
  readonly #tell: SourceParts<Row>['tell'];

  constructor({ rows, originals, where, tell }: SourceParts<Row>) {
    this.#rows = rows;
    this.#originals = originals;
    this.#where = where;
    this.#tell = tell;
  }

  /** Errors: `not_found`, with the reason. */
  async picture(item: Row, size: 'thumbnail' | 'original'): Promise<Picture> {
    const { id, modality, media_type } = item;
    if (modality !== 'image') throw new MixspaceError('not_found', `The item "${id}" is a text.`);
    if (size === 'original') return { bytes: await this.original(item), mediaType: media_type ?? 'application/octet-stream' };
    const bytes = await this.#rows.thumbnail(item);
    if (bytes === 'none') throw new MixspaceError('not_found', `The item "${id}" came without a picture.`);
    if (bytes === 'damaged') throw new MixspaceError('not_found', `The thumbnail of "${id}" in ${this.#where} is damaged. Send the picture again.`);
    return { bytes, mediaType: 'image/webp' };
  }

  /** The picture as it came, and nothing else: whatever else lies in its place is nobody's to see. Errors: `not_found`, with the reason. */
  async original(item: Row): Promise<Buffer> {
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

  async #kept(item: Row): Promise<Buffer> {
    const read = await this.#originals.read(item);
    if ('bytes' in read) return read.bytes;
    const { id } = item;
    const { problem: reason, file } = read;
    this.#tell('An original is not what it was: it is not shown until its picture is sent again.', { id, ...(file !== undefined && { file }), reason });
    throw new MixspaceError('not_found', `The original of "${id}" cannot be shown: ${reason}. Send the picture again.`);
  }

  /** What `read` will find, or the sentence that says why nothing. A file that was touched since it was taken in is read when `mayRead`, else trusted. */
  async look(item: Row, choice: SourceChoice, mayRead: boolean): Promise<Kind | { impossible: string }> {
    if (await this.#keptEmbedding(item, choice)) return 'embedding';
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : 'text';
    const problem = await this.#problemOf(item, mayRead);
    if (problem === undefined) return 'original';
    return choice.fromThumbnails && item.thumbnail_bytes !== null ? 'thumbnail' : { impossible: problem };
  }

  async read(item: Row, choice: SourceChoice): Promise<ReembeddingItem['source']> {
    const kept = await this.#keptEmbedding(item, choice);
    if (kept) return kept;
    if (item.modality === 'text') return item.text === null ? { impossible: noContent(item) } : { text: item.text };
    try {
      if (item.original_bytes === null && item.path === null) throw new MixspaceError('not_found', noContent(item));
      return { picture: await this.original(item) };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      const thumbnail = choice.fromThumbnails ? await this.#rows.thumbnail(item) : 'none';
      return typeof thumbnail === 'string' ? { impossible: error.message } : { picture: thumbnail };
    }
  }

  /** What tiles are cut from: the original, else the thumbnail. */
  async uncut(item: Row): Promise<TileSource> {
    try {
      if (item.original_bytes === null && item.path === null) throw new MixspaceError('not_found', noContent(item));
      return { picture: await this.original(item), from: 'original' };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      const thumbnail = await this.#rows.thumbnail(item);
      return typeof thumbnail === 'string' ? { impossible: error.message } : { picture: thumbnail, from: 'thumbnail' };
    }
  }

  async #keptEmbedding(item: Row, { spaces }: SourceChoice): Promise<ReembeddedParts | undefined> {
    if (spaces.size === 0) return undefined;
    const latest = await this.#rows.latest(item);
    if (!latest || !spaces.has(latest.space)) return undefined;
    const [whole, ...others] = latest.parts;
    return { embedding: whole!.embedding, tiles: others.flatMap(({ box, embedding }) => (box ? [{ box, embedding }] : [])) };
  }

  async #problemOf(item: Row, mayRead: boolean): Promise<string | undefined> {
    const { path, id } = item;
    if (item.original_bytes === null && path === null) return noContent(item);
    try {
      if (item.original_bytes !== null) {
        const size = await this.#originals.size(item);
        return size === item.original_bytes ? undefined : `The original of "${id}" ${size === undefined ? 'has gone from the originals' : 'is damaged'}.`;
      }
      const file = path!;
      const { ctimeMs } = await stat(openable(file));
      const isTouched = ctimeMs > Date.parse(item.created_at) - clockSlackMs;
      if (!isTouched || !mayRead || (await isVerified(file, item.content_hash))) return undefined;
      return `The file that "${id}" was taken from has changed since.`;
    } catch (error) {
      if (isMissing(error)) return `The original of "${id}" has gone from ${path}.`;
      return `The original of "${id}" cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`;
    }
  }
}

function noContent({ id, thumbnail_bytes, modality }: SourceItem): string {
  if (modality === 'image' && thumbnail_bytes !== null) return `The original of "${id}" is not kept, only its thumbnail.`;
  return `"${id}" was given as an embedding.`;
}
