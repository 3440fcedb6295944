import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MixspaceError } from '../errors.js';

const pictureExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.avif', '.heic', '.heif', '.gif', '.tif', '.tiff']);

/** By its extension alone. */
export function namesPicture(file: string): boolean {
  return pictureExtensions.has(path.extname(file).toLowerCase());
}

export interface PictureFile {
  /** Absolute. */
  file: string;
  bytes: number;
  /** The PATH of the command line it lies under. */
  root: string;
}

/** What lies under the paths and is no picture to send, by how many. */
export interface LeftOut {
  other: number;
  links: number;
  /** Folders that cannot be read. */
  unreadable: string[];
}

/**
 * The pictures under each path, folders recursively, in the order of their names, each file once. Hidden files
 * are not looked at, and links inside a folder not followed: what they lead to is found where it lies, or lies outside.
 * @throws MixspaceError `not_found` for a path that is not there.
 */
export async function listPictures(paths: string[], signal?: AbortSignal): Promise<{ pictures: PictureFile[]; leftOut: LeftOut }> {
  const leftOut: LeftOut = { other: 0, links: 0, unreadable: [] };
  const pictures = new Map<string, PictureFile>();

  const take = async (file: string, root: string): Promise<void> => {
    const extension = path.extname(file).toLowerCase();
    if (!pictureExtensions.has(extension)) leftOut.other++;
    else {
      const bytes = await stat(file).then(({ size }) => size, () => 0);
      pictures.set(file, { file, bytes, root });
    }
  };
  const walk = async (folder: string, root: string): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return void leftOut.unreadable.push(folder);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const at = path.join(folder, entry.name);
      if (entry.isSymbolicLink()) leftOut.links++;
      else if (entry.isDirectory()) await walk(at, root);
      else if (entry.isFile()) await take(at, root);
    }
  };

  for (const each of paths) {
    const root = path.resolve(each);
    const found = await stat(root).catch(() => undefined);
    if (found === undefined) throw new MixspaceError('not_found', `There is nothing at ${each}.`);
    if (found.isDirectory()) await walk(root, root);
    else await take(root, root);
  }
  return { pictures: [...pictures.values()], leftOut };
}

/** The id that the service gives to this content. */
export async function contentId(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
