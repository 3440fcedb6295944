/** Pictures in folders: found, hashed and read, and nothing that was put in their place. */
import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { namesPicture } from './domain/picture-names.js';
import { mediaTypeOf } from './encoder/picture/media-type.js';
import { MixspaceError } from './errors.js';
import { absoluteName, isWithin, nameBytes, openable } from './file-names.js';
import { hashPieces, isMissing } from './files.js';
import { beginningOf, reasonOf, walkFolder, type NotWalked } from './folder-walk.js';
import { Rules, type WalkRules } from './ignore-rules.js';
import { mapLimited } from './map-limited.js';
import { openFile, readWhole, realName, type OpenFile } from './open-file.js';

export type { WalkRules } from './ignore-rules.js';

export interface PictureFile {
  /** Absolute, as file-names.ts tells names. */
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
  /** Files that are no pictures by their first bytes, pipes and devices. */
  other: number;
  links: number;
  /** Files and folders whose name begins with a dot. */
  hidden: number;
  /** Folders that other programs fill. */
  sideFolders: number;
  /** By globs or a `.mixspaceignore`: files, and folders with all in them. */
  excluded: number;
  /** Folders, files and whole paths that cannot be read. */
  unreadable: string[];
  /** Why, of each of `unreadable`. */
  reasons: string[];
  /** The first names of each kind. */
  some: Record<Counted, string[]>;
}
type Counted = 'other' | 'links' | 'hidden' | 'sideFolders' | 'excluded';
export type LeftOutKind = Counted | 'unreadable';

export interface WalkOptions {
  rules?: WalkRules;
  /** Whether a file or folder inside the paths is to be looked at, by its absolute path; what is not is not left out, either. Left out: all are. */
  isWanted?: (at: string) => boolean;
  /** Is told of everything that is left out. */
  onLeftOut?: (file: string, kind: LeftOutKind, reason?: string) => void;
}

export const nothingLeftOut = (): LeftOut => ({
  other: 0,
  links: 0,
  hidden: 0,
  sideFolders: 0,
  excluded: 0,
  unreadable: [],
  reasons: [],
  some: { other: [], links: [], hidden: [], sideFolders: [], excluded: [] },
});

/** `others` are left out as well. */
export function addLeftOut(all: LeftOut, others: LeftOut): void {
  for (const kind of Object.keys(all.some) as Counted[]) {
    all[kind] += others[kind];
    all.some[kind].push(...others.some[kind].slice(0, someNames - all.some[kind].length));
  }
  all.unreadable.push(...others.unreadable);
  all.reasons.push(...others.reasons);
}

type Place = Pick<PictureFile, 'root' | 'within'>;

/** Names of each kind that are kept. */
const someNames = 5;
const kinds: Record<NotWalked, LeftOutKind> = { 'side folder': 'sideFolders', hidden: 'hidden', excluded: 'excluded', link: 'links', other: 'other', unreadable: 'unreadable' };

/**
 * The pictures under each path, folders recursively, in the order of their names, each file once. A file is a picture
 * by its first bytes; one that is only called like a picture is listed too, so that whoever reads it says what is wrong.
 * Hidden files and other programs' folders are not looked at, unless the rules say so, and links inside a folder not
 * followed: what they lead to is found where it lies, or lies outside.
 * @throws MixspaceError `not_found` for a path that is not there, `invalid_request` for rules that cannot be kept.
 */
export async function listPictures(paths: string[], signal?: AbortSignal, { rules, isWanted, onLeftOut }: WalkOptions = {}): Promise<{ pictures: PictureFile[]; leftOut: LeftOut }> {
  const leftOut = nothingLeftOut();
  const pictures = new Map<string, PictureFile>();
  const compiled = new Rules(rules);

  const leave = (file: string, kind: LeftOutKind, reason?: string): void => {
    onLeftOut?.(file, kind, reason);
    if (kind === 'unreadable') {
      leftOut.unreadable.push(file);
      leftOut.reasons.push(reason ?? 'it cannot be read');
    } else if (++leftOut[kind] <= someNames) leftOut.some[kind].push(file);
  };
  const take = (file: string, stats: { size: bigint; ino: bigint; ctimeNs: bigint }, place: Place): void => {
    pictures.set(file, { file, bytes: Number(stats.size), stamp: stampOf(stats), ...place });
  };
  const wants = async (file: string): Promise<true | { butIs: string | undefined }> => namesPicture(file) || holdsPicture(file);

  for (const each of paths) {
    if (each === '') throw new MixspaceError('invalid_request', 'A path is empty; `.` names the folder you are in.');
    const root = await asOnDisk(absoluteName(each));
    try {
      const found = await stat(openable(root), { bigint: true });
      const place = { root, within: await realName(root) };
      if (found.isDirectory()) {
        await walkFolder(nameBytes(root)!, compiled, { isWanted, wants, file: (name, stats) => take(name, stats, place), leftOut: (name, why, reason) => leave(name, kinds[why], reason) }, signal);
      } else {
        const wanted = found.isFile() ? await wants(root) : { butIs: undefined };
        if (wanted === true) take(root, found, place);
        else leave(root, 'other', wanted.butIs);
      }
    } catch (error) {
      if (isMissing(error)) throw new MixspaceError('not_found', `There is nothing at ${each}.`);
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      leave(root, 'unreadable', reasonOf(error));
    }
  }
  return { pictures: [...pictures.values()], leftOut };
}

/** @throws MixspaceError `invalid_request`: rules that cannot be kept. */
export function requireRules(rules: WalkRules): void {
  new Rules(rules);
}

/** As many as tell every format. */
const headBytes = 1024;

/** Or what it is, as far as its first bytes say it. */
async function holdsPicture(file: string): Promise<true | { butIs: string | undefined }> {
  const { bytes } = await beginningOf(openable(file), headBytes);
  if (bytes.length === 0) return { butIs: 'it is empty' };
  try {
    mediaTypeOf(bytes);
    return true;
  } catch (error) {
    return { butIs: /is (an? [^:]*?), (?:not a picture|which is not (?:read|supported))/.exec((error as Error).message)?.[1] };
  }
}

/** On a disk that does not tell capitals from small letters a path has many spellings, and each file one source: the disk's own. */
async function asOnDisk(root: string): Promise<string> {
  if (typeof openable(root) !== 'string') return root;
  const { root: top } = path.parse(root);
  let found = top;
  for (const name of root.slice(top.length).split(path.sep).filter(Boolean)) {
    const at = path.join(found, name);
    found = (await ownSpelling(found, name, at)) ?? at;
  }
  return found;
}

async function ownSpelling(folder: string, name: string, at: string): Promise<string | undefined> {
  const turned = Array.from(name, (each) => (each === each.toUpperCase() ? each.toLowerCase() : each.toUpperCase())).join('');
  const [own, other] = await Promise.all([at, path.join(folder, turned)].map((file) => lstat(file, { bigint: true }).catch(() => undefined)));
  if (turned === name || !own || own.ino !== other?.ino || own.dev !== other.dev) return undefined;
  const names = await readdir(folder).catch((): string[] => []);
  if (names.includes(name)) return undefined;
  const spelled = names.find((each) => each.toLowerCase() === name.toLowerCase());
  return spelled === undefined ? undefined : path.join(folder, spelled);
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
  const opened = await openFile(await realName(file));
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
