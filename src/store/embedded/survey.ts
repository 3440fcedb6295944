import { byModality, modalities, type Modality } from '../../domain/modality.js';
import { itemPrefix, type Filter, type Scalar } from '../../domain/filter.js';
import { valueAt } from '../../domain/metadata.js';
import type { SurveyCatalog } from '../survey-catalog.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemTable } from './item-table.js';
import type { OpenCollection } from './open-collections.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

type Answer<M extends keyof SurveyCatalog> = Awaited<ReturnType<SurveyCatalog[M]>>;

const pageRows = 512;
/** One more than is told whole. */
const mostCharacters = 257;
const none: { items: Uint32Array; embeddings: Uint32Array } = { items: new Uint32Array(0), embeddings: new Uint32Array(0) };

/** All of a collection by keys, from the columns in memory and the tables' indexes; others get their turn in between. */
export class Survey {
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;

  constructor({ items, embeddings }: { items: ItemTable; embeddings: EmbeddingTable }) {
    this.#items = items;
    this.#embeddings = embeddings;
  }

  async matchingKeys({ columns }: OpenCollection, filter?: Filter): Promise<Answer<'matchingKeys'>> {
    const found = byModality(() => new Uint32Array(0));
    for (const modality of modalities) found[modality] = (await columns[modality].matching(filter, { damaged: filter === undefined })).slice();
    return found;
  }

  async wholeEmbeddings({ row }: OpenCollection): Promise<Answer<'wholeEmbeddings'>> {
    const found = byModality(() => none);
    for (const modality of modalities) found[modality] = await this.#wholes(row.space, modality);
    return { fingerprint: row.fingerprint, ...found };
  }

  /** The first part of each has the least key: tiles come behind it. */
  async #wholes(space: number, modality: Modality): Promise<{ items: Uint32Array; embeddings: Uint32Array }> {
    const wholes = new Map<number, number>();
    const slices = new Slices();
    for (let from = 0; ; ) {
      const rows = this.#embeddings.ownersAfter(space, modality, from, pageRows);
      for (const [key, item] of rows) if (!wholes.has(item)) wholes.set(item, key);
      if (rows.length < pageRows) break;
      from = rows.at(-1)![0];
      await slices.next();
    }
    const items = Uint32Array.from(wholes.keys()).sort();
    return { items, embeddings: items.map((item) => wholes.get(item)!) };
  }

  async readEmbeddings({ row }: OpenCollection, keys: Uint32Array): Promise<Answer<'readEmbeddings'>> {
    const values = new Float32Array(keys.length * row.dimension);
    const found = new Uint8Array(keys.length);
    const slices = new Slices();
    for (const [i, key] of keys.entries()) {
      const embedding = this.#embeddings.byKey(key, row.space)?.embedding;
      if (embedding?.length === row.dimension) {
        values.set(embedding, i * row.dimension);
        found[i] = 1;
      }
      await slices.next();
    }
    return { values, found };
  }

  async keysOfIds({ row }: OpenCollection, ids: string[]): Promise<Uint32Array> {
    const keys = new Uint32Array(ids.length);
    const slices = new Slices();
    for (const [i, id] of ids.entries()) {
      keys[i] = this.#items.keyOf(row.key, id) ?? 0;
      await slices.next();
    }
    return keys;
  }

  async idsOfKeys({ row }: OpenCollection, keys: Uint32Array): Promise<string[]> {
    const ids: string[] = [];
    const slices = new Slices();
    for (const key of keys) {
      ids.push(this.#items.collectionOf(key) === row.key ? this.#items.idOf(key) : '');
      await slices.next();
    }
    return ids;
  }

  async valuesOfKeys({ columns }: OpenCollection, field: string, keys: Uint32Array): Promise<(Scalar | undefined)[]> {
    const values = new Array<Scalar | undefined>(keys.length).fill(undefined);
    const slices = new Slices();
    const path = field.split('.');
    const placeOf = new Map<number, number>();
    keys.forEach((key, place) => placeOf.set(key, place));
    for (const modality of modalities) {
      await columns[modality].follow(field.startsWith(itemPrefix));
      const there = await columns[modality].matching(undefined);
      const notHeld = columns[modality].tell(field, there.filter((key) => placeOf.has(key)), (key, value) => (values[placeOf.get(key)!] = scalarIn(value)));
      for (const key of notHeld) {
        const fields = this.#items.fields(key);
        values[placeOf.get(key)!] = fields && scalarIn(valueAt(fields, path));
        await slices.next();
      }
    }
    return values;
  }
}

function scalarIn(value: unknown): Scalar | undefined {
  const first: unknown = Array.isArray(value) ? value.find(isScalar) : value;
  if (typeof first === 'string') return first.slice(0, mostCharacters);
  return isScalar(first) ? first : undefined;
}

const isScalar = (value: unknown): value is Scalar => value === null || ['string', 'number', 'boolean'].includes(typeof value);

class Slices {
  #began = now();

  async next(): Promise<void> {
    if (now() - this.#began <= sliceMs) return;
    await nextTurn();
    this.#began = now();
  }
}
