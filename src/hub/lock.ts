import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../errors.js';
import { hashFile } from '../files.js';

export const lockName = 'mixspace-lock.json';

/** What a pulled folder holds and where it is from; the same whichever mirror it came through. */
export interface Lock {
  lock_version: 1;
  /** As it was asked for: a renamed repository is found by its old name too. */
  id: string;
  /** Inside the repository, where the package is not at its top. */
  folder?: string;
  /** 40 hex digits. */
  commit: string;
  /** The branch, tag or commit that was asked for. */
  revision: string;
  variants: string[];
  /** What the user asked for by name last; the service's own choice where it is left out. */
  variant?: string;
  license: string | null;
  /** By path inside the folder, with slashes. */
  files: Record<string, { size: number; sha256: string }>;
  /** ISO 8601. */
  pulled_at: string;
}

export interface Difference {
  path: string;
  what: 'missing' | 'changed';
}

/** Undefined where the folder was not pulled. @throws MixspaceError `unprocessable` for a lock file that cannot be read. */
export async function readLock(directory: string): Promise<Lock | undefined> {
  const file = path.join(directory, lockName);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new MixspaceError('unprocessable', `${file} cannot be read (${error.code}).`, { cause: error });
  });
  if (text === undefined) return undefined;
  const lock = parse(text);
  if (!lock) throw new MixspaceError('unprocessable', `${file} is damaged or of another version: remove the model and pull it again.`);
  return lock;
}

function parse(text: string): Lock | undefined {
  try {
    const lock = JSON.parse(text) as Partial<Lock> | null;
    const isWhole = lock?.lock_version === 1 && typeof lock.id === 'string' && typeof lock.commit === 'string' && Array.isArray(lock.variants) && typeof lock.files === 'object' && lock.files !== null;
    return isWhole && Object.entries(lock.files!).every(([name, { size, sha256 }]) => isInside(name) && typeof size === 'number' && typeof sha256 === 'string') ? (lock as Lock) : undefined;
  } catch {
    return undefined;
  }
}

function isInside(name: string): boolean {
  return !path.isAbsolute(name) && !name.split(/[\\/]/).includes('..');
}

/** Which of the lock's files are no longer what was pulled. Reads every byte. */
export async function differences(directory: string, lock: Lock): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const [name, { size, sha256 }] of Object.entries(lock.files)) {
    const file = path.join(directory, name);
    const isSame = await stat(file).then(
      async (there) => there.isFile() && there.size === size && (await hashFile(file)) === sha256,
      () => undefined,
    );
    if (isSame !== true) found.push({ path: name, what: isSame === undefined ? 'missing' : 'changed' });
  }
  return found;
}
