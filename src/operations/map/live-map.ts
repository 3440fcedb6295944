import type { Filter } from '../../domain/filter.js';
import { modalities, type Modality } from '../../domain/modality.js';
import type { Catalog } from '../../store/catalog.js';
import { KeptLatest } from '../kept-latest.js';
import { Turns } from '../turns.js';
import { latestMap, readPoints, type MapSummary, type Points } from './kept.js';

const idsAtOnce = 5_000;

/** What is there of the map's items: keys of them and of their embeddings, by number, 0 where there is none. */
interface Present {
  keys: Uint32Array;
  changes: number;
  wholes: Awaited<ReturnType<Catalog['wholeEmbeddings']>>;
  embeddings: Uint32Array;
}

/** Items by their keys, with those of their embeddings and the place of their modality. */
export type Missing = readonly { item: number; embedding: number; kind: number }[];

/** A map beside the items that are there now. */
export class LiveMap {
  readonly collection: string;
  readonly job: string;
  readonly summary: MapSummary;
  readonly points: Points;
  readonly #catalog: Catalog;
  readonly #turns = new Turns();
  #present: Present | undefined;
  #missing: { at: Present; found: Missing } | undefined;
  #numbers: Map<string, number> | undefined;

  constructor(catalog: Catalog, { collection, job, summary, points }: Pick<LiveMap, 'collection' | 'job' | 'summary' | 'points'>) {
    this.#catalog = catalog;
    this.collection = collection;
    this.job = job;
    this.summary = summary;
    this.points = points;
  }

  get count(): number {
    return this.summary.count;
  }

  numberOf(id: string): number | undefined {
    this.#numbers ??= new Map(this.points.ids.map((each, number) => [each, number]));
    return this.#numbers.get(id);
  }

  /** As things are now; the arrays are not to be written to. */
  now(): Promise<{ keys: Uint32Array; embeddings: Uint32Array; fingerprint: string }> {
    return this.#turns.take('now', async () => {
      const { keys, embeddings, wholes } = await this.#itemsNow();
      return { keys, embeddings, fingerprint: wholes.fingerprint };
    });
  }

  /** x0, y0, ... by number; NaN of those that have gone. */
  async placesNow(): Promise<Float32Array> {
    const { keys } = await this.now();
    const places = this.points.at.slice();
    keys.forEach((key, number) => key === 0 && places.fill(NaN, 2 * number, 2 * number + 2));
    return places;
  }

  /** The items that belong on the map and are not there. */
  missingNow(): Promise<Missing> {
    return this.#turns.take('now', async () => {
      const at = await this.#itemsNow();
      if (this.#missing?.at === at) return this.#missing.found;
      const { modality, filter } = this.summary;
      const onMap = new Set(at.keys);
      const matching = filter && (await this.#catalog.matchingKeys(this.collection, filter));
      const found: { item: number; embedding: number; kind: number }[] = [];
      modalities.forEach((each, kind) => {
        if (modality !== undefined && modality !== each) return;
        const matches = matching && new Set(matching[each]);
        const { items, embeddings } = at.wholes[each];
        items.forEach((item, i) => !onMap.has(item) && (!matches || matches.has(item)) && found.push({ item, embedding: embeddings[i]!, kind }));
      });
      this.#missing = { at, found };
      return found;
    });
  }

  /** By number, whether the item is of the modality and matches. */
  async matching({ modality, filter }: { modality?: Modality | undefined; filter?: Filter | undefined }): Promise<(number: number) => boolean> {
    const kind = modality === undefined ? undefined : modalities.indexOf(modality);
    const isOfKind = (number: number): boolean => kind === undefined || this.points.kinds[number] === kind;
    if (filter === undefined) return isOfKind;
    const { keys } = await this.now();
    const found = await this.#catalog.matchingKeys(this.collection, filter);
    const matches = new Set(modalities.flatMap((each) => [...found[each]]));
    return (number) => isOfKind(number) && matches.has(keys[number]!);
  }

  async #itemsNow(): Promise<Present> {
    const changes = await this.#catalog.changesOf(this.collection);
    if (this.#present?.changes === changes) return this.#present;
    const [wholes, all] = await Promise.all([this.#catalog.wholeEmbeddings(this.collection), this.#catalog.matchingKeys(this.collection)]);
    const embeddingOf = new Map<number, number>();
    for (const modality of modalities) {
      for (const key of all[modality]) embeddingOf.set(key, 0);
      const { items, embeddings } = wholes[modality];
      items.forEach((key, i) => embeddingOf.has(key) && embeddingOf.set(key, embeddings[i]!));
    }
    const keys = await this.#keysAmong(embeddingOf);
    return (this.#present = { changes, keys, embeddings: keys.map((key) => embeddingOf.get(key) ?? 0), wholes });
  }

  /** One that came back under its id has another key. */
  async #keysAmong(there: Map<number, number>): Promise<Uint32Array> {
    const keys = (this.#present?.keys ?? new Uint32Array(this.count)).map((key) => (there.has(key) ? key : 0));
    const unknown = [...keys.keys()].filter((number) => keys[number] === 0 && this.points.ids[number] !== '');
    for (let from = 0; from < unknown.length; from += idsAtOnce) {
      const some = unknown.slice(from, from + idsAtOnce);
      const found = await this.#catalog.keysOfIds(this.collection, some.map((number) => this.points.ids[number]!));
      some.forEach((number, i) => there.has(found[i]!) && (keys[number] = found[i]!));
    }
    return keys;
  }
}

/** The maps that were asked for last. */
export class LiveMaps {
  readonly #kept = new KeptLatest(2);

  /** The latest of a collection. @throws MixspaceError `not_found`: there is none. */
  async of(catalog: Catalog, collection: string): Promise<LiveMap> {
    const { job, summary } = await latestMap(catalog, collection);
    return this.#kept.of(JSON.stringify([collection, job, summary.count]), async () => new LiveMap(catalog, { collection, job, summary, points: await readPoints(catalog, collection, job, summary) }));
  }
}
