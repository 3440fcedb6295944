/** Rows of items as they are written and removed, many at a time, with all that belongs to them. What is counted follows in the `Tallies`. */
import { modalities, type Modality } from '../../domain/modality.js';
import type { StoredItem } from '../stored-item.js';
import { spacesOf, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { fieldsColumnOf, readColumnsOf, wordsFrom } from './derived-columns.js';
import { insertParts, removeParts } from './embeddings.js';
import { newKeys } from './items.js';
import { toStored } from './stored-text.js';
import { itemsOf, picturesOf } from './tables.js';
import type { Tallies } from './tallies.js';
import type { HeldItem, WorkingSet } from './working-set.js';

/** Of one statement: what a message may hold is 1 GB, and the server keeps it several times. */
const mostRows = 1_000;
const mostBytes = 16e6;

/** What `bytesOf` reckons, of a row of items. */
const bytesColumn = 'coalesce(octet_length(text), 0) + octet_length(metadata) + coalesce(thumbnail_bytes, 0) + coalesce(original_bytes, 0)';

type Column = readonly [name: string, type: 'bigint' | 'integer' | 'text', value: (row: WrittenRow) => unknown];
type WrittenRow = StoredItem & { fields: string; content: string; words: string };

/** Those that change while a row lives; the first names it. */
const changing: readonly Column[] = [
  ['key', 'bigint', ({ key }) => key],
  ['metadata', 'text', ({ metadata }) => metadata],
  ['sources', 'text', ({ sources }) => sources],
  ['path', 'text', ({ path }) => path],
  ['original_bytes', 'bigint', ({ original_bytes }) => original_bytes],
  ['thumbnail_bytes', 'bigint', ({ thumbnail_bytes }) => thumbnail_bytes],
  ['updated_at', 'text', ({ updated_at }) => updated_at],
  ['fields', 'text', ({ fields }) => fields],
  ['content', 'text', ({ content }) => content],
  ['words', 'text', ({ words }) => words],
];
const all: readonly Column[] = [
  ...changing,
  ['id', 'text', ({ id }) => id],
  ['modality', 'text', ({ modality }) => modality],
  ['content_hash', 'text', ({ content_hash }) => content_hash],
  ['text', 'text', ({ text }) => (text === null ? null : toStored(text))],
  ['width', 'integer', ({ width }) => width],
  ['height', 'integer', ({ height }) => height],
  ['taken_at', 'text', ({ taken_at }) => taken_at],
  ['media_type', 'text', ({ media_type }) => media_type],
  ['created_at', 'text', ({ created_at }) => created_at],
  ['exif', 'text', ({ exif }) => exif],
];

/** Brings the tables to what the set says, inside the caller's transaction. */
export async function writeWorkingSet(session: Session, collection: CollectionRow, set: WorkingSet, tallies: Tallies): Promise<void> {
  await removeItems(session, collection, { condition: 'key = ANY($1::bigint[])', values: [set.removed.map(({ key }) => key)], most: set.removed.length }, tallies);
  const held = set.held();
  const added = held.filter(({ stored }) => stored === undefined);
  const keys = await newKeys(session, 'item', added.length);
  for (const [i, item] of added.entries()) item.row = { ...item.row, key: keys[i]! };
  const changed = held.filter(({ row, stored }) => stored !== undefined && row !== stored);
  for (const some of batches(added, ({ row }) => textBytes(row))) await insertRows(session, collection, some);
  for (const some of batches(changed, ({ row }) => textBytes(row))) await updateRows(session, collection, some);
  for (const { row } of added) tallies.addItems(collection.key, row.modality, { items: 1, bytes: bytesOf(row) });
  for (const { row, stored } of changed) tallies.addItems(collection.key, row.modality, { items: 0, bytes: bytesOf(row) - bytesOf(stored!) });
  await writePictures(session, collection, held.filter(({ thumbnail, original }) => thumbnail ?? original));
  await writeParts(session, collection, held.filter(({ parts }) => parts !== undefined), tallies);
  await setApart(session, collection, added.filter(({ row }) => row.unembedded !== null), tallies);
}

/** Those that match, with all that belongs to them; how many. `condition`: of `items_N AS items`; `most`: 0 where it is known that there are none. */
export async function removeItems(session: Session, collection: CollectionRow, { condition, values, most = Infinity }: { condition: string; values: unknown[]; most?: number }, tallies: Tallies): Promise<number> {
  if (most === 0) return 0;
  const gone = await session.rows<{ key: number; modality: Modality; bytes: number }>(`DELETE FROM ${itemsOf(collection.key)} AS items WHERE ${condition} RETURNING key, modality, ${bytesColumn} AS bytes`, values);
  if (gone.length === 0) return 0;
  for (const { modality, bytes } of gone) tallies.addItems(collection.key, modality, { items: -1, bytes: -bytes });
  const keys = gone.map(({ key }) => key);
  await session.write(`DELETE FROM ${picturesOf(collection.key)} WHERE item = ANY($1::bigint[])`, [keys]);
  const spaces = (await spacesOf(session, collection.key)).map(({ key }) => key);
  for (const modality of modalities) {
    const ofModality = gone.filter((item) => item.modality === modality).map(({ key }) => key);
    for (const space of spaces) {
      const { items, embeddings } = await removeParts(session, { space, modality }, ofModality);
      tallies.addEmbeddings(space, modality, { items: -items, embeddings: -embeddings });
    }
  }
  const apart = await session.rows<{ space: number; modality: Modality }>('DELETE FROM unembedded WHERE space = ANY($1::integer[]) AND item = ANY($2::bigint[]) RETURNING space, modality', [spaces, keys]);
  for (const { space, modality } of apart) tallies.addEmbeddings(space, modality, { unembedded: -1 });
  return gone.length;
}

async function insertRows(session: Session, collection: CollectionRow, items: HeldItem[]): Promise<void> {
  const names = all.map(([name]) => name);
  await session.write(`INSERT INTO ${itemsOf(collection.key)} (${names.join(', ')}) SELECT ${names.map(storedAs).join(', ')} FROM ${parametersOf(all)}`, valuesOf(all, collection, items));
}

async function updateRows(session: Session, collection: CollectionRow, items: HeldItem[]): Promise<void> {
  const [key, ...others] = changing.map(([name]) => name);
  await session.write(
    `UPDATE ${itemsOf(collection.key)} AS items SET unread = false, ${others.map((name) => `${name} = ${storedAs(name)}`).join(', ')} FROM ${parametersOf(changing)} WHERE items.${key} = given.${key}`,
    valuesOf(changing, collection, items),
  );
}

const storedAs = (name: string): string => (name === 'fields' ? 'given.fields::jsonb' : name === 'words' ? wordsFrom('given.words') : `given.${name}`);
const parametersOf = (columns: readonly Column[]): string => `unnest(${columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')}) AS given (${columns.map(([name]) => name).join(', ')})`;

function valuesOf(columns: readonly Column[], { textFields }: CollectionRow, items: HeldItem[]): unknown[] {
  const fields = JSON.stringify(textFields);
  const rows = items.map(({ row }) => ({ ...row, fields: fieldsColumnOf(row), ...readColumnsOf(row, fields) }));
  return columns.map(([, , value]) => rows.map(value));
}

/** What is there already stays. */
async function writePictures(session: Session, { key: collection }: CollectionRow, items: HeldItem[]): Promise<void> {
  const pictures = picturesOf(collection);
  for (const some of batches(items, ({ thumbnail, original }) => (thumbnail?.byteLength ?? 0) + (original?.byteLength ?? 0))) {
    const places = some.map((_, i) => `($${3 * i + 1}::bigint, $${3 * i + 2}::bytea, $${3 * i + 3}::bytea)`);
    await session.write(
      `INSERT INTO ${pictures} AS there (item, thumbnail, original) VALUES ${places.join(', ')}
         ON CONFLICT (item) DO UPDATE SET thumbnail = coalesce(there.thumbnail, excluded.thumbnail), original = coalesce(there.original, excluded.original)`,
      some.flatMap(({ row, thumbnail, original }) => [row.key, bufferOf(thumbnail), bufferOf(original)]),
    );
  }
}

async function writeParts(session: Session, { space }: CollectionRow, items: HeldItem[], tallies: Tallies): Promise<void> {
  for (const modality of modalities) {
    const of = items.filter(({ row }) => row.modality === modality);
    const replaced = of.filter(({ stored }) => stored !== undefined).map(({ row }) => row.key);
    // Only tiles are replaced: another whole is another content, and that a new item.
    const { embeddings: gone } = await removeParts(session, { space, modality }, replaced, 1);
    const added = of.flatMap(({ row, parts }) => parts!.parts.map((each, i) => ({ ...each, item: row.key, part: parts!.from + i })));
    if (added.length > 0) await insertParts(session, { space, modality }, added);
    tallies.addEmbeddings(space, modality, { items: added.filter(({ part }) => part === 0).length, embeddings: added.length - gone });
  }
}

async function setApart(session: Session, { space }: CollectionRow, items: HeldItem[], tallies: Tallies): Promise<void> {
  if (items.length === 0) return;
  await session.write('INSERT INTO unembedded (space, item, modality, reason) SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[])', [
    space,
    items.map(({ row }) => row.key),
    items.map(({ row }) => row.modality),
    items.map(({ row }) => row.unembedded),
  ]);
  for (const { row } of items) tallies.addEmbeddings(space, row.modality, { unembedded: 1 });
}

/** Of what is kept of an item besides its embeddings. */
function bytesOf({ text, metadata, thumbnail_bytes, original_bytes }: StoredItem): number {
  return (text === null ? 0 : Buffer.byteLength(toStored(text))) + Buffer.byteLength(metadata) + (thumbnail_bytes ?? 0) + (original_bytes ?? 0);
}

/** Roughly what a row is as parameters: its words are in it several times. */
const textBytes = ({ text, metadata, sources }: StoredItem): number => 4 * ((text?.length ?? 0) + metadata.length + sources.length) + 500;

function* batches<T>(rows: T[], bytesOf: (row: T) => number): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const row of rows) {
    const more = bytesOf(row);
    if (batch.length === mostRows || (batch.length > 0 && bytes + more > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

const bufferOf = (bytes: Uint8Array | undefined): Buffer | null => (bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null);
