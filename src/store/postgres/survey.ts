import type { Scalar } from '../../domain/filter.js';
import { byModality, modalities, type Modality } from '../../domain/modality.js';
import type { SurveyCatalog } from '../survey-catalog.js';
import { findCollection, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { fieldAt } from './fields.js';
import { compileFilter } from './filter.js';
import type { Parts } from './parts.js';
import { isGone } from './problems.js';
import { fromStored } from './stored-text.js';
import { embeddingsOf, itemsOf } from './tables.js';
import { fromVector } from './vectors.js';

/** Keys and ids that one statement asks for. */
const askedAtOnce = 10_000;
/** Numbers of embeddings that one statement reads. */
const numbersAtOnce = 1_000_000;
/** Keys of one number here come together: as bytes, not as rows. */
const groupBits = 16;
/** One more than is told whole. */
const mostCharacters = 257;
/** U+0000 is written as two characters. */
const mostStored = 2 * mostCharacters;
const bytesOfKey = 4;

export function surveyOf({ database }: Parts): SurveyCatalog {
  const read = <T>(name: string, work: (session: Session, collection: CollectionRow) => Promise<T>, fingerprint?: string): Promise<T> =>
    database.read(async (session) => work(session, await findCollection(session, name, fingerprint)), isGone);
  return {
    changesOf: (name) => read(name, (_, { seq }) => Promise.resolve(seq)),
    matchingKeys: (name, filter) =>
      read(name, async (session, { key }) => {
        const values: unknown[] = [];
        const condition = compileFilter(filter ?? {}, values);
        const groups = await session.rows<{ modality: Modality; keys: Buffer }>(`SELECT modality, ${together('key')} AS keys FROM ${itemsOf(key)} WHERE ${condition} GROUP BY modality, key >> ${groupBits}`, values);
        return byModality((modality) => toKeys(groups.flatMap((group) => (group.modality === modality ? [group.keys] : []))).sort());
      }),
    wholeEmbeddings: (name) =>
      read(name, async (session, { space, fingerprint }) => {
        const found = byModality(() => ({ items: new Uint32Array(0), embeddings: new Uint32Array(0) }));
        for (const modality of modalities) found[modality] = await wholesOf(session, space, modality);
        return { fingerprint, ...found };
      }),
    readEmbeddings: (name, fingerprint, keys) => read(name, (session, collection) => embeddingsByKeys(session, collection, keys), fingerprint),
    keysOfIds: (name, ids) =>
      read(name, async (session, { key }) => {
        const groups: Buffer[] = [];
        for (const { some } of slices(ids, askedAtOnce)) {
          const asked = `unnest($1::text[]) WITH ORDINALITY AS asked (id, place) LEFT JOIN (SELECT id, key FROM ${itemsOf(key)} WHERE id = ANY($1::text[]) OFFSET 0) AS items USING (id)`;
          groups.push((await session.row<{ keys: Buffer }>(`SELECT ${together('coalesce(key, 0)', 'place')} AS keys FROM ${asked}`, [some]))!.keys);
        }
        return toKeys(groups);
      }),
    idsOfKeys: (name, keys) =>
      read(name, async (session, { key }) => {
        const ids: string[] = [];
        for (const { some } of slices(Array.from(keys), askedAtOnce)) {
          const found = await session.row<{ ids: string[] }>(`SELECT json_agg(coalesce(id, '') ORDER BY place) AS ids FROM ${askedFor(key, 'id')}`, [some]);
          for (const id of found!.ids) ids.push(id);
        }
        return ids;
      }),
    valuesOfKeys: (name, field, keys) =>
      read(name, async (session, collection) => {
        const found: (Scalar | undefined)[] = [];
        for (const { some } of slices(Array.from(keys), askedAtOnce)) for (const value of await scalarsOf(session, collection, field, some)) found.push(value);
        return found;
      }),
  };
}

async function wholesOf(session: Session, space: number, modality: Modality): Promise<{ items: Uint32Array<ArrayBuffer>; embeddings: Uint32Array<ArrayBuffer> }> {
  const groups = await session.rows<{ items: Buffer; embeddings: Buffer }>(
    `SELECT ${together('item', 'item')} AS items, ${together('key', 'item')} AS embeddings FROM ${embeddingsOf(space, modality)} WHERE part = 0 GROUP BY item >> ${groupBits} ORDER BY item >> ${groupBits}`,
  );
  return { items: toKeys(groups.map(({ items }) => items)), embeddings: toKeys(groups.map(({ embeddings }) => embeddings)) };
}

async function embeddingsByKeys(session: Session, { space, dimension }: CollectionRow, keys: Uint32Array): Promise<{ values: Float32Array; found: Uint8Array }> {
  const values = new Float32Array(keys.length * dimension);
  const found = new Uint8Array(keys.length);
  for (const { some, from } of slices(Array.from(keys), Math.max(1, Math.floor(numbersAtOnce / dimension)))) {
    const vectors = new Map<number, Buffer>();
    for (const modality of modalities) {
      const rows = await session.rows<{ key: number; vector: Buffer }>(`SELECT key, vector_send(vector) AS vector FROM ${embeddingsOf(space, modality)} WHERE key = ANY($1::bigint[])`, [some]);
      for (const { key, vector } of rows) vectors.set(key, vector);
    }
    for (const [i, key] of some.entries()) {
      const vector = vectors.get(key);
      if (!vector) continue;
      values.set(fromVector(vector), (from + i) * dimension);
      found[from + i] = 1;
    }
  }
  return { values, found };
}

/** Of each item its value; undefined where it has none, an object, or has gone. */
async function scalarsOf(session: Session, { key }: CollectionRow, field: string, keys: number[]): Promise<(Scalar | undefined)[]> {
  const values: unknown[] = [keys];
  const found = `SELECT place, value FROM ${askedFor(key, `${fieldAt(field, values)} AS value`)} OFFSET 0`;
  const scalar = `CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_path_query_first(value, 'strict $[*] ? (@.type() != "array" && @.type() != "object")') WHEN 'object' THEN NULL ELSE value END`;
  const short = `CASE WHEN jsonb_typeof(value) = 'string' AND pg_column_size(value) > ${mostStored} THEN to_jsonb(left(value #>> '{}', ${mostStored})) ELSE value END`;
  // `{}` stands where there is none.
  const { scalars } = (await session.row<{ scalars: (Scalar | object)[] }>(`SELECT json_agg(coalesce(${short}, '{}') ORDER BY place) AS scalars FROM (SELECT place, ${scalar} AS value FROM (${found}) AS found OFFSET 0) AS found`, values))!;
  return scalars.map((value) => {
    if (typeof value === 'string') return fromStored(value).slice(0, mostCharacters);
    return typeof value === 'object' && value !== null ? undefined : value;
  });
}

/** What is selected of the items of keys that are asked for, each at its place; NULL where it has gone. */
const askedFor = (collection: number, selected: string): string =>
  `unnest($1::bigint[]) WITH ORDINALITY AS asked (key, place) LEFT JOIN (SELECT key, ${selected} FROM ${itemsOf(collection)} WHERE key = ANY($1::bigint[]) OFFSET 0) AS items USING (key)`;

/** Keys of a group, four bytes each. */
const together = (key: string, by?: string): string => `string_agg(substr(int8send(${key}), 5), ''${by ? ` ORDER BY ${by}` : ''})`;

function toKeys(groups: Buffer[]): Uint32Array<ArrayBuffer> {
  const keys = new Uint32Array(groups.reduce((sum, { length }) => sum + length, 0) / bytesOfKey);
  let place = 0;
  for (const group of groups) for (let at = 0; at < group.length; at += bytesOfKey) keys[place++] = group.readUInt32BE(at);
  return keys;
}

function* slices<T>(all: T[], length: number): Generator<{ some: T[]; from: number }> {
  for (let from = 0; from < all.length; from += length) yield { some: all.slice(from, from + length), from };
}
