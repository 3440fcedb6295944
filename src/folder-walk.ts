/** A walk through folders as people keep them: names of any bytes, parts that cannot be read, links, other programs' folders. */
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { MixspaceError } from './errors.js';
import { toldName } from './file-names.js';
import { isMissing } from './files.js';
import { ignoreFileName, longestIgnoreFile, readIgnoreFile, type IgnoreFile, type LeftOutBy, type Rules } from './ignore-rules.js';
import { mapLimited } from './map-limited.js';

/** Why something is not taken: by a rule, because it is a link or neither file nor folder, or, `unreadable`, with a sentence. */
export type NotWalked = LeftOutBy | 'link' | 'other' | 'unreadable';

interface Folder {
  bytes: Buffer;
  /** Below the root; '' of the root itself. */
  relative: string;
  /** Those above it, the root's first. */
  ignoreFiles: readonly IgnoreFile[];
  /** It is left out, but for what rules include. */
  isSearched: boolean;
}

/** What something in a folder turns out to be. */
type Found = { told: string } & ({ folder: Folder } | { file: BigIntStats } | { leftOut: NotWalked; reason?: string } | { gone: true });

/** Names are given as they are told. */
export interface Visitor {
  /** Whether a file or folder is to be looked at; left out: all are. */
  isWanted?: ((name: string) => boolean) | undefined;
  /** Whether a file is to be taken, by what is in it, or what it is instead, where that is known; several are asked about at once. Rejects where it cannot be read. */
  wants(name: string): Promise<true | { butIs: string | undefined }>;
  /** One that is wanted, in the order of its folder's names. */
  file(name: string, stats: BigIntStats): void;
  leftOut(name: string, why: NotWalked, reason?: string): void;
}

const lookedAtOnce = 16;

/** Everything under a folder, each folder's entries in the order of their names' bytes. */
export async function walkFolder(root: Buffer, rules: Rules, visitor: Visitor, signal?: AbortSignal): Promise<void> {
  const look = async (folder: Folder, name: Buffer): Promise<Found> => {
    const bytes = joined(folder.bytes, name);
    const told = toldName(bytes);
    if (name.equals(ignoreFileBytes) || visitor.isWanted?.(told) === false) return { told, gone: true };
    const stats = await lstat(bytes, { bigint: true }).catch((error: unknown) => ({ error }));
    // Globs are of letters: a byte that is none stands as U+FFFD.
    const relative = folder.relative === '' ? name.toString() : `${folder.relative}/${name.toString()}`;
    const decision = rules.decide({ relative, isFolder: !('error' in stats) && stats.isDirectory() }, folder);
    if (!decision.take) return { told, leftOut: decision.by };
    if ('error' in stats) return missingOr(told, stats.error);
    if (stats.isSymbolicLink()) return { told, leftOut: 'link' };
    if (stats.isDirectory()) return { told, folder: { bytes, relative, ignoreFiles: folder.ignoreFiles, isSearched: decision.searched ?? false } };
    if (!stats.isFile()) return { told, leftOut: 'other' };
    try {
      const wanted = await visitor.wants(told);
      if (wanted === true) return { told, file: stats };
      return { told, leftOut: 'other', ...(wanted.butIs === undefined ? {} : { reason: wanted.butIs }) };
    } catch (error) {
      return missingOr(told, error);
    }
  };
  const walk = async (above: Folder): Promise<void> => {
    signal?.throwIfAborted();
    let names: Buffer[];
    let folder = above;
    try {
      names = await readdir(folder.bytes, { encoding: 'buffer' });
      if (names.some((name) => name.equals(ignoreFileBytes))) folder = { ...above, ignoreFiles: [...above.ignoreFiles, await ignoreFileIn(above)] };
    } catch (error) {
      // What it was to leave out is not known: none of it is taken.
      return visitor.leftOut(toldName(folder.bytes), 'unreadable', reasonOf(error));
    }
    names.sort((a, b) => a.compare(b));
    for (let from = 0; from < names.length; from += foundAtOnce) {
      signal?.throwIfAborted();
      for (const found of await mapLimited(names.slice(from, from + foundAtOnce), lookedAtOnce, (name) => look(folder, name))) {
        if ('folder' in found) await walk(found.folder);
        else if ('file' in found) visitor.file(found.told, found.file);
        else if ('leftOut' in found) visitor.leftOut(found.told, found.leftOut, found.reason);
      }
    }
  };
  await walk({ bytes: root, relative: '', ignoreFiles: [], isSearched: false });
}

/** What has gone since its folder was listed is not there: it is not left out. */
const missingOr = (told: string, error: unknown): Found => (isMissing(error) ? { told, gone: true } : { told, leftOut: 'unreadable', reason: reasonOf(error) });

const foundAtOnce = 512;
const ignoreFileBytes = Buffer.from(ignoreFileName);
const slash = Buffer.from('/');
const joined = (folder: Buffer, name: Buffer): Buffer => Buffer.concat(folder.at(-1) === slash[0] ? [folder, name] : [folder, slash, name]);

async function ignoreFileIn({ bytes: folder, relative }: Folder): Promise<IgnoreFile> {
  const file = joined(folder, ignoreFileBytes);
  const refuse = (problem: string): MixspaceError => new MixspaceError('invalid_request', `Its ${ignoreFileName} ${problem}.`);
  const read = async (): Promise<{ bytes: Buffer; isWhole: boolean } | undefined> => ((await stat(file)).isFile() ? beginningOf(file, longestIgnoreFile) : undefined);
  const found = await read().catch((error: unknown) => {
    throw refuse(`cannot be read: ${reasonOf(error)}`);
  });
  if (!found) throw refuse('is no file');
  if (!found.isWhole) throw refuse(`is over ${longestIgnoreFile} bytes`);
  return readIgnoreFile(relative, found.bytes.toString());
}

/** The first so many bytes of a file, and whether that is all of it; a pipe is not waited for. @throws NodeJS.ErrnoException */
export async function beginningOf(file: string | Buffer, most: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(most + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return { bytes: bytes.subarray(0, Math.min(bytesRead, most)), isWhole: bytesRead <= most };
  } finally {
    await handle?.close();
  }
}

const reasons: Record<string, string> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  ENAMETOOLONG: 'its path is longer than the system takes',
  ELOOP: 'its links go round in a circle',
  EIO: 'the disk or share fails to read it',
  ENOENT: 'it has gone',
  ENOTDIR: 'it is no folder any more',
  ENOTCONN: 'its share is not connected',
  EHOSTDOWN: 'its share does not answer',
  ESTALE: 'its share has been exchanged',
  ETIMEDOUT: 'its share does not answer',
  EMFILE: 'too many files are open',
};

/** Why something could not be read, as the end of a sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof MixspaceError) return error.message.replace(/\.$/, '');
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : reasons[code] ? `${reasons[code]} (${code})` : code;
}
