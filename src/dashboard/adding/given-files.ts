/** Files that somebody gives the page: chosen or dropped, by themselves or in folders. */
import { namesPicture } from '../../client/index.js';
import type { ToldError } from '../shell/service-sentences.js';

export interface GivenFile {
  /** With the folders it lay in, as far as they were given. */
  source: string;
  open: () => Promise<File>;
}

/** What keeps a file out, where the service was not asked. */
export type OwnReason = 'gone' | 'unreadable' | 'empty' | 'no-picture' | 'unreadable-folder' | 'broken-off';

export interface Failure {
  source: string;
  /** The service's own, where it said one. */
  reason: OwnReason | ToldError;
}

/** Of folders alone: what is given by itself is tried. */
export interface LeftOut {
  hidden: number;
  noPictures: number;
}

export interface Given {
  files: GivenFile[];
  leftOut: LeftOut;
  failures: Failure[];
}

/** Looks into folders; tells how many pictures there are so far. */
export type Look = (signal: AbortSignal, onFound: (count: number) => void) => Promise<Given>;

export const nothingGiven = (): Given => ({ files: [], leftOut: { hidden: 0, noPictures: 0 }, failures: [] });
const isHidden = (name: string): boolean => name.startsWith('.');

/** Of a file input; of one for folders each file has its path. */
export function chosenFiles(files: Iterable<File>): Given {
  const given = nothingGiven();
  for (const file of files) {
    const path = file.webkitRelativePath;
    if (path !== '' && path.split('/').some(isHidden)) given.leftOut.hidden++;
    else if (path !== '' && !namesPicture(path)) given.leftOut.noPictures++;
    else given.files.push({ source: path || file.name, open: () => Promise.resolve(file) });
  }
  return given;
}

export interface Dropped {
  /** Undefined: more than one thing, or a folder. */
  single?: File;
  look: Look;
}

/** Must be called while the drop is being told: the browser forgets it afterwards. */
export function droppedFiles(transfer: DataTransfer): Dropped {
  const things = [...transfer.items].filter(({ kind }) => kind === 'file').map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const files = [...transfer.files];
  const isSingle = things.length === 1 && !isFolder(things[0]!);
  return {
    ...(isSingle && files[0] ? { single: files[0] } : {}),
    look: async (signal, onFound) => {
      const given = nothingGiven();
      for (const thing of things) {
        if (thing instanceof File) given.files.push({ source: thing.name, open: () => Promise.resolve(thing) });
        else if (thing && isFolder(thing)) await walk(thing, given, { signal, onFound });
        else if (thing) given.files.push(givenEntry(thing as FileSystemFileEntry));
      }
      return given;
    },
  };
}

const isFolder = (thing: FileSystemEntry | File | null): thing is FileSystemDirectoryEntry => thing !== null && !(thing instanceof File) && thing.isDirectory;

const pathOf = (entry: FileSystemEntry): string => entry.fullPath.replace(/^\//, '') || entry.name;
const givenEntry = (entry: FileSystemFileEntry): GivenFile => ({ source: pathOf(entry), open: () => new Promise((resolve, reject) => entry.file(resolve, reject)) });

interface Walking {
  signal: AbortSignal;
  onFound: (count: number) => void;
}

async function walk(folder: FileSystemDirectoryEntry, given: Given, walking: Walking): Promise<void> {
  walking.signal.throwIfAborted();
  let entries: FileSystemEntry[];
  try {
    entries = await entriesOf(folder);
  } catch {
    given.failures.push({ source: pathOf(folder), reason: 'unreadable-folder' });
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isHidden(entry.name)) given.leftOut.hidden++;
    else if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, given, walking);
    else if (namesPicture(entry.name)) given.files.push(givenEntry(entry as FileSystemFileEntry));
    else given.leftOut.noPictures++;
  }
  walking.onFound(given.files.length);
}

/** A reader gives some at a time, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/**
 * A file's bytes, so that nothing can happen to them any more.
 * @returns Why not, where they cannot be had.
 */
export async function read({ source, open }: GivenFile): Promise<Blob | OwnReason> {
  try {
    const file = await open();
    if (file.type !== '' && !file.type.startsWith('image/') && !namesPicture(source)) return 'no-picture';
    // The size of one that has gone is 0 too.
    const bytes = await file.arrayBuffer();
    return bytes.byteLength === 0 ? 'empty' : new Blob([bytes], { type: file.type });
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotFoundError' ? 'gone' : 'unreadable';
  }
}
