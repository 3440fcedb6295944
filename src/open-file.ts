/** Files that are looked at once they are open: a name may lead elsewhere by the time it is used. */
import { constants } from 'node:fs';
import { lstat, open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { openable, toldName } from './file-names.js';

export { isWithin } from './file-names.js';

export interface OpenFile {
  handle: FileHandle;
  /** Not so for folders, pipes and devices. */
  isFile: boolean;
  /** Bytes, when it was opened. */
  size: number;
  /** Where the opened file itself lies, as file-names.ts tells it; undefined when it has been deleted, or moved where that cannot be told. */
  realPath: string | undefined;
}

/** The real path of what lies at a path, both as they are told. @throws NodeJS.ErrnoException */
export async function realName(told: string): Promise<string> {
  return toldName(await realpath(openable(told), 'buffer'));
}

/**
 * Opens what lies at a real path, a pipe without waiting for its other end. The caller closes it.
 * @throws NodeJS.ErrnoException, `ELOOP` where the path ends in a link.
 */
export async function openFile(real: string): Promise<OpenFile> {
  const handle = await open(openable(real), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const realPath = await pathOf(handle, real);
    const stat = await handle.stat();
    return { handle, isFile: stat.isFile(), size: stat.size, realPath: stat.nlink === 0 ? undefined : realPath };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Linux tells the path of an open file. Elsewhere the name is resolved once more, and what lies there must be the open file:
 * who exchanges folders for links exactly in between, and back, is not met.
 */
async function pathOf(handle: FileHandle, file: string): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      return toldName(await readlink(`/proc/self/fd/${handle.fd}`, 'buffer'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
    }
  }
  const at = await realName(file).catch(() => undefined);
  const there = at === undefined ? undefined : await lstat(openable(at), { bigint: true }).catch(() => undefined);
  const own = await handle.stat({ bigint: true });
  return there?.dev === own.dev && there.ino === own.ino ? at : undefined;
}

/** All that it held when it was opened; undefined when it holds another number of bytes by now: it is being written to. */
export async function readWhole({ handle, size }: OpenFile): Promise<Buffer<ArrayBuffer> | undefined> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  const { bytesRead: more } = await handle.read(Buffer.alloc(1), 0, 1, size);
  return more === 0 ? bytes : undefined;
}
