/** What is looked at before anything in the directory is touched. Whatever is refused here is left as it is. */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MixspaceError } from '../../errors.js';
import { isMissing } from '../../files.js';
import { oldCollections } from './carry-over.js';
import { collectionChecksum } from './checksums.js';
import { CollectionTable } from './collection-table.js';
import { heldBy } from './commits.js';
import { databaseName, databaseProblem, Sqlite, wayOut, type Database } from './database.js';
import { Mark, markName, type Held } from './mark.js';
import type { Migrations } from '../migrations.js';
import { carryingVersion, migrate } from './migrations.js';

/** Set by the migration that made the mark. */
const applicationId = 1835628656;
const firstWithApplicationId = 3;

export interface Inspected {
  /**
   * The database is known to be whole and to hold all that it ever held. False when nothing says so: it is new, older than
   * the mark, too large to be read as a whole, or the mark was removed.
   */
  isTrusted: boolean;
  /** What SQLite says of full text's tables, where these are damaged: they follow the items, and can be made anew. */
  damagedWords?: string;
}

/**
 * Makes the directory where it is missing, and looks whether it can be used and its database holds what it held.
 * `checkedBytes`: a database up to this size is read as a whole.
 *
 * Errors, each with the path, the reason and the way out: `not_ready`; `conflict` when another process holds it, or it
 * belongs to a newer mixspace or another program.
 */
export function inspect(directory: string, migrations: Migrations, checkedBytes: number): Inspected {
  makeDirectory(directory);
  const inspected = inspectDatabase(directory, migrations, checkedBytes);
  makeDirectory(join(directory, 'originals'));
  return inspected;
}

function inspectDatabase(directory: string, migrations: Migrations, checkedBytes: number): Inspected {
  const file = join(directory, databaseName);
  const bytes = fileSize(file);
  const walBytes = fileSize(`${file}-wal`);
  if (bytes === 0) {
    const held = Mark.read(directory);
    // SQLite would remove a journal beside an empty file.
    if (held || walBytes > 0 || holdsOriginals(join(directory, 'originals'))) throw lost(directory, held);
    return { isTrusted: false };
  }
  return withDatabase(file, (database) => {
    const version = checkKind(database, migrations, file);
    const damagedWords = bytes <= checkedBytes ? checkWhole(database, file) : undefined;
    const known = version === 0 ? undefined : heldBy(database);
    const held = Mark.read(directory);
    if (version === 0 && (held || holdsOriginals(join(directory, 'originals')))) throw lost(directory, held);
    if (held && (!known || known.identity !== held.identity)) throw another(directory);
    if (held && (known!.seq < held.seq || (known!.seq === held.seq && known!.items !== held.items))) throw older(directory, held, known!);
    if (known) checkRows(database, version, file);
    return { isTrusted: held !== undefined && bytes <= checkedBytes, ...(damagedWords === undefined ? {} : { damagedWords }) };
  });
}

function makeDirectory(directory: string): void {
  const refused = (reason: string): MixspaceError => new MixspaceError('not_ready', `The index directory ${directory} cannot be used: ${reason}`);
  try {
    mkdirSync(directory, { recursive: true });
    if (!statSync(directory).isDirectory()) throw refused('it is not a folder.');
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') throw refused('there is a file where a folder is needed.');
    if (code === 'ENOENT' && lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink()) throw refused('it is a link to a folder that is not there.');
    if (code === 'ENOENT') throw refused('a link on the way to it leads nowhere.');
    if (code === 'EACCES' || code === 'EPERM') throw refused(`this user (${process.getuid?.() ?? 'unknown'}) may not write there. Give the folder to it, or choose another.`);
    if (code === 'EROFS') throw refused('its file system is read-only.');
    throw refused(`${(error as Error).message}.`);
  }
}

function fileSize(file: string): number {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new MixspaceError('not_ready', `${file} is no file.`);
    return stat.size;
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !lstatSync(file, { throwIfNoEntry: false })) return 0;
    throw new MixspaceError('not_ready', code === 'ENOENT' ? `${file} is a link that leads nowhere.` : `${file} cannot be read (${code}).`, { cause: error });
  }
}

/** Not one that was set aside: of it, it is known already that no item names it. */
function holdsOriginals(directory: string): boolean {
  return namesIn(directory).some((name) => /^[0-9a-f]{2}$/.test(name) && namesIn(join(directory, name)).length > 0);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new MixspaceError('not_ready', `${directory} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

/** Reads without a chance to write: closing a database that may be written to would move its journal into it. */
function withDatabase<T>(file: string, look: (database: Database) => T): T {
  const hadShared = existsSync(`${file}-shm`);
  // What a kill in the very first moment left is not read by who may not write.
  const readonly = !existsSync(`${file}-journal`);
  let database: Database | undefined;
  try {
    database = new Sqlite(file, { timeout: 0, readonly });
    const found = database.transaction(look)(database);
    return found;
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    // Names that are not there, texts that cannot be read as SQL: it was ours, or it would have been refused.
    const isSqlite = typeof (error as { code?: unknown }).code === 'string';
    throw databaseProblem(error, file) ?? (isSqlite || error instanceof RangeError ? damaged(file, (error as Error).message) : error);
  } finally {
    database?.close();
    if (!hadShared) rmSync(`${file}-shm`, { force: true });
  }
}

/** The schema's version; 0 for a database in which nothing was made yet. */
function checkKind(database: Database, migrations: Migrations, file: string): number {
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  const found = schemaOf(database);
  const isOurs = found.some(({ name }) => name === 'collections') && found.some(({ name }) => name === 'tallies');
  if (version === 0 && application === 0 && found.length === 0) return 0;
  if (!isOurs || (application !== 0 && application !== applicationId)) {
    throw new MixspaceError('conflict', `${file} is no database of mixspace, or a damaged one; it was left as it is. Choose another index directory, or restore the database from a backup.`);
  }
  if (version > migrations.length) {
    throw new MixspaceError('conflict', `${file} was written by a newer mixspace (schema ${version}, this one knows ${migrations.length}); use that one, or restore it from a backup where it is damaged.`);
  }
  const model = new Sqlite(':memory:');
  try {
    migrate(model, migrations.slice(0, version), { carriedAtOnce: 1, log: () => undefined });
    const expected = JSON.stringify(schemaOf(model));
    if (JSON.stringify(found) !== expected || (application === applicationId) !== version >= firstWithApplicationId) throw damaged(file, `its tables are not those of schema ${version}`);
  } finally {
    model.close();
  }
  return version;
}

function schemaOf(database: Database): { type: string; name: string; sql: string | null }[] {
  const rows = database
    .prepare<[], { type: string; name: string; tbl_name: string; sql: string | null }>("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name")
    .all();
  return rows.map(({ sql, ...rest }) => ({ ...rest, sql: sql?.replace(/\s+/g, ' ') ?? null }));
}

/** What is wrong with full text alone. */
function checkWhole(database: Database, file: string): string | undefined {
  const problems = (database.pragma('integrity_check(100)') as { integrity_check: string }[]).map((row) => row.integrity_check).filter((problem) => problem !== 'ok');
  const other = problems.find((problem) => !isOfWords(problem));
  if (other !== undefined) throw damaged(file, other.split('\n').slice(0, 2).join(' '));
  return problems[0];
}

/** Of a row of `integrity_check`. SQLite looks into the tables of FTS5 by FTS5 itself. */
const isOfWords = (problem: string): boolean => /^fts5: |FTS5 table main\.words\b/.test(problem);

function checkRows(database: Database, version: number, file: string): void {
  const collections = version < carryingVersion ? oldCollections(database) : new CollectionTable(database).allSealed();
  for (const { checksum, ...row } of collections) {
    if (checksum !== null && checksum !== collectionChecksum(row)) throw damaged(file, `the row of collection "${row.name}" does not match its checksum`);
  }
  const items = version === carryingVersion ? '(SELECT collection, modality FROM items UNION ALL SELECT collection, modality FROM old_items)' : 'items';
  const wrong = database
    .prepare(
      `SELECT 1 FROM (SELECT collection, modality, count(*) AS items FROM ${items} GROUP BY collection, modality) AS counted
         FULL JOIN tallies USING (collection, modality) WHERE coalesce(counted.items, 0) <> coalesce(tallies.items, 0)`,
    )
    .get();
  if (wrong) throw damaged(file, 'it does not hold as many items as it counted');
}

const damaged = (file: string, reason: string): MixspaceError => new MixspaceError('not_ready', `${file} is damaged: ${reason.replace(/\.$/, '')}. ${wayOut}`);

/** How a loss is accepted. Nobody does it by accident, and no picture goes. */
function acceptance(directory: string): string {
  return `To go on without what it lacks, remove ${join(directory, markName)}: pictures that no item names any more are set aside in originals/unclaimed, not removed.`;
}

function lost(directory: string, held: Held | undefined): MixspaceError {
  const file = join(directory, databaseName);
  const what = held ? `which held ${held.items} items` : 'to which the pictures in originals, or the -wal file beside it, belong';
  return new MixspaceError(
    'not_ready',
    `${file}, ${what}, is missing or empty. ${wayOut} To begin anew without it, move everything in ${directory} to another place; no picture was removed.`,
  );
}

function another(directory: string): MixspaceError {
  const file = join(directory, databaseName);
  return new MixspaceError('not_ready', `${file} is not the database that ${join(directory, markName)} knows. ${wayOut} ${acceptance(directory)}`);
}

function older(directory: string, held: Held, known: Held): MixspaceError {
  const file = join(directory, databaseName);
  return new MixspaceError(
    'not_ready',
    `${file} holds less than it held: ${known.items} items after ${known.seq} writes, and ${markName} knows of ${held.items} after ${held.seq}. Its -wal file was lost or damaged, or it is an older copy. ${wayOut} ${acceptance(directory)}`,
  );
}
