import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configFiles } from '../encoder/package/variants.js';
import { MixspaceError } from '../errors.js';
import { exists, syncDirectory } from '../files.js';
import { lockName, readLock, type Lock } from './lock.js';
import { reasonOf } from './transport.js';

/** A model's folder and, beside it, those in which it is made ready and put away. Names with a dot are no packages for a service. */
export interface Places {
  directory: string;
  staging: string;
  replaced: string;
  /** Holds the process id of the pull that is under way. */
  busy: string;
}

export function placesOf(modelsDir: string, name: string): Places {
  const at = (file: string): string => path.join(modelsDir, file);
  return { directory: at(name), staging: at(`.pulling-${name}`), replaced: at(`.replaced-${name}`), busy: at(`.pulling-${name}.pid`) };
}

export interface InstalledModel {
  name: string;
  /** Bytes, links not followed. */
  bytes: number;
  /** Undefined where it was not pulled. */
  lock: Lock | undefined;
  /** As its model.json or lock says. */
  license: string | undefined;
}

/** Every folder that a service takes for a model, by name. @throws MixspaceError `not_found` where there is no such directory. */
export async function installedModels(modelsDir: string): Promise<InstalledModel[]> {
  const entries = await readdir(modelsDir).catch((error: unknown) => {
    throw new MixspaceError('not_found', `The models directory ${modelsDir} cannot be read (${reasonOf(error)}).`, { param: '--models-dir' });
  });
  const names: string[] = [];
  for (const name of entries.sort()) if (await isModel(modelsDir, name)) names.push(name);
  return Promise.all(
    names.map(async (name) => {
      const directory = path.join(modelsDir, name);
      const lock = await readLock(directory).catch(() => undefined);
      const card = await readRegular(path.join(directory, 'model.json')).then((text) => JSON.parse(text) as { license?: string }).catch(() => ({ license: undefined }));
      return { name, bytes: await bytesUnder(directory), lock, license: card.license ?? lock?.license ?? undefined };
    }),
  );
}

/** As the service sees it: a folder, or a link to one, with a configuration; one that was pulled in any case. */
async function isModel(modelsDir: string, name: string): Promise<boolean> {
  if (name.startsWith('.')) return false;
  const has = (file: string): Promise<boolean> => exists(path.join(modelsDir, name, file));
  return (await Promise.all([...configFiles, lockName].map(has))).includes(true);
}

/** Nothing else: a pipe would be read for ever. */
async function readRegular(file: string): Promise<string> {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is no file.`);
  return readFile(file, 'utf8');
}

export async function bytesUnder(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => stat(path.join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes that may still be written there. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/**
 * Nobody else pulls or removes the model while `work` runs; what a crash has left half swapped is put right first.
 * @throws MixspaceError `conflict` while another process does.
 */
export async function alone<T>(modelsDir: string, name: string, work: (places: Places) => Promise<T>): Promise<T> {
  const places = placesOf(modelsDir, name);
  await mkdir(modelsDir, { recursive: true }).catch(unwritable(modelsDir));
  await claim(places.busy, name).catch(unwritable(modelsDir));
  try {
    await recover(places);
    return await work(places);
  } finally {
    await unlink(places.busy).catch(() => undefined);
  }
}

async function claim(file: string, name: string): Promise<void> {
  for (let again = false; ; again = true) {
    try {
      return await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => '0'));
    if (again || isRunning(owner)) throw new MixspaceError('conflict', `Process ${owner} is pulling or removing ${name}. Where it is not, delete ${file}.`);
    await unlink(file).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A crash between the two renames of `swapIn` leaves the old folder put away. */
export async function recover({ directory, replaced }: Places): Promise<void> {
  if (!(await exists(replaced))) return;
  if (await exists(directory)) await rm(replaced, { recursive: true });
  else await rename(replaced, directory);
}

/** The staging folder becomes the model's. */
export async function swapIn({ directory, staging, replaced }: Places): Promise<void> {
  await flushTree(staging);
  const hadOne = await exists(directory);
  if (hadOne) await rename(directory, replaced);
  await rename(staging, directory);
  await syncDirectory(path.dirname(directory));
  if (hadOne) await rm(replaced, { recursive: true, force: true });
}

/** Gone at once under its name; the space is given back afterwards. A link is removed, what it leads to is not. */
export async function takeAway(modelsDir: string, { directory, staging }: Places): Promise<void> {
  for (const folder of [directory, staging]) {
    const found = await lstat(folder).catch(() => undefined);
    if (!found) continue;
    if (found.isSymbolicLink()) {
      await unlink(folder);
      continue;
    }
    const away = path.join(modelsDir, `.removing-${path.basename(folder)}-${randomBytes(4).toString('hex')}`);
    await rename(folder, away).catch(unwritable(modelsDir));
    await syncDirectory(modelsDir);
    await rm(away, { recursive: true });
  }
}

/** What removals have left that were cut off. */
export async function sweep(modelsDir: string): Promise<void> {
  const entries = await readdir(modelsDir).catch(() => []);
  for (const name of entries.filter((each) => each.startsWith('.removing-'))) await rm(path.join(modelsDir, name), { recursive: true, force: true });
}

async function flushTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  for (const entry of entries) if (entry.isDirectory()) await syncDirectory(path.join(entry.parentPath, entry.name));
  await syncDirectory(directory);
}

function unwritable(directory: string): (error: unknown) => never {
  return (error) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'ENAMETOOLONG'].includes(code)) throw error;
    throw new MixspaceError('forbidden', `The models directory ${directory} cannot be written (${code}); --models-dir or MIXSPACE_MODELS_DIR names another.`, { param: '--models-dir', cause: error });
  };
}
