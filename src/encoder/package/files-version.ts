import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { deepest, filesIn } from './folder.js';

/**
 * Of the sizes and times of all files in a folder but hidden ones, links followed, as hex: it stays the same only while
 * nobody writes to them, and while the folder is not moved away and back. What an archive or a copy sets a file's time
 * to does not count: the time of that setting does.
 */
export async function versionOfFolder(directory: string): Promise<string> {
  const self = await lstat(directory).catch(() => undefined);
  return hashOf([self?.ctimeMs, signOf(await statOf(directory)), await signsOf(directory, 0)]);
}

/** Likewise, of these files. */
export async function versionOfFiles(paths: readonly string[]): Promise<string> {
  return hashOf(await Promise.all(paths.map(async (path) => signOf(await statOf(path)))));
}

/** Seconds since 1970; 0 where nothing is there. */
export const changedAt = async (path: string): Promise<number> => Math.floor(((await statOf(path))?.mtimeMs ?? 0) / 1000);

function hashOf(signs: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(signs)).digest('hex').slice(0, 24);
}

/** Undefined where nothing is there. */
function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

function signOf(found: Stats | undefined): unknown[] {
  return [found?.size, found?.mtimeMs, found?.ctimeMs];
}

async function signsOf(directory: string, depth: number): Promise<unknown[]> {
  return Promise.all(
    (await filesIn(directory)).filter((name) => !name.startsWith('.')).map(async (name) => {
      const path = join(directory, name);
      const found = await statOf(path);
      if (found?.isDirectory()) return [name, depth < deepest ? await signsOf(path, depth + 1) : []];
      return [name, ...signOf(found)];
    }),
  );
}
