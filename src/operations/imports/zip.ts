/** Pictures in a zip archive, by its central directory. */
import { crc32 } from 'node:zlib';
import { fromFdPromise, type Entry as ZipEntry, type ZipFile } from 'yauzl';
import { MixspaceError } from '../../errors.js';
import { isPicture } from './is-picture.js';
import { decodedName } from './entry-names.js';
import { Members, type MemberLimits } from './members.js';
import type { OpenedFile } from './place.js';
import { importBounds } from './settings.js';
import { noteFor, type Sides } from './side-files.js';
import { countLeftOut, type ImportSource, type LeftOutCounts, type Step } from './step.js';

/** PKWARE's APPNOTE: the local header before the name; bits and ids of fields. */
const localHeaderBytes = 30;
const encryptionBits = 0x2041;
const symbolicLink = 0o120000;
const fileType = 0o170000;

type Candidate = { name: string; reason: string } | { name: string; isCertain: boolean; entry: ZipEntry };

/**
 * `prefix`: what stands before the entries' names. Closes the file with the source.
 * @throws MixspaceError `invalid_request`: no zip archive, or a broken directory; `too_large`.
 */
export async function openZip(file: OpenedFile, prefix: string, limits: MemberLimits, signal: AbortSignal): Promise<ImportSource> {
  const zip = await fromFdPromise(file.handle.fd, { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: false }).catch((error: unknown) => {
    throw broken(error);
  });
  if (zip.entryCount > limits.entries) throw new MixspaceError('too_large', `The archive has ${zip.entryCount} entries; MIXSPACE_IMPORT_ENTRIES sets how many it may have: ${limits.entries}.`);
  const members = new Members(limits);
  const candidates: Candidate[] = [];
  const sides = new Map<string, ZipEntry>();
  const leftOut: LeftOutCounts = {};
  for (let read = 0; read < zip.entryCount; read++) {
    signal.throwIfAborted();
    const entry = await nextEntry(zip);
    const verdict = members.verdict({
      name: nameOf(entry),
      kind: kindOf(entry),
      bytes: entry.uncompressedSize,
      compressed: entry.compressedSize,
      isEncrypted: (entry.generalPurposeBitFlag & encryptionBits) !== 0,
    });
    if (verdict.is === 'left out') countLeftOut(leftOut, verdict.kind);
    else if (verdict.is === 'side file') sides.set(verdict.name, lightened(entry));
    else if (verdict.is === 'refused') candidates.push(verdict);
    else if (verdict.is === 'picture') candidates.push({ name: verdict.name, isCertain: verdict.isCertain, entry: lightened(entry) });
  }
  refuseOverlapping(candidates);
  const readable: Sides = {
    has: (name) => sides.has(name),
    read: async (name) => contentOf(zip, sides.get(name)!, importBounds.side),
  };
  const step = async (candidate: Candidate): Promise<Step> => {
    const name = prefix + candidate.name;
    if ('reason' in candidate) return { name, reason: candidate.reason };
    try {
      const bytes = await contentOf(zip, candidate.entry, limits.picture);
      if (!candidate.isCertain && !isPicture(bytes)) return { leftOut: 'other' };
      const { problems, ...note } = await noteFor(candidate.name, readable, prefix);
      return { name, bytes: bytes.length, entry: { source: name, content: { bytes }, ...note }, ...(problems.length === 0 ? {} : { problems }) };
    } catch (error) {
      signal.throwIfAborted();
      return { name, reason: `It cannot be read from the archive: ${(error as Error).message}.` };
    }
  };
  return {
    stamp: file.stamp,
    total: candidates.length,
    leftOut,
    steps: async function* (from) {
      for (const candidate of candidates.slice(from)) yield await step(candidate);
    },
    close: () => file.handle.close(),
  };
}

function nextEntry(zip: ZipFile): Promise<ZipEntry> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      zip.off('entry', onEntry);
      zip.off('error', onError);
      zip.off('end', onEnd);
    };
    const onEntry = (entry: ZipEntry): void => (settle(), resolve(entry));
    const onError = (error: Error): void => (settle(), reject(broken(error)));
    const onEnd = (): void => (settle(), reject(broken(new Error('its directory ends early'))));
    zip.on('entry', onEntry).on('error', onError).on('end', onEnd);
    zip.readEntry();
  });
}

const broken = (error: unknown): MixspaceError => new MixspaceError('invalid_request', `The zip archive cannot be read: ${(error as Error).message.replace(/\.$/, '')}.`, { param: 'path', cause: error });

function kindOf({ externalFileAttributes, versionMadeBy, fileNameRaw }: ZipEntry): 'file' | 'directory' | 'link' | 'device' {
  if (fileNameRaw.at(-1) === 0x2f || fileNameRaw.at(-1) === 0x5c) return 'directory';
  // Only who made it on Unix tells a mode.
  const mode = versionMadeBy >> 8 === 3 ? (externalFileAttributes >>> 16) & fileType : 0;
  if (mode === symbolicLink) return 'link';
  return mode === 0 || mode === 0o100000 ? 'file' : mode === 0o040000 ? 'directory' : 'device';
}

/** UTF-8 is told by a bit, or by Info-ZIP's field; without either many write it all the same. */
function nameOf({ fileNameRaw, extraFields }: ZipEntry): string {
  const unicode = extraFields.find(({ id, data }) => id === 0x7075 && data.length > 5 && data[0] === 1 && data.readUInt32LE(1) === crc32(fileNameRaw));
  return decodedName(unicode ? unicode.data.subarray(5) : fileNameRaw, cp437);
}

const upperCp437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';
const cp437 = (bytes: Buffer): string => Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : upperCp437[byte - 0x80])).join('');

const nothing = Buffer.alloc(0);

/** Without the bytes that a million of them would hold for nothing. */
function lightened(entry: ZipEntry): ZipEntry {
  return Object.assign(entry, { fileNameRaw: nothing, fileName: '', extraFieldRaw: nothing, extraFields: [], fileCommentRaw: nothing, fileComment: '', comment: '' });
}

/** Entries of an honest archive lie one behind the other; a bomb's are the same bytes again and again. */
function refuseOverlapping(candidates: Candidate[]): void {
  const at = candidates.flatMap((candidate, index) => ('entry' in candidate ? [{ index, start: candidate.entry.relativeOffsetOfLocalHeader, end: candidate.entry.relativeOffsetOfLocalHeader + localHeaderBytes + candidate.entry.fileNameLength + candidate.entry.compressedSize }] : []));
  at.sort((a, b) => a.start - b.start);
  const refused = new Set<number>();
  let last: (typeof at)[number] | undefined;
  for (const each of at) {
    if (last && each.start < last.end) refused.add(last.index).add(each.index);
    if (!last || each.end > last.end) last = each;
  }
  for (const index of refused) candidates[index] = { name: candidates[index]!.name, reason: "Its bytes overlap another entry's." };
}

/** @throws Error: it is not what the directory says. */
async function contentOf(zip: ZipFile, entry: ZipEntry, most: number): Promise<Buffer> {
  if (entry.uncompressedSize > most) throw new Error(`it has ${entry.uncompressedSize} bytes, at most ${most} are read`);
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) throw new Error(`it is compressed by a method that is not read (${entry.compressionMethod}); deflate is, and none`);
  const stream = await zip.openReadStreamPromise(entry);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    // Leaving the loop ends the stream.
    if ((bytes += piece.length) > entry.uncompressedSize) throw new Error('it has more bytes than the directory says');
    pieces.push(piece);
  }
  if (bytes !== entry.uncompressedSize) throw new Error('it has fewer bytes than the directory says');
  const content = Buffer.concat(pieces);
  if (crc32(content) !== entry.crc32) throw new Error('its checksum is wrong');
  return content;
}
