import type { Filter } from '../../domain/filter.js';
import { modalities, type Modality } from '../../domain/modality.js';
import type { Catalog } from '../../store/catalog.js';
import { KeptLatest } from '../kept-latest.js';
import { Turns } from '../turns.js';
import { latestMap, readPoints, type MapSummary, type Points } from './kept.js';

const idsAtOnce = 5_000;

/** The items of a collection by key, each with the key of its embedding, 0 where it has none. */
interface Present {
  changes: number;
  fingerprint: string;
  embeddingOf: Map<number, number>;
}

/** A map beside the items that are there now. */
export class LiveMap {
  readonly collection: string;
  readonly job: string;
  readonly summary: MapSummary;
  readonly points: Points;
  readonly #catalog: Catalog;
  readonly #turns = new Turns();
  /** Of the items, by number; 0 of those that have gone. */
  #keys: Uint32Array | undefined;
  #present: Present | undefined;
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

  /** Keys of the items by number, 0 of those that have gone, and of their embeddings. As things are now. */
  now(): Promise<{ keys: Uint32Array; embeddings: Uint32Array; fingerprint: string; present: Present }> {
    return this.#turns.take('now', async () => {
      const present = await this.#itemsNow();
      const { embeddingOf, fingerprint } = present;
      const keys = await this.#keysNow(present);
      return { keys, embeddings: keys.map((key) => embeddingOf.get(key) ?? 0), fingerprint, present };
    });
  }

  /** x0, y0, ... by number; NaN of those that have gone. */
  async placesNow(): Promise<Float32Array> {
    const { keys } = await this.now();
    const places = this.points.at.slice();
    keys.forEach((key, number) => key === 0 && places.fill(NaN, 2 * number, 2 * number + 2));
    return places;
  }

  /** Keys of the items that belong on the map and are not there. */
  async missingNow(): Promise<Record<Modality, Uint32Array>> {
    const { keys } = await this.now();
    const onMap = new Set(keys);
    const { modality, filter } = this.summary;
    const wholes = await this.#catalog.wholeEmbeddings(this.collection);
    const matching = filter && (await this.#catalog.matchingKeys(this.collection, filter));
    const missing = modalities.map((each) => {
      const matches = matching && new Set(matching[each]);
      return [each, modality === undefined || modality === each ? wholes[each].items.filter((key) => !onMap.has(key) && (!matches || matches.has(key))) : new Uint32Array(0)] as const;
    });
    return Object.fromEntries(missing) as Record<Modality, Uint32Array>;
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
    return (this.#present = { changes, fingerprint: wholes.fingerprint, embeddingOf });
  }

  /** One that came back under its id has another key. */
  async #keysNow({ embeddingOf }: Present): Promise<Uint32Array> {
    const before = this.#keys ?? new Uint32Array(this.count);
    const keys = before.map((key) => (embeddingOf.has(key) ? key : 0));
    const unknown = [...keys.keys()].filter((number) => keys[number] === 0 && this.points.ids[number] !== '');
    for (let from = 0; from < unknown.length; from += idsAtOnce) {
      const some = unknown.slice(from, from + idsAtOnce);
      const found = await this.#catalog.keysOfIds(this.collection, some.map((number) => this.points.ids[number]!));
      some.forEach((number, i) => embeddingOf.has(found[i]!) && (keys[number] = found[i]!));
    }
    return (this.#keys = keys);
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
