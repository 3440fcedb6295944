/** The jobs that make a map, and that place further items on it. They work anew from the beginning when they were interrupted: minutes at most. */
import type { Filter } from '../../domain/filter.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import { withThread, type ComputeThread } from '../compute-thread.js';
import type { Context } from '../context.js';
import { mapJob, putPoints, type MapSummary, type Points } from './kept.js';
import type { LiveMaps } from './live-map.js';
import type { MapMethods } from './map-thread.js';
import { blockRows } from './rows.js';

export interface MapParameters {
  modality?: Modality;
  filter?: Filter;
  neighbors: number;
  place?: true;
}

const mapThread = new URL('./map-thread.js', import.meta.url);
export const usualNeighbors = 15;
/** Of the embeddings in memory, and of what else is held of each item. */
export const mostOnMap = { items: 1_000_000, bytes: 2 ** 30 } as const;
const readAtOnce = 1_000;
/** The share of the work that reading is. */
const reading = 0.1;

interface Listed {
  /** Keys of items and of their embeddings; places in the list of modalities. */
  items: Uint32Array;
  embeddings: Uint32Array;
  kinds: Uint8Array;
  fingerprint: string;
}

export function mapKind(context: Context, maps: LiveMaps): JobKind<MapParameters> {
  return {
    name: mapJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: true,
    // It takes a core: one at a time in the service.
    lock: () => mapJob,
    run: (work) => withThread<MapMethods, JobEnd>(mapThread, work.signal, (thread) => (work.job.parameters.place ? new Placement(context, work, thread).run(maps) : new Making(context, work, thread).run())),
    discard: ({ collection, id, parameters }) => (parameters.place ? Promise.resolve() : context.catalog.discardResult(collection!, id)),
  };
}

/** Of the items that match, those with an embedding. @throws MixspaceError `unprocessable`: none, or too many. */
export async function listedFor({ catalog }: Context, collection: string, { modality, filter }: { modality?: Modality | undefined; filter?: Filter | undefined }): Promise<Listed> {
  const { dimension } = await catalog.getCollection(collection);
  const wholes = await catalog.wholeEmbeddings(collection);
  const matching = filter && (await catalog.matchingKeys(collection, filter));
  const items: number[] = [];
  const embeddings: number[] = [];
  const kinds: number[] = [];
  for (const each of modality === undefined ? modalities : [modality]) {
    const matches = matching && new Set(matching[each]);
    wholes[each].items.forEach((key, i) => {
      if (matches && !matches.has(key)) return;
      items.push(key);
      embeddings.push(wholes[each].embeddings[i]!);
      kinds.push(modalities.indexOf(each));
    });
  }
  const param = filter ? 'filter' : 'modality';
  if (items.length === 0) throw new MixspaceError('unprocessable', `A map is made of one item at least; none ${filter || modality ? 'of these ' : ''}with an embedding is there.`, { param });
  const most = Math.min(mostOnMap.items, Math.floor(mostOnMap.bytes / (4 * dimension)));
  if (items.length > most) throw new MixspaceError('unprocessable', `At most ${most} items of ${dimension} dimensions come on a map: a filter says which.`, { param: 'filter' });
  return { items: Uint32Array.from(items), embeddings: Uint32Array.from(embeddings), kinds: Uint8Array.from(kinds), fingerprint: wholes.fingerprint };
}

class MapWork {
  protected readonly context: Context;
  protected readonly work: JobWork<MapParameters>;
  protected readonly thread: ComputeThread<MapMethods>;
  protected readonly collection: string;

  constructor(context: Context, work: JobWork<MapParameters>, thread: ComputeThread<MapMethods>) {
    this.context = context;
    this.work = work;
    this.thread = thread;
    this.collection = work.job.collection!;
  }

  /** What is read into the thread: those that are there still, with their places there. `at`: how much is done, 0..1. */
  protected async read({ items, embeddings, kinds, fingerprint }: Listed, at: (done: number) => void): Promise<{ places: number[]; kinds: Uint8Array }> {
    const { dimension } = await this.context.catalog.getCollection(this.collection);
    await this.thread.call('begin', { count: items.length, dimension });
    const places: number[] = [];
    for (let from = 0; from < items.length; from += readAtOnce) {
      this.work.signal.throwIfAborted();
      const { values, found } = await this.values(embeddings.slice(from, from + readAtOnce), fingerprint);
      const there = [...found.keys()].filter((i) => found[i] === 1);
      const some = there.length === found.length ? values : Float32Array.from(there.flatMap((i) => [...values.subarray(i * dimension, (i + 1) * dimension)]));
      await this.thread.call('add', { values: some, from: places.length });
      for (const i of there) places.push(from + i);
      at(Math.min(1, (from + readAtOnce) / items.length));
    }
    if (places.length === 0) throw new MixspaceError('unprocessable', 'None of the items has an embedding any more.');
    return { places, kinds: Uint8Array.from(places, (place) => kinds[place]!) };
  }

  protected async values(embeddings: Uint32Array, fingerprint: string): Promise<{ values: Float32Array; found: Uint8Array }> {
    return this.context.catalog.readEmbeddings(this.collection, fingerprint, embeddings);
  }

  protected async ids(items: Uint32Array): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < items.length; from += readAtOnce) {
      this.work.signal.throwIfAborted();
      ids.push(...(await this.context.catalog.idsOfKeys(this.collection, items.slice(from, from + readAtOnce))));
    }
    return ids;
  }

  protected get kept(): { collection: string; job: string; signal: AbortSignal } {
    return { collection: this.collection, job: this.work.job.id, signal: this.work.signal };
  }
}

class Making extends MapWork {
  async run(): Promise<JobEnd> {
    const { catalog } = this.context;
    const { signal, job } = this.work;
    const { modality, filter, neighbors } = job.parameters;
    const changes = await catalog.changesOf(this.collection);
    const { model } = await catalog.getCollection(this.collection);
    const listed = await listedFor(this.context, this.collection, { modality, filter });
    const total = listed.items.length;
    const at = (done: number): void => this.work.at({ done: Math.floor(done * total), total });
    at(0);
    const { places, kinds } = await this.read(listed, (done) => at(done * reading));
    await this.thread.call('layOut', { kinds, neighbors });
    let told = await this.thread.call('goOn', undefined);
    for (; 'done' in told; told = await this.thread.call('goOn', undefined)) {
      signal.throwIfAborted();
      at(reading + told.done * (1 - reading));
    }
    const { points, order, levels, trustworthiness } = told;
    const ids = await this.ids(Uint32Array.from(order, (place) => listed.items[places[place]!]!));
    const numbered: Points = { ids, kinds: Uint8Array.from(order, (place) => kinds[place]!), at: new Float32Array(2 * order.length) };
    order.forEach((place, number) => numbered.at.set(points.subarray(2 * place, 2 * place + 2), 2 * number));
    await catalog.discardResult(this.collection, job.id);
    const pages = await putPoints(catalog, this.kept, numbered, { pages: 0, from: 0 });
    const summary: MapSummary = {
      made_at: new Date().toISOString(),
      changes,
      model,
      fingerprint: listed.fingerprint,
      ...(modality && { modality }),
      ...(filter && { filter }),
      neighbors,
      count: order.length,
      pages,
      levels,
      ...(trustworthiness === undefined ? {} : { trustworthiness: Math.round(trustworthiness * 1e4) / 1e4 }),
    };
    await catalog.publishResult(this.collection, { kind: mapJob, job: job.id, summary });
    at(1);
    return { result: { items: order.length, ...(summary.trustworthiness === undefined ? {} : { trustworthiness: summary.trustworthiness }) } };
  }
}

class Placement extends MapWork {
  async run(maps: LiveMaps): Promise<JobEnd> {
    const { catalog } = this.context;
    const changes = await catalog.changesOf(this.collection);
    const map = await maps.of(catalog, this.collection);
    const { keys, embeddings, fingerprint } = await map.now();
    if (fingerprint !== map.summary.fingerprint) throw new MixspaceError('conflict', 'The map was made of another space than the collection is in by now: make it anew.');
    const missing = await map.missingNow();
    const further: Listed = { items: Uint32Array.from(missing, ({ item }) => item), embeddings: Uint32Array.from(missing, ({ embedding }) => embedding), kinds: Uint8Array.from(missing, ({ kind }) => kind), fingerprint };
    const { job, summary } = map;
    // Points whose items have gone stay, and with them what is said of its age.
    const noted = keys.includes(0) ? {} : { changes };
    if (further.items.length === 0) {
      await catalog.publishResult(this.collection, { kind: mapJob, job, summary: { ...summary, ...noted } satisfies MapSummary });
      return { result: { placed: 0 } };
    }
    const total = further.items.length;
    const at = (done: number): void => this.work.at({ done: Math.floor(done * total), total });
    const there = Uint32Array.from([...embeddings.keys()].filter((number) => embeddings[number] !== 0));
    const known: Listed = { items: Uint32Array.from(there, (number) => keys[number]!), embeddings: Uint32Array.from(there, (number) => embeddings[number]!), kinds: Uint8Array.from(there, (number) => map.points.kinds[number]!), fingerprint };
    if (there.length === 0) throw new MixspaceError('unprocessable', 'Nothing is left of what the map was made of: make it anew.');
    const { places, kinds } = await this.read(known, (done) => at(done * reading));
    const points = Float32Array.from(places.flatMap((place) => [...map.points.at.subarray(2 * there[place]!, 2 * there[place]! + 2)]));
    await this.thread.call('beginPlacing', { points, kinds, neighbors: map.summary.neighbors });
    const placed: { items: number[]; kinds: number[]; at: number[] } = { items: [], kinds: [], at: [] };
    for (let from = 0; from < total; from += blockRows) {
      this.work.signal.throwIfAborted();
      const { values, found } = await this.values(further.embeddings.slice(from, from + blockRows), fingerprint);
      const some = await this.thread.call('place', { values, kinds: further.kinds.slice(from, from + blockRows) });
      found.forEach((isFound, i) => {
        if (isFound === 0) return;
        placed.items.push(further.items[from + i]!);
        placed.kinds.push(further.kinds[from + i]!);
        placed.at.push(some[2 * i]!, some[2 * i + 1]!);
      });
      at(reading + (1 - reading) * Math.min(1, (from + blockRows) / total));
    }
    const ids = await this.ids(Uint32Array.from(placed.items));
    const pages = await putPoints(catalog, { ...this.kept, job }, { ids, kinds: Uint8Array.from(placed.kinds), at: Float32Array.from(placed.at) }, { pages: summary.pages, from: summary.count });
    const count = summary.count + ids.length;
    await catalog.publishResult(this.collection, { kind: mapJob, job, summary: { ...summary, ...noted, count, pages, levels: count === summary.count ? summary.levels : [...summary.levels, count] } satisfies MapSummary });
    this.work.at({ done: total, total });
    return { result: { placed: ids.length } };
  }
}
