import { sha256 } from '../content-hash.js';
import { Source } from '../contract/shared.js';
import type { ItemOutcome } from '../contract/items.js';
import type { Metadata } from '../domain/metadata.js';
import type { Modality } from '../domain/modality.js';
import type { Priority } from '../domain/priority.js';
import { boxesOf, sameBoxes, type Tiles } from '../domain/tiles.js';
import type { ImageEmbedding } from '../encoder/encoder.js';
import { MixspaceError, toMixspaceError } from '../errors.js';
import { nameBytes, toldName } from '../file-names.js';
import { mapLimited } from '../map-limited.js';
import { withoutSecrets } from '../secrets.js';
import type { Collection, ItemContent, ItemWrite, Presence, WriteStatus } from '../store/catalog.js';
import type { Sighting } from '../store/sync-catalog.js';
import { checkedEmbedding, type SentEmbedding } from './input/embedding.js';
import { priorityOf } from './input/encode.js';
import { requireModel } from './collection-model.js';
import type { Caller, Context } from './context.js';
import { inItsSpace } from './in-space.js';
import { checkCount, checkMetadata, checkedText } from './input/limits.js';
import { imageBytes } from './input/picture.js';
import { readUnderRoots } from './input/read-path.js';

/** Items that are resolved, encoded and written together: one transaction, one flush. */
const chunkSize = 32;
/** Chunks under way at once: while one is written, the next are encoded. */
const chunksAhead = 3;

/** One entry as http/ read it, or the reason it could not be read. */
export type Entry =
  | { id?: string; metadata?: Metadata; source?: string; content: EntryContent; /** Of a path. */ seen?: Omit<Sighting, 'file'> }
  | { id?: string; error: MixspaceError };

export type EntryContent =
  | { text: string }
  | { image: string }
  | { path: string }
  | { embedding: SentEmbedding; modality: Modality; fingerprint?: string }
  /** An upload: the name is where it came from. */
  | { bytes: Uint8Array; name?: string };

/** What an entry comes to before anything is encoded. */
interface Resolved {
  id: string;
  metadata?: Metadata;
  source?: string;
  seen?: Sighting;
  content: Omit<ItemContent, 'width' | 'height' | 'takenAt' | 'exif' | 'mediaType'>;
  bytes?: Uint8Array;
  embedding?: Float32Array;
  /** That errors of the content name. */
  field: string;
}

/** Errors that are the service's state and not the entry's fault: they end the request. */
const systemic = new Set(['disk_full', 'overloaded', 'not_ready', 'internal']);

/**
 * `POST .../items`: every entry stands for itself; the outcomes come in the entries' order.
 * What is answered created or updated is on disk. Content that is already there is not encoded again.
 * The caller's `priority`: left out, few entries are a person's, many a batch job's.
 */
export async function ingest(context: Context, name: string, entries: Entry[], caller: Caller & { priority?: Priority }): Promise<{ items: ItemOutcome[] }> {
  checkCount('items', entries.length, context.limits.items);
  await context.catalog.getCollection(name);
  return { items: await new Ingestion(context, name, entries, caller).run() };
}

class Ingestion {
  readonly #context: Context;
  readonly #name: string;
  readonly #entries: Entry[];
  readonly #caller: Caller;
  readonly #priority: Priority;
  readonly #outcomes: ItemOutcome[];
  readonly #ids = new Ids();

  constructor(context: Context, name: string, entries: Entry[], caller: Caller & { priority?: Priority }) {
    this.#priority = caller.priority ?? priorityOf(entries.length);
    this.#context = context;
    this.#name = name;
    this.#entries = entries;
    this.#caller = caller;
    this.#outcomes = new Array<ItemOutcome>(entries.length);
  }

  async run(): Promise<ItemOutcome[]> {
    const { length } = this.#entries;
    const chunks: number[][] = [];
    for (let from = 0; from < length; from += chunkSize) {
      chunks.push(Array.from({ length: Math.min(chunkSize, length - from) }, (_, i) => from + i));
    }
    // Writes keep the entries' order, so that of two entries with one id the later wins; behind one that failed, none is made.
    let written: Promise<unknown> = Promise.resolve();
    await mapLimited(chunks, chunksAhead, (indexes) => {
      const before = written;
      const own = inItsSpace(this.#context, this.#name, (collection) => this.#take(collection, indexes, before)).catch(async (error: unknown) => {
        await before;
        throw error;
      });
      written = own;
      return own;
    });
    return this.#outcomes;
  }

  /** One chunk, written after those before it. */
  async #take(collection: Collection, indexes: number[], before: Promise<unknown>): Promise<void> {
    const context = this.#context;
    const ids = this.#ids;
    const resolved = new Map<number, Resolved>();
    await mapLimited(indexes, 8, async (index) => {
      try {
        const entry = await resolve(context, collection, this.#entries[index]!, this.#caller);
        ids.add(entry.id, index);
        resolved.set(index, entry);
      } catch (error) {
        this.#fail(index, error);
      }
    });

    const there = new Map((await context.catalog.present(collection.name, [...resolved.values()].map(({ id }) => id), 'whole')).map((each) => [each.id, each]));
    const seen = collection.tiles === 'none' ? 0 : await sideSeen(context, collection);
    const isKnown = ({ id, content, bytes }: Resolved): boolean => {
      const other = there.get(id);
      if (ids.isRepeated(id) || other?.contentHash !== content.contentHash || other.modality !== content.modality || !other.embedded) return false;
      return bytes === undefined || seen === undefined || hasItsTiles(other, collection.tiles, seen);
    };

    const write = async (keepKnown: boolean): Promise<{ index: number; status: WriteStatus }[]> => {
      const known = new Map([...resolved].filter(([, each]) => keepKnown && isKnown(each)));
      const writes = await this.#encode(collection, new Map([...resolved].filter(([index]) => !known.has(index))));
      await before;
      // All earlier chunks have told their ids by now.
      const repeated = new Map([...known].filter(([, each]) => !isKnown(each)));
      for (const [index, write] of await this.#encode(collection, repeated)) writes.set(index, write);
      for (const [index, each] of known) if (!repeated.has(index)) writes.set(index, noteOf(each));
      const order = [...writes.keys()].sort((a, b) => a - b);
      if (order.length === 0) return [];
      await context.reembeddings.passWrite(collection.name);
      const began = performance.now();
      const statuses = await context.catalog.write(collection.name, order.map((index) => writes.get(index)!), collection.fingerprint, collection.tiles);
      context.stage('store_write', (performance.now() - began) / 1000);
      return order.map((index, i) => ({ index, status: statuses[i]! }));
    };

    const statuses = await write(true).catch(async (error: unknown) => {
      // Deleted by another request since it was looked up: then it is new, and its content is needed.
      if (!(error instanceof MixspaceError && error.code === 'not_found')) throw error;
      await context.catalog.getCollection(collection.name);
      return write(false);
    });
    for (const { index, status } of statuses) this.#outcomes[index] = { id: resolved.get(index)!.id, status };
  }

  /** The writes of what could be encoded; what could not be has failed. */
  async #encode(collection: Collection, fresh: Map<number, Resolved>): Promise<Map<number, ItemWrite>> {
    const context = this.#context;
    const { signal } = this.#caller;
    const priority = this.#priority;
    const writes = new Map<number, ItemWrite>();
    for (const [index, each] of fresh) {
      if (each.embedding) writes.set(index, { ...noteOf(each), content: { ...each.content, embeddings: [each.embedding] } });
    }
    const texts = [...fresh].filter(([, each]) => each.content.text !== undefined);
    const images = [...fresh].filter(([, each]) => each.bytes !== undefined);
    if (texts.length + images.length === 0) return writes;

    const model = await requireModel(context, collection);
    const keeps = collection.originals === 'keep';
    const began = performance.now();
    const [textEmbeddings, imageOutcomes] = await Promise.all([
      texts.length ? context.encoder.encodeTexts(model, texts.map(([, each]) => each.content.text!), { priority, signal }) : [],
      images.length ? context.encoder.encodeImages(model, images.map(([, each]) => each.bytes!), { priority, signal, thumbnail: true, tiles: collection.tiles }) : [],
    ]);
    context.stage('encode_items', (performance.now() - began) / 1000);
    texts.forEach(([index, each], i) => writes.set(index, { ...noteOf(each), content: { ...each.content, embeddings: [textEmbeddings[i]!.embedding] } }));
    images.forEach(([index, each], i) => {
      const outcome = imageOutcomes[i]!;
      if (!outcome.ok) return this.#fail(index, outcome.error.at(each.field), each.id);
      writes.set(index, { ...noteOf(each), content: { ...each.content, ...pictureOf(outcome.value), ...(keeps && each.content.path === undefined ? { original: each.bytes! } : {}) } });
    });
    return writes;
  }

  /** @throws MixspaceError: what ends the request. */
  #fail(index: number, error: unknown, id = this.#entries[index]!.id): void {
    const known = toMixspaceError(error);
    if (systemic.has(known.code)) throw known;
    this.#outcomes[index] = { id: id ?? null, status: 'failed', error: { message: known.message, type: 'invalid_request_error', param: known.param ?? null, code: known.code } };
  }
}

async function resolve(context: Context, collection: Collection, entry: Entry, caller: Caller): Promise<Resolved> {
  if ('error' in entry) throw entry.error;
  checkMetadata(context, entry.metadata);
  const { content } = entry;
  const field = 'bytes' in content ? 'file' : Object.keys(content)[0]!;
  const note = { ...(entry.metadata === undefined ? {} : { metadata: entry.metadata }) };
  const withSource = (fallback: string | undefined): { source?: string } => {
    const source = entry.source ?? fallback;
    return source === undefined ? {} : { source: storedSource(source) };
  };
  try {
    if ('embedding' in content) {
      const embedding = checkedEmbedding(content.embedding, content.fingerprint, collection, '');
      const contentHash = await sha256(new Uint8Array(embedding.buffer as ArrayBuffer), 'hex');
      return { id: entry.id ?? contentHash, ...note, ...withSource(undefined), content: { modality: content.modality, contentHash }, embedding, field };
    }
    if ('text' in content) {
      const text = checkedText(context, content.text);
      const contentHash = await sha256(Buffer.from(text), 'hex');
      return { id: entry.id ?? contentHash, ...note, ...withSource(undefined), content: { modality: 'text', contentHash, text }, field };
    }
    if ('path' in content) {
      const { bytes, realPath } = await readUnderRoots(context.roots, content.path, context.limits.picture);
      const contentHash = await sha256(bytes, 'hex');
      const seen = entry.seen && { seen: { ...entry.seen, file: realPath } };
      return { id: entry.id ?? contentHash, ...note, ...withSource(toldName(nameBytes(content.path)!)), ...seen, content: { modality: 'image', contentHash, path: realPath }, bytes, field };
    }
    const bytes = 'bytes' in content ? content.bytes : await imageBytes(context, content.image, caller);
    const contentHash = await sha256(bytes, 'hex');
    const origin = 'bytes' in content ? content.name : /^https:\/\//i.test(content.image) && Buffer.byteLength(content.image) <= 4096 ? content.image : undefined;
    return { id: entry.id ?? contentHash, ...note, ...withSource(origin), content: { modality: 'image', contentHash }, bytes, field };
  } catch (error) {
    if (!(error instanceof MixspaceError) || error.param !== undefined) throw trimmed(error);
    throw error.at(field);
  }
}

/** A file name or a path is as much a source as one that is told, and bound by the same. @throws MixspaceError `invalid_request`. */
function storedSource(source: string): string {
  const stored = withoutSecrets(source);
  const checked = Source.safeParse(stored);
  if (!checked.success) throw new MixspaceError('invalid_request', `Where it came from cannot be kept: ${checked.error.issues[0]!.message} Name another \`source\`.`);
  return stored;
}

/** `checkedEmbedding` names its field behind a dot; here the entry itself is the root. */
function trimmed(error: unknown): unknown {
  if (!(error instanceof MixspaceError) || !error.param?.startsWith('.')) return error;
  return new MixspaceError(error.code, error.message, { param: error.param.slice(1) });
}

function pictureOf(encoded: ImageEmbedding): Pick<NonNullable<ItemWrite['content']>, 'embeddings' | 'boxes' | 'width' | 'height' | 'mediaType' | 'takenAt' | 'exif' | 'thumbnail'> {
  const { tiles = [] } = encoded;
  return {
    embeddings: [encoded.embedding, ...tiles.map(({ embedding }) => embedding)],
    boxes: tiles.map(({ box }) => box),
    width: encoded.width,
    height: encoded.height,
    mediaType: encoded.mediaType,
    ...(encoded.takenAt === undefined ? {} : { takenAt: encoded.takenAt }),
    ...(encoded.exif === undefined ? {} : { exif: encoded.exif }),
    ...(encoded.thumbnail === undefined ? {} : { thumbnail: encoded.thumbnail }),
  };
}

/** The side of the square that the collection's model sees, pixels; `undefined` where the model is not there. */
async function sideSeen(context: Context, collection: Collection): Promise<number | undefined> {
  return (await requireModel(context, collection).catch(() => undefined))?.imageSize;
}

function hasItsTiles({ width, height, boxes }: Presence, tiles: Tiles, seen: number): boolean {
  return sameBoxes(boxes, width === undefined || height === undefined ? [] : boxesOf(tiles, { width, height }, seen));
}

function noteOf(each: Resolved): ItemWrite {
  return { id: each.id, ...(each.metadata === undefined ? {} : { metadata: each.metadata }), ...(each.source === undefined ? {} : { source: each.source }), ...(each.seen && { seen: each.seen }) };
}

/** A request's ids, given or of the content: looking up beforehand one that stands more than once would miss what the request itself writes. */
class Ids {
  readonly #firstAt = new Map<string, number>();
  readonly #repeated = new Set<string>();

  add(id: string, index: number): void {
    const first = this.#firstAt.get(id);
    if (first === undefined) this.#firstAt.set(id, index);
    else if (first !== index) this.#repeated.add(id);
  }

  isRepeated(id: string): boolean {
    return this.#repeated.has(id);
  }
}
