import { byModality, modalities, type Modality } from '../../domain/modality.js';
import type { Space } from '../../domain/space.js';
import type { Tiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { Collection, NewCollection } from '../catalog.js';
import { spread, spreadCollection, spreadSpace } from './citus.js';
import type { Session } from './database.js';
import { isTaken } from './problems.js';
import { fromStored, toStored } from './stored-text.js';
import { dropCollectionTables, dropSpaceTables, makeCollectionTables, makeSpaceTables } from './tables.js';

/** A collection's row: `key` is never used again. */
export interface CollectionRow extends Collection {
  key: number;
  /** The key of the space that it is in. */
  space: number;
  seq: number;
}

export interface SpaceRow extends Space {
  key: number;
  /** The collection's sequence number with which it went over to it; null when it has never been in it. */
  since: number | null;
}

/** Of one modality in a space. */
export interface SpaceTally {
  items: number;
  embeddings: number;
  unembedded: number;
}

interface Columns {
  key: number;
  name: string;
  description: string | null;
  model: string;
  fingerprint: string;
  dimension: number;
  originals: 'keep' | 'thumbnail';
  space: number;
  seq: number;
  created_at: string;
  text_fields: string;
  tiles: Tiles;
}

const select = `SELECT collections.key, name, description, model, fingerprint, dimension, originals, space, seq, created_at, text_fields, tiles
  FROM collections JOIN spaces ON spaces.key = collections.space`;

function toRow({ created_at, description, text_fields, ...rest }: Columns): CollectionRow {
  return { ...rest, ...(description === null ? {} : { description: fromStored(description) }), createdAt: created_at, textFields: JSON.parse(text_fields) as string[] };
}

export function identityOf({ key: _key, space: _space, seq: _seq, ...identity }: CollectionRow): Collection {
  return identity;
}

/** Inside the caller's transaction. Errors: `conflict` when the name is taken. */
export async function insertCollection(session: Session, collection: NewCollection): Promise<CollectionRow> {
  const { name, description, originals, textFields = [], tiles = 'none' } = collection;
  try {
    const { key } = (await session.row<{ key: number }>('INSERT INTO collections (name, description, originals, text_fields, tiles, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING key', [
      name,
      description === undefined ? null : toStored(description),
      originals,
      JSON.stringify(textFields),
      tiles,
      new Date().toISOString(),
    ]))!;
    await session.execute(makeCollectionTables(key));
    await spread(session, spreadCollection(key));
    const space = await insertSpace(session, key, collection, 0);
    await session.write('UPDATE collections SET space = $1 WHERE key = $2', [space, key]);
    for (const modality of modalities) await session.write('INSERT INTO tallies VALUES ($1, $2, 0, 0)', [key, modality]);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new MixspaceError('conflict', `There is a collection "${name}" already.`);
  }
  return findCollection(session, name);
}

/** The new space's key, with its tables. `since`: null for one that the collection is not in yet. */
export async function insertSpace(session: Session, collection: number, { model, fingerprint, dimension }: Space, since: number | null): Promise<number> {
  const { key } = (await session.row<{ key: number }>('INSERT INTO spaces (collection, model, fingerprint, dimension, since) VALUES ($1, $2, $3, $4, $5) RETURNING key', [collection, model, fingerprint, dimension, since]))!;
  await session.execute(makeSpaceTables(key, dimension));
  await spread(session, spreadSpace(collection, key));
  for (const modality of modalities) await session.write('INSERT INTO space_tallies VALUES ($1, $2, 0, 0, 0)', [key, modality]);
  return key;
}

/** All of which there are embeddings, in the order in which they were made. */
export function spacesOf(session: Session, collection: number): Promise<SpaceRow[]> {
  return session.rows<SpaceRow>('SELECT key, model, fingerprint, dimension, since FROM spaces WHERE collection = $1 ORDER BY key', [collection]);
}

/** By name. */
export async function allCollections(session: Session): Promise<CollectionRow[]> {
  return (await session.rows<Columns>(`${select} ORDER BY name`)).map(toRow);
}

/** `fingerprint`: of the space that it must be in. Errors: `not_found`, `conflict`. */
export async function findCollection(session: Session, name: string, fingerprint?: string): Promise<CollectionRow> {
  return checked(name, fingerprint, await session.row<Columns>(`${select} WHERE name = $1`, [name]));
}

/** The same for who writes: others who do wait until this transaction ends, and what follows the collection sees that it has changed. */
export async function takeCollection(session: Session, name: string, fingerprint?: string): Promise<CollectionRow> {
  // An update, not a lock alone: who waited for it reads the row as the other one left it.
  await session.write('UPDATE collections SET seq = seq + 1 WHERE name = $1', [name]);
  return findCollection(session, name, fingerprint);
}

/** The same for who writes nothing that what follows the collection goes by: it has not changed. */
export async function holdCollection(session: Session, name: string): Promise<CollectionRow> {
  await session.row('SELECT key FROM collections WHERE name = $1 FOR UPDATE', [name]);
  return findCollection(session, name);
}

/** Points the collection to another of its spaces. Inside the caller's transaction, which holds it. */
export async function goOver(session: Session, { key }: CollectionRow, space: number): Promise<void> {
  await session.write('UPDATE collections SET seq = seq + 1, space = $2 WHERE key = $1', [key, space]);
  await session.write('UPDATE spaces SET swept = false WHERE collection = $1', [key]);
  await session.write('UPDATE spaces SET since = (SELECT seq FROM collections WHERE collections.key = spaces.collection) WHERE key = $1', [space]);
}

function checked(name: string, fingerprint: string | undefined, columns: Columns | undefined): CollectionRow {
  if (!columns) throw new MixspaceError('not_found', `There is no collection "${name}".`);
  if (fingerprint === undefined || fingerprint === columns.fingerprint) return toRow(columns);
  throw new MixspaceError('conflict', `Collection "${name}" is in space ${columns.fingerprint} of model "${columns.model}", and the embedding in ${fingerprint}: they cannot be compared.`);
}

/** With all that is in it. Inside the caller's transaction, which has taken the collection. */
export async function dropCollection(session: Session, { key }: CollectionRow): Promise<void> {
  for (const space of await spacesOf(session, key)) await session.execute(dropSpaceTables(space.key));
  await session.execute(dropCollectionTables(key));
  await session.write('DELETE FROM collections WHERE key = $1', [key]);
}

export async function dropSpace(session: Session, space: number): Promise<void> {
  await session.execute(dropSpaceTables(space));
  await session.write('DELETE FROM spaces WHERE key = $1', [space]);
}

/** Of its items, without their embeddings. */
export async function talliesOf(session: Session, collection: number): Promise<Record<Modality, { items: number; bytes: number }>> {
  const rows = await session.rows<{ modality: Modality; items: number; bytes: number }>('SELECT modality, items, bytes FROM tallies WHERE collection = $1', [collection]);
  return byModality((modality) => rows.find((row) => row.modality === modality) ?? { items: 0, bytes: 0 });
}

export async function spaceTalliesOf(session: Session, space: number): Promise<Record<Modality, SpaceTally>> {
  const rows = await session.rows<SpaceTally & { modality: Modality }>('SELECT modality, items, embeddings, unembedded FROM space_tallies WHERE space = $1', [space]);
  return byModality((modality) => rows.find((row) => row.modality === modality) ?? { items: 0, embeddings: 0, unembedded: 0 });
}
