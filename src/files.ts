/** Files: whether they are there, what is in them, and how they get onto the disk. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openable } from './file-names.js';

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

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const pieceBytes = 2 ** 20;

/** SHA-256 of a file as lower-case hex; `visit` sees its pieces as they go by. */
export function hashFile(path: string, visit?: (piece: Buffer) => void): Promise<string> {
  return hashPieces(piecesOf(path), visit);
}

/** A file's bytes, in pieces. */
export function piecesOf(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: pieceBytes });
}

/** SHA-256 of what comes in pieces, as lower-case hex. */
export async function hashPieces(pieces: AsyncIterable<Buffer>, visit?: (piece: Buffer) => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
    visit?.(piece);
  }
  return hash.digest('hex');
}

export const isMissing = (error: unknown): boolean => {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
};

/** For reading, by its path or as file-names.ts tells it; a link, a pipe or anything else that is no file in its own right is a sentence's worth of error instead. */
export async function openOwnFile(path: string): Promise<FileHandle> {
  const handle = await open(openable(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw Object.assign(new Error('It is no file.'), { code: 'ENOFILE' });
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A file's bytes, read and hashed in pieces: `undefined` unless they have this SHA-256. Errors as of `openOwnFile`. */
export async function readVerified(path: string, sha256: string): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  return (await hashOf(path, (piece) => pieces.push(piece))) === sha256 ? Buffer.concat(pieces) : undefined;
}

/** Whether a file of its own lies there, with this SHA-256. */
export async function isVerified(path: string, sha256: string): Promise<boolean> {
  try {
    return (await hashOf(path)) === sha256;
  } catch (error) {
    if (unreadableReason(error) !== undefined) return false;
    throw error;
  }
}

async function hashOf(path: string, visit?: (piece: Buffer) => void): Promise<string> {
  const handle = await openOwnFile(path);
  return hashPieces(handle.createReadStream({ highWaterMark: pieceBytes / 2 }), visit);
}

/** Why a file that should be there cannot be read; `undefined` for every other error. */
export function unreadableReason(error: unknown): string | undefined {
  if (isMissing(error)) return 'it is missing';
  const { code } = error as { code?: unknown };
  if (code === 'ELOOP' || code === 'EMLINK') return 'a link lies in its place';
  if (code === 'ENOFILE' || code === 'EISDIR' || code === 'ENXIO') return 'what lies in its place is no file';
  return code === 'EACCES' || code === 'EPERM' || code === 'EIO' || code === 'ESTALE' ? `${code}` : undefined;
}
