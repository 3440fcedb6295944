/** What an import is of: told by the first bytes, not by names. */
import { MixspaceError } from '../../errors.js';
import type { Context } from '../context.js';
import { openFolder } from './folder.js';
import { isPicture } from './is-picture.js';
import { openPlain, placeUnder, type OpenedFile } from './place.js';
import type { ImportSource } from './step.js';
import { openTar } from './tar.js';
import { openList, type ListFormat } from './url-list.js';
import { openZip } from './zip.js';

export interface ImportParameters {
  /** Absolute; or the id of a file that was sent. */
  from: { path: string } | { upload: string; name: string };
}

type FileKind = 'zip' | 'tar' | 'tar.gz' | 'picture' | ListFormat;
const archives: readonly FileKind[] = ['zip', 'tar', 'tar.gz'];

const headBytes = 64 * 1024;

/** @throws MixspaceError `unprocessable`, `invalid_request`: it is nothing that is imported; `too_large`. */
export async function openSource(context: Context, { from }: ImportParameters, signal: AbortSignal): Promise<ImportSource> {
  const { imports, limits, roots } = context;
  const place = 'path' in from ? await placeUnder(context, from.path) : { real: imports.uploads.fileOf(from.upload), isFolder: false };
  if (place.isFolder) return openFolder(context, place.real, signal);
  const file = await openPlain(place.real, 'path' in from ? roots : undefined);
  try {
    const kind = await kindOf(file);
    if (kind === undefined) throw new MixspaceError('unprocessable', unknownSentence, { param: 'path' });
    if (kind === 'picture') {
      await file.handle.close();
      return await openFolder(context, place.real, signal);
    }
    const prefix = `${'path' in from ? place.real : from.name}/`;
    const memberLimits = { entries: imports.entries, bytes: imports.bytes, picture: limits.picture };
    if (kind === 'zip') return await openZip(file, prefix, memberLimits, signal);
    if (kind === 'tar' || kind === 'tar.gz') return await openTar({ file, isGzipped: kind === 'tar.gz', prefix, limits: memberLimits, signal });
    return await openList(file, kind, { entries: imports.entries, signal });
  } catch (error) {
    await file.handle.close().catch(() => undefined);
    throw error;
  }
}

/** @throws MixspaceError as of `openSource`, of what can be seen at once. */
export async function requireSource(context: Context, { path: given, onlyArchive }: { path: string; onlyArchive: boolean }): Promise<void> {
  const { real, isFolder } = await placeUnder(context, given);
  if (isFolder && !onlyArchive) return;
  if (isFolder) throw new MixspaceError('unprocessable', 'The path is a folder, no archive.', { param: 'archive' });
  const { handle, ...file } = await openPlain(real, context.roots);
  try {
    const kind = await kindOf({ handle, ...file });
    if (onlyArchive && (kind === undefined || !archives.includes(kind))) throw new MixspaceError('unprocessable', 'The file is no archive: zip, tar and tar.gz are read.', { param: 'archive' });
    if (kind === undefined) throw new MixspaceError('unprocessable', unknownSentence, { param: 'path' });
  } finally {
    await handle.close();
  }
}

const unknownSentence = 'The file is no archive (zip, tar, tar.gz) and no list of URLs (JSON Lines, or CSV whose first line names a field url).';

/** @throws MixspaceError `unprocessable`: it is no archive and no list. */
export async function requireSent(file: OpenedFile): Promise<void> {
  const kind = await kindOf(file);
  if (kind === undefined || kind === 'picture') throw new MixspaceError('unprocessable', unknownSentence);
}

/** Undefined for what is nothing that is imported. */
async function kindOf({ handle, size }: OpenedFile): Promise<FileKind | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, headBytes)), 0, Math.min(size, headBytes), 0);
  const head = buffer.subarray(0, bytesRead);
  const text = head.toString('latin1');
  if (/^PK(\x03\x04|\x05\x06|\x07\x08)/.test(text)) return 'zip';
  if (text.startsWith('\x1f\x8b')) return 'tar.gz';
  if (isTarHeader(head)) return 'tar';
  if (isPicture(head)) return 'picture';
  const first = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^[{"]/.test(first) && /^\{|^"https:/i.test(first)) return 'jsonl';
  const [line = ''] = first.split(/\r?\n/, 1);
  return line.split(/[,]/).some((name) => /^"?url"?$/i.test(name.trim())) ? 'csv' : undefined;
}

/** POSIX ustar: the checksum is the sum of the header's bytes, with its own place taken for spaces. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false;
  const told = Number.parseInt(head.toString('latin1', 148, 156).replace(/[\0 ].*$/s, ''), 8);
  const sum = head.subarray(0, 512).reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  return told === sum;
}
