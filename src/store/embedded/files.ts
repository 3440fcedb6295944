import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes under a name of its own, flushes, renames, flushes the directory: after a crash the file is whole or absent. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  await removedOnFailure(`${path}.tmp`, async () => {
    const handle = await open(`${path}.tmp`, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.tmp`, path);
  });
  await syncDirectory(dirname(path));
}

/** On a full disk, what a failed write left would take the room that the next one needs. */
export async function removedOnFailure<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Flushes a file that another writer left under `path.tmp`, and gives it its name. */
export async function publish(path: string): Promise<void> {
  const handle = await open(`${path}.tmp`, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncDirectory(dirname(path));
}

/** SHA-256 as lower-case hex, read in pieces. */
export async function checksum(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export const isMissing = (error: unknown): boolean => {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
};
