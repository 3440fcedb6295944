import { boxesOf, sameBoxes, type Box, type Tiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import type { TiledItem } from '../../store/tile-catalog.js';
import { requireModel } from '../collection-model.js';
import type { Context } from '../context.js';
import { whenThereIsRoom } from '../when-there-is-room.js';

/** Pictures looked at, and cut, together. */
const pageItems = 256;
const itemsAtOnce = 4;
/** Such groups under way: while one is written, the other is encoded. */
const groupsAtOnce = 2;

/** What came of some pictures. */
export interface CutSome {
  /** That are as they are to be, from which of their pictures they were cut just now, where they were. */
  done: number;
  originals: number;
  thumbnails: number;
  /** Of embeddings, more than before. */
  bytes: number;
  unreachable: { id: string; reason: string }[];
}

/**
 * Cuts those of the collection's pictures that are not cut as it wants them, from their originals, else their thumbnails.
 * `begin`: all of them are looked at from now on. False where other tiles are wanted by now.
 * @throws MixspaceError `conflict`: its model is not there; and what `signal` was aborted with.
 */
export async function cutAll(context: Context, { collection: name, tiles, signal }: { collection: string; tiles: Tiles; signal: AbortSignal }, { begin, cut }: { begin: () => void; cut: (some: CutSome) => Promise<void> }): Promise<boolean> {
  for (;;) {
    const collection = await context.catalog.getCollection(name);
    if (collection.tiles !== tiles) return false;
    const { fingerprint } = collection;
    const seen = tiles === 'none' ? 0 : ((await requireModel(context, collection)).imageSize ?? 0);
    begin();
    const work = new Cutting(context, { name, model: collection.model, fingerprint, tiles, seen, signal }, cut);
    if (await work.run()) return true;
  }
}

interface Cut {
  name: string;
  model: string;
  fingerprint: string;
  tiles: Tiles;
  /** Of the square that the model sees, pixels. */
  seen: number;
  signal: AbortSignal;
}

/** A picture that is to be cut. */
interface Waiting extends TiledItem {
  wanted: Box[];
}

class Cutting {
  readonly #context: Context;
  readonly #cut: Cut;
  readonly #tell: (some: CutSome) => Promise<void>;
  /** The model has embedded something. */
  #works = false;

  constructor(context: Context, cut: Cut, tell: (some: CutSome) => Promise<void>) {
    this.#context = context;
    this.#cut = cut;
    this.#tell = tell;
  }

  /** False where the collection is in another space, or wants others, by now. */
  async run(): Promise<boolean> {
    const { name, fingerprint, signal } = this.#cut;
    for (let after: number | undefined = 0; after !== undefined; ) {
      signal.throwIfAborted();
      const page: Awaited<ReturnType<Context['catalog']['listTiled']>> = await this.#context.catalog.listTiled(name, { after, limit: pageItems });
      if (page.fingerprint !== fingerprint) return false;
      const unknown = page.items.filter((item) => this.#wanted(item) === undefined);
      const waiting = page.items.flatMap((item): Waiting[] => {
        const wanted = this.#wanted(item);
        return wanted === undefined || sameBoxes(item.boxes, wanted) ? [] : [{ ...item, wanted }];
      });
      await this.#tell({ ...nothing, done: page.items.length - unknown.length - waiting.length, unreachable: unknown.map(({ id }) => ({ id, reason: `"${id}" was given as an embedding.` })) });
      const groups = Array.from({ length: Math.ceil(waiting.length / itemsAtOnce) }, (_, i) => waiting.slice(i * itemsAtOnce, (i + 1) * itemsAtOnce));
      const areDone = await mapLimited(groups, groupsAtOnce, (group) => this.#some(group));
      if (areDone.includes(false)) return false;
      after = page.through;
    }
    return true;
  }

  /** `undefined` where its size is not known, as there is no picture. */
  #wanted({ width, height }: TiledItem): Box[] | undefined {
    const { tiles, seen } = this.#cut;
    if (tiles === 'none') return [];
    return width === undefined || height === undefined ? undefined : boxesOf(tiles, { width, height }, seen);
  }

  async #some(items: Waiting[]): Promise<boolean> {
    const { name, fingerprint, tiles, signal } = this.#cut;
    signal.throwIfAborted();
    const uncut = items.filter(({ wanted }) => wanted.length === 0).map(({ key }) => ({ key, tiles: [] }));
    const cut = items.filter(({ wanted }) => wanted.length > 0);
    const sources = cut.length === 0 ? [] : await this.#context.catalog.readTileSources(name, cut.map(({ key }) => key));
    const some: CutSome = { ...nothing, done: uncut.length, unreachable: [] };
    const pictures = cut.flatMap((item, i) => {
      const source = sources[i];
      if (source && 'picture' in source) return [{ item, ...source }];
      if (source) some.unreachable.push({ id: item.id, reason: source.impossible });
      return [];
    });
    const made: Parameters<Context['catalog']['putTiles']>[2] = [...uncut];
    const outcomes = pictures.length === 0 ? [] : await this.#encode(pictures);
    outcomes.forEach((outcome, i) => {
      const { item, from } = pictures[i]!;
      if (!outcome.ok) {
        // What the service is not ready for, or a model that embeds nothing, is no fault of the pictures.
        if (outcome.error.code === 'not_ready' || (!this.#works && outcome.error.code === 'internal')) throw outcome.error;
        return void some.unreachable.push({ id: item.id, reason: `It could not be cut: ${outcome.error.message}` });
      }
      made.push({ key: item.key, tiles: outcome.value.tiles ?? [] });
      some.done++;
      some[from === 'original' ? 'originals' : 'thumbnails']++;
    });
    signal.throwIfAborted();
    try {
      some.bytes = made.length === 0 ? 0 : (await this.#context.catalog.putTiles(name, { fingerprint, tiles }, made)).bytes;
    } catch (error) {
      if (error instanceof MixspaceError && error.code === 'conflict') return false;
      throw error;
    }
    await this.#tell(some);
    return true;
  }

  async #encode(pictures: { picture: Uint8Array; item: Waiting }[]): ReturnType<Context['encoder']['encodeImages']> {
    const { model: id, fingerprint, signal } = this.#cut;
    const options = { priority: 'bulk', signal, tiles: pictures.map(({ item }) => item.wanted) } as const;
    const outcomes = await whenThereIsRoom(() => this.#context.encoder.encodeImages({ id, fingerprint }, pictures.map(({ picture }) => picture), options), signal);
    this.#works ||= outcomes.some(({ ok }) => ok);
    return outcomes;
  }
}

const nothing = { done: 0, originals: 0, thumbnails: 0, bytes: 0 } as const;
