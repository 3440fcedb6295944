/** A backup's archive becomes an index directory. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { extract } from 'tar-stream';
import { backupFormat, completeName, manifestName, originalName, type BackupManifest, type BackupSummary } from '../../domain/backup.js';
import { MixspaceError } from '../../errors.js';
import { syncDirectory } from '../../files.js';
import { databaseName } from './database.js';
import { markName } from './mark.js';
import { refuse, unpackedName } from './unpacked.js';

const original = /^originals\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/;
/** Of the archive's own entries. */
const longestJson = 64e6;

export interface Restored {
  manifest: BackupManifest;
  summary: BackupSummary;
}

/**
 * Writes what an archive holds into a directory that has no database, all of it verified before any of it has its name;
 * breaking off, or an archive that is not whole, leaves the directory as it was, and it can be begun again.
 *
 * Errors: `conflict`: there is a database; `invalid_request`: no archive of ours, cut or damaged.
 */
export async function restoreDirectory(archive: AsyncIterable<Uint8Array>, directory: string): Promise<Restored> {
  if (existsSync(join(directory, databaseName))) throw new MixspaceError('conflict', `${directory} holds a database: restore into another folder, or move this one away.`);
  const folder = join(directory, unpackedName);
  await rm(folder, { recursive: true, force: true });
  make(folder);
  try {
    const restored = await unpack(archive, folder);
    await moveAll(folder, directory);
    return restored;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** With its parents, one by one: Node's own way has no end where one cannot be made (/proc). */
function make(folder: string): void {
  try {
    if (!existsSync(dirname(folder))) make(dirname(folder));
    mkdirSync(folder);
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    throw new MixspaceError('invalid_request', `The folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

/**
 * Into a folder that is there, for good when it resolves. `look` sees what the archive says of itself before anything of it
 * is written; what that throws ends it.
 *
 * Errors: `invalid_request`: no archive of ours, cut or damaged; `conflict`: of a newer mixspace.
 */
export async function unpack(archive: AsyncIterable<Uint8Array>, folder: string, look?: (manifest: BackupManifest) => Promise<void>): Promise<Restored> {
  let manifest: BackupManifest | undefined;
  let summary: BackupSummary | undefined;
  let databaseHash: string | undefined;
  let originals = 0;
  const names = new Set<string>();
  const entries = extract();
  const feeding = feed(archive, entries);
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      const [, , contentHash] = original.exec(name) ?? [];
      if (names.size === names.add(name).size) throw refuse(`it holds ${name.slice(0, 200)} twice`);
      if (type !== 'file') throw refuse(`it holds ${name.slice(0, 200)}, which is no file`);
      if ((manifest === undefined) !== (name === manifestName)) throw refuse(`it does not begin with ${manifestName}`);
      if (name === manifestName) {
        manifest = checkedManifest(await jsonOf(entry));
        await look?.(manifest);
      } else if (name === databaseName) databaseHash = await writeEntry(entry, join(folder, databaseName));
      else if (name === completeName) summary = (await jsonOf(entry)) as BackupSummary;
      else if (contentHash !== undefined) {
        originals++;
        if ((await writeEntry(entry, join(folder, originalName(contentHash)))) !== contentHash) throw refuse(`the picture ${contentHash} in it is damaged`);
      } else throw refuse(`it holds ${name.slice(0, 200)}, which is not of a backup`);
    }
    await feeding;
  } catch (error) {
    entries.destroy();
    throw error instanceof MixspaceError || (error as NodeJS.ErrnoException).syscall !== undefined ? error : refuse(`it is cut or damaged (${(error as Error).message})`, error);
  }
  if (!manifest || !summary || databaseHash === undefined) throw refuse('it is cut');
  if (!Array.isArray(summary.missing)) throw refuse(`${completeName} in it is of something else`);
  if (summary.database_sha256 !== databaseHash) throw refuse('the database in it is damaged');
  if (summary.originals !== originals) throw refuse(`it holds ${originals} pictures of ${summary.originals}`);
  return { manifest, summary };
}

async function feed(archive: AsyncIterable<Uint8Array>, entries: ReturnType<typeof extract>): Promise<void> {
  const closed = new Promise((resolve) => entries.once('close', resolve));
  try {
    for await (const chunk of archive) {
      if (!entries.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await Promise.race([new Promise((resolve) => entries.once('drain', resolve)), closed]);
      if (entries.destroyed) return;
    }
    entries.end();
  } catch (error) {
    entries.destroy(error as Error);
  }
}

function checkedManifest(value: unknown): BackupManifest {
  const manifest = value as Partial<BackupManifest> | null;
  if (manifest?.format !== backupFormat) throw refuse(`${manifestName} in it is of something else`);
  if (manifest.version !== 1) throw new MixspaceError('conflict', `The backup is of version ${String(manifest.version)}, made by a newer mixspace; this one reads version 1.`);
  if (!Array.isArray(manifest.collections) || manifest.collections.some((each: Partial<BackupManifest['collections'][number]> | null) => typeof each?.name !== 'string')) throw refuse(`${manifestName} in it does not name its collections`);
  return manifest as BackupManifest;
}

async function jsonOf(entry: AsyncIterable<Uint8Array>): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of entry) {
    if ((length += piece.length) > longestJson) throw refuse('what it says of itself has no end');
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString()) as unknown;
  } catch (error) {
    throw refuse('what it says of itself is no JSON', error);
  }
}

/** Its SHA-256, lower-case hex; on disk when it resolves. */
async function writeEntry(entry: AsyncIterable<Uint8Array>, file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash('sha256');
  const handle = await open(file, 'wx');
  try {
    for await (const piece of entry) {
      hash.update(piece);
      await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/** Pictures first: without a database nothing names them. Marks of what was there before say nothing of what comes. */
async function moveAll(folder: string, directory: string): Promise<void> {
  for (const shard of await readdir(join(folder, 'originals')).catch(() => [] as string[])) {
    const to = join(directory, 'originals', shard);
    await mkdir(to, { recursive: true });
    for (const name of await readdir(join(folder, 'originals', shard))) await rename(join(folder, 'originals', shard, name), join(to, name));
    await syncDirectory(to);
  }
  if (existsSync(join(directory, 'originals'))) await syncDirectory(join(directory, 'originals'));
  for (const name of [markName, `${databaseName}-wal`, `${databaseName}-shm`, 'snapshots']) await rm(join(directory, name), { force: true, recursive: true });
  await rename(join(folder, databaseName), join(directory, databaseName));
  await syncDirectory(directory);
}
