/** What a database holds of a store, compared with itself; nothing is changed. */
import { fileURLToPath } from 'node:url';
import { modalities } from '../../domain/modality.js';
import { readMigrations } from '../migrations.js';
import { hasCitus } from './citus.js';
import { allCollections, spaceTalliesOf, spacesOf, talliesOf, type CollectionRow, type SpaceRow } from './collections.js';
import { Database, type Session } from './database.js';
import { embeddingsOf, graphOf, itemsOf, picturesOf } from './tables.js';

export interface DatabaseCheck {
  /** PostgreSQL's version, and pgvector's. */
  server: string;
  vector: string | undefined;
  collections: { name: string; items: number }[];
  /** Whatever is not as it should be, a sentence each. */
  problems: string[];
  /** What one should know, a sentence each. */
  notes: string[];
}

const packageMigrations = fileURLToPath(new URL('../../../migrations/postgres', import.meta.url));

export interface DatabaseLook {
  server: string;
  vector: string | undefined;
  /** Migrations that its schema has seen, and those that this mixspace knows; 0: there is no schema yet. */
  version: number;
  known: number;
}

/** Whether a service could open it; nothing is changed. Errors: `not_ready`: it cannot be reached. */
export async function lookAtDatabase(url: string): Promise<DatabaseLook> {
  const database = new Database({ url, most: 1, connectWithinMs: 5_000, onProblem: () => undefined });
  try {
    return await database.read((session) => look(session, database.schema));
  } finally {
    await database.close();
  }
}

async function look(session: Session, schema: string): Promise<DatabaseLook> {
  const { server, vector, is } = (await session.row<{ server: string; vector: string | null; is: boolean }>(
    "SELECT current_setting('server_version') AS server, (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS vector, to_regclass($1) IS NOT NULL AS is",
    [`"${schema}".store`],
  ))!;
  const version = is ? (await session.row<{ version: number }>('SELECT version FROM store'))!.version : 0;
  return { server, vector: vector ?? undefined, version, known: readMigrations(packageMigrations).length };
}

/** `onProgress`: collections. Errors: as `openPostgresStore`. */
export async function checkDatabase(url: string, onProgress: (done: number, total: number) => void = () => undefined): Promise<DatabaseCheck> {
  const database = new Database({ url, most: 1, connectWithinMs: 10_000, onProblem: () => undefined });
  try {
    return await database.read((session) => check(session, database.schema, onProgress));
  } finally {
    await database.close();
  }
}

async function check(session: Session, schema: string, onProgress: (done: number, total: number) => void): Promise<DatabaseCheck> {
  const { server, vector, version, known } = await look(session, schema);
  const checked: DatabaseCheck = { server, vector, collections: [], problems: [], notes: [] };
  if (version === 0) {
    checked.problems.push(`There is no store in the schema "${schema}"; the first start of a service makes it.`);
    return checked;
  }
  if (version !== known) {
    checked.problems.push(version > known ? `The store is of a newer mixspace: it has ${version} migrations, this one knows ${known}.` : `The store is of an older mixspace (${version} of ${known} migrations); the next start of a service brings it up to date.`);
    return checked;
  }
  const citus = await hasCitus(session);
  if (!citus) checked.notes.push('The database is one server: Citus is not there.');
  const collections = await allCollections(session);
  for (const [i, collection] of collections.entries()) {
    await checkCollection(session, { schema, collection, citus }, checked);
    onProgress(i + 1, collections.length);
  }
  return checked;
}

async function checkCollection(session: Session, { schema, collection, citus }: { schema: string; collection: CollectionRow; citus: boolean }, checked: DatabaseCheck): Promise<void> {
  const { key, name } = collection;
  const spaces = await spacesOf(session, key);
  const tables = [itemsOf(key), picturesOf(key), ...spaces.flatMap((space) => modalities.map((modality) => embeddingsOf(space.key, modality)))];
  for (const table of tables) {
    const there = await session.row<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [`"${schema}".${table}`]);
    if (there?.is) continue;
    checked.problems.push(`${name}: the table ${table} is gone.`);
    return;
  }
  let items = 0;
  const tallies = await talliesOf(session, key);
  for (const modality of modalities) {
    const count = await countOf(session, `SELECT count(*) FROM ${itemsOf(key)} WHERE modality = '${modality}'`);
    if (count !== tallies[modality].items) checked.problems.push(`${name}: ${count} items of the kind ${modality} are there, and ${tallies[modality].items} are told.`);
    items += count;
  }
  checked.collections.push({ name, items });
  for (const space of spaces) await checkSpace(session, { collection, space }, checked);
  const lost = await countOf(session, `SELECT count(*) FROM ${itemsOf(key)} AS items WHERE (original_bytes IS NOT NULL OR thumbnail_bytes IS NOT NULL) AND NOT EXISTS (SELECT FROM ${picturesOf(key)} WHERE item = items.key)`);
  if (lost > 0) checked.problems.push(`${name}: the pictures of ${lost} items are gone.`);
  if (citus) await checkSpread(session, { name, tables }, checked);
}

async function checkSpace(session: Session, { collection, space }: { collection: CollectionRow; space: SpaceRow }, checked: DatabaseCheck): Promise<void> {
  const { name, key } = collection;
  const tallies = await spaceTalliesOf(session, space.key);
  for (const modality of modalities) {
    const table = embeddingsOf(space.key, modality);
    const embeddings = await countOf(session, `SELECT count(*) FROM ${table}`);
    const tally = tallies[modality];
    if (embeddings !== tally.embeddings) checked.problems.push(`${name}: ${embeddings} embeddings of the kind ${modality} are there, and ${tally.embeddings} are told.`);
    const orphans = await countOf(session, `SELECT count(*) FROM ${table} AS own WHERE NOT EXISTS (SELECT FROM ${itemsOf(key)} AS items WHERE items.key = own.item AND items.modality = '${modality}')`);
    if (orphans > 0) checked.problems.push(`${name}: ${orphans} embeddings of the kind ${modality} are of no item.`);
    if (space.key !== collection.space) continue;
    const undecided = await countOf(
      session,
      `SELECT count(*) FROM ${itemsOf(key)} AS items WHERE modality = '${modality}' AND NOT EXISTS (SELECT FROM ${table} WHERE item = items.key AND part = 0)
         AND NOT EXISTS (SELECT FROM unembedded WHERE unembedded.space = ${space.key} AND unembedded.item = items.key)`,
    );
    if (undecided > 0) checked.problems.push(`${name}: ${undecided} items of the kind ${modality} have no embedding, and nothing says why.`);
    const index = await session.row<{ valid: boolean }>('SELECT indisvalid AS valid FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE relnamespace = current_schema()::regnamespace AND relname = $1', [graphOf(space.key, modality)]);
    if (index && !index.valid) checked.notes.push(`${name}: the index of the kind ${modality} is being built, or was not built to its end; searches compare with everything.`);
  }
}

async function checkSpread(session: Session, { name, tables }: { name: string; tables: string[] }, checked: DatabaseCheck): Promise<void> {
  const rows = await session.rows<{ name: string; group: number }>('SELECT logicalrelid::regclass::text AS name, colocationid AS "group" FROM pg_dist_partition');
  const groups = new Map(rows.map((row) => [row.name.replace(/^.*\./, ''), row.group]));
  const group = groups.get(tables[0]!);
  for (const table of tables) {
    if (!groups.has(table)) checked.notes.push(`${name}: the table ${table} lies on the coordinator alone: searches in it are not spread.`);
    else if (groups.get(table) !== group) checked.problems.push(`${name}: the table ${table} does not lie beside the items: its searches cross the nodes.`);
  }
}

async function countOf(session: Session, sql: string): Promise<number> {
  return (await session.row<{ count: number }>(sql))!.count;
}
