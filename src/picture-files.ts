/** Pictures in folders: found, hashed and read, and nothing that was put in their place. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { namesPicture } from './domain/picture-names.js';
import { MixspaceError } from './errors.js';
import { hashPieces } from './files.js';
import { mapLimited } from './map-limited.js';
import { isWithin, openFile, readWhole, type OpenFile } from './open-file.js';

export interface PictureFile {
  /** Absolute. */
  file: string;
  bytes: number;
  /** What changes when the file does: its inode, bytes and time of change, in nanoseconds. */
  stamp: string;
  /** The path asked for that it lies under. */
  root: string;
  /** The real path of that. */
  within: string;
}

/** What lies under the paths and is no picture to send, by how many. */
export interface LeftOut {
  other: number;
  links: number;
  /** Folders that cannot be read. */
  unreadable: string[];
}

export interface WalkOptions {
  /** Whether a file or folder inside the paths is to be looked at, by its absolute path. Left out: all are. */
  isWanted?: (at: string) => boolean;
}

type Place = Pick<PictureFile, 'root' | 'within'>;

/**
 * The pictures under each path, folders recursively, in the order of their names, each file once. Hidden files
 * are not looked at, and links inside a folder not followed: what they lead to is found where it lies, or lies outside.
 * @throws MixspaceError `not_found` for a path that is not there.
 */
export async function listPictures(paths: string[], signal?: AbortSignal, { isWanted }: WalkOptions = {}): Promise<{ pictures: PictureFile[]; leftOut: LeftOut }> {
  const leftOut: LeftOut = { other: 0, links: 0, unreadable: [] };
  const pictures = new Map<string, PictureFile>();

  const take = async (file: string, place: Place): Promise<void> => {
    if (!namesPicture(file)) leftOut.other++;
    else {
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      pictures.set(file, { file, bytes: Number(found?.size ?? 0), stamp: found ? stampOf(found) : '', ...place });
    }
  };
  const walk = async (folder: string, place: Place): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return void leftOut.unreadable.push(folder);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const at = path.join(folder, entry.name);
      if (isWanted && !isWanted(at)) continue;
      if (entry.isSymbolicLink()) leftOut.links++;
      else if (entry.isDirectory()) await walk(at, place);
      else if (entry.isFile()) await take(at, place);
    }
  };

  for (const each of paths) {
    if (each === '') throw new MixspaceError('invalid_request', 'A path is empty; `.` names the folder you are in.');
    const root = path.resolve(each);
    const found = await stat(root).catch(() => undefined);
    if (found === undefined) throw new MixspaceError('not_found', `There is nothing at ${each}.`);
    const place = { root, within: await realpath(root) };
    if (found.isDirectory()) await walk(root, place);
    else if (found.isFile()) await take(root, place);
    else leftOut.other++;
  }
  return { pictures: [...pictures.values()], leftOut };
}

export const stampOf = ({ ino, size, ctimeNs }: { ino: bigint; size: bigint; ctimeNs: bigint }): string => `${ino} ${size} ${ctimeNs}`;

/** The id that an item of this content gets. @throws Error where it cannot be read, or has left its folder. */
export function contentId(picture: PictureFile): Promise<string> {
  return withOpen(picture, ({ handle, size }) => hashPieces(size === 0 ? Readable.from([]) : handle.createReadStream({ start: 0, end: size - 1, autoClose: false })));
}

/** Its bytes. @throws Error where it cannot be read, or has left its folder. */
export function readPictureFile(picture: PictureFile): Promise<Buffer<ArrayBuffer>> {
  return withOpen(picture, async (opened) => {
    const bytes = await readWhole(opened);
    if (bytes === undefined) throw new Error('it is being written to');
    return bytes;
  });
}

/** Opens it where the walk has found it, and nothing that has been put in its place or its folder's to lead elsewhere. */
async function withOpen<T>({ file, within }: PictureFile, work: (opened: OpenFile) => Promise<T>): Promise<T> {
  const opened = await openFile(await realpath(file));
  try {
    if (!opened.isFile || opened.realPath === undefined || !isWithin(within, opened.realPath)) throw new Error('it is no file of this folder any more');
    return await work(opened);
  } finally {
    await opened.handle.close();
  }
}

/** Why one could not be hashed or read: a sentence. */
export function unreadable(error: unknown): string {
  return `The file cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}).`;
}

/** What is asked of whoever has pictures already. */
export interface Known {
  /** Those of the ids that are there. */
  there: (ids: string[]) => Promise<ReadonlySet<string>>;
  /** Where the item was found; none where it has gone. */
  sourcesOf: (id: string) => Promise<readonly string[]>;
}

/** Which pictures are lacking, or known from other places only, which are known from their own, and which cannot be read, each in the order given. */
export async function sorted(pictures: PictureFile[], { there, sourcesOf }: Known): Promise<{ lacking: PictureFile[]; known: PictureFile[]; failures: { file: string; reason: string }[] }> {
  const failures: { file: string; reason: string }[] = [];
  const hashed = await mapLimited(pictures, 4, async (picture) => {
    const id = await contentId(picture).catch((error: unknown) => void failures.push({ file: picture.file, reason: unreadable(error) }));
    return { picture, id };
  });
  const readable = hashed.filter((each): each is { picture: PictureFile; id: string } => each.id !== undefined);
  const held = readable.length === 0 ? new Set() : await there([...new Set(readable.map(({ id }) => id))]);
  const isKnown = await mapLimited(readable, 8, async ({ picture, id }) => held.has(id) && (await sourcesOf(id)).includes(picture.file));
  const those = (known: boolean): PictureFile[] => readable.filter((_, index) => isKnown[index] === known).map(({ picture }) => picture);
  return { lacking: those(false), known: those(true), failures };
}
