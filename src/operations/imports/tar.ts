/** Pictures in a tar archive, plain or gzipped, which can only be gone through from its beginning: once to see what is in it, once to take it in. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Entry as TarEntry, type Headers } from 'tar-stream';
import { MixspaceError } from '../../errors.js';
import { decodedName } from './entry-names.js';
import { isPicture } from './is-picture.js';
import { Members, tooManyBytes, type Member, type MemberLimits, type Verdict } from './members.js';
import type { OpenedFile } from './place.js';
import { importBounds } from './settings.js';
import { noteFor, sampleOf, type Sides } from './side-files.js';
import { countLeftOut, type ImportSource, type LeftOutCounts, type Step } from './step.js';

const blockBytes = 512;
/** Bytes between the end of an entry and the next one's beginning: headers that speak of it. */
const mostHeaderBytes = 1e6;
/** Zeros behind the last entry. */
const mostPadding = 16e6;

interface TarFile {
  file: OpenedFile;
  isGzipped: boolean;
  prefix: string;
  limits: MemberLimits;
  signal: AbortSignal;
}

/** Closes the file with the source. @throws MixspaceError `invalid_request`: no tar archive, cut or damaged; `too_large`. */
export async function openTar(tar: TarFile): Promise<ImportSource> {
  const leftOut: LeftOutCounts = {};
  const kept = new Map<string, Buffer>();
  let keptBytes = 0;
  let total = 0;
  for await (const { verdict, entry, header } of membersOf(tar)) {
    if (verdict.is === 'left out') countLeftOut(leftOut, verdict.kind);
    else if (verdict.is === 'picture' || verdict.is === 'refused') total++;
    else if (verdict.is === 'side file' && /\.(json|xmp)$/i.test(verdict.name) && header.size! <= importBounds.side && keptBytes + header.size! <= importBounds.sides) {
      const bytes = await wholeOf(entry);
      keptBytes += bytes.length;
      kept.set(verdict.name, bytes);
    }
  }
  return { stamp: tar.file.stamp, total, leftOut, steps: (from) => stepsOf(tar, kept, from), close: () => tar.file.handle.close() };
}

/** Members of one folder and one name up to its first dot, one behind the other, are one sample, as WebDataset writes them. */
interface Sample {
  key: string;
  pictures: { name: string; isCertain: boolean; bytes: Buffer }[];
  sides: Map<string, Buffer>;
}

async function* stepsOf(tar: TarFile, kept: Map<string, Buffer>, from: number): AsyncGenerator<Step> {
  const { prefix } = tar;
  let at = 0;
  let sample: Sample | undefined;
  for await (const { verdict, entry, header } of membersOf(tar)) {
    const key = 'name' in verdict ? sampleOf(verdict.name) : undefined;
    if (sample && key !== sample.key) {
      yield* stepsOfSample(sample, kept, prefix);
      sample = undefined;
    }
    if (verdict.is === 'refused') {
      if (sample) yield* stepsOfSample(sample, kept, prefix);
      sample = undefined;
      if (at++ >= from) yield { name: prefix + verdict.name, reason: verdict.reason };
    } else if (verdict.is === 'picture') {
      if (at++ < from) continue;
      sample ??= { key: key!, pictures: [], sides: new Map() };
      // One sample is not to hold a whole archive.
      if (sample.pictures.length > 0 && sample.pictures.reduce((sum, { bytes }) => sum + bytes.length, 0) + header.size! > 2 * tar.limits.picture) {
        yield* stepsOfSample(sample, kept, prefix);
        sample.pictures = [];
      }
      sample.pictures.push({ ...verdict, bytes: await wholeOf(entry) });
    } else if (verdict.is === 'side file' && at >= from && header.size! <= importBounds.side && !kept.has(verdict.name)) {
      sample ??= { key: key!, pictures: [], sides: new Map() };
      sample.sides.set(verdict.name, await wholeOf(entry));
    }
  }
  if (sample) yield* stepsOfSample(sample, kept, prefix);
}

async function* stepsOfSample({ pictures, sides: own }: Sample, kept: Map<string, Buffer>, prefix: string): AsyncGenerator<Step> {
  const sides: Sides = { has: (name) => own.has(name) || kept.has(name), read: async (name) => own.get(name) ?? kept.get(name)! };
  for (const { name, isCertain, bytes } of pictures) {
    if (!isCertain && !isPicture(bytes)) yield { leftOut: 'other' };
    else {
      const { problems, ...note } = await noteFor(name, sides, prefix);
      yield { name: prefix + name, bytes: bytes.length, entry: { source: prefix + name, content: { bytes }, ...note }, ...(problems.length === 0 ? {} : { problems }) };
    }
  }
}

interface Seen {
  verdict: Verdict;
  header: Headers;
  entry: TarEntry;
}

/** Each entry is read, or left unread, before the next is asked for. */
async function* membersOf({ file, isGzipped, limits, signal }: TarFile): AsyncGenerator<Seen> {
  const members = new Members(limits);
  const reading = new AbortController();
  const parser = extract({ filenameEncoding: 'latin1', allowUnknownFormat: true });
  /** Where the entry that was seen last ends. */
  const progress = { end: 0 };
  const raw = file.handle.createReadStream({ start: 0, end: Math.max(0, file.size - 1), autoClose: false, highWaterMark: 2 ** 18 });
  const compressed = { bytes: 0 };
  const counted = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      compressed.bytes += piece.length;
      yield piece;
    }
  };
  const guarded = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let fed = 0;
    let padding = 0;
    for await (const piece of pieces) {
      if (fed - progress.end - padding > mostHeaderBytes) throw new MixspaceError('too_large', `The archive has more than ${mostHeaderBytes} bytes that speak of one entry.`);
      if (fed > limits.bytes) throw tooManyBytes(limits.bytes);
      if (isGzipped && fed > mostPadding && fed > compressed.bytes * importBounds.ratio) throw new MixspaceError('too_large', `The archive has more than ${importBounds.ratio} bytes for each compressed one.`);
      fed += piece.length;
      if (fed > progress.end && padding < mostPadding && isZero(piece)) padding += piece.length;
      yield piece;
    }
  };
  const options = { signal: AbortSignal.any([signal, reading.signal]) };
  let failure: unknown;
  const bytes = isGzipped ? pipeline(raw, counted, createGunzip(), guarded, toParser(parser), options) : pipeline(raw, guarded, toParser(parser), options);
  const feeding = bytes.catch((error: unknown) => {
    failure ??= error;
    parser.destroy(error as Error);
  });
  try {
    for await (const entry of parser as AsyncIterable<TarEntry>) {
      const { header } = entry;
      progress.end = (entry as unknown as { offset: number }).offset + blockBytes + Math.ceil((header.size ?? 0) / blockBytes) * blockBytes;
      yield { verdict: members.verdict(memberOf(header)), header, entry };
      entry.resume();
    }
    await feeding;
    if (failure !== undefined) throw failure as Error;
  } catch (error) {
    signal.throwIfAborted();
    const cause = failure ?? error;
    if (cause instanceof MixspaceError) throw cause;
    throw new MixspaceError('invalid_request', `The tar archive cannot be read: ${(cause as Error).message.replace(/\.$/, '')}.`, { param: 'path', cause });
  } finally {
    reading.abort();
    parser.destroy();
    await feeding;
  }
}

const zeros = Buffer.alloc(2 ** 18);
const isZero = (piece: Buffer): boolean => piece.length <= zeros.length && piece.equals(zeros.subarray(0, piece.length));

/** The parser is no stream of Node's own, and is written to by hand. */
function toParser(parser: ReturnType<typeof extract>): (pieces: AsyncIterable<Buffer>) => Promise<void> {
  let wake: () => void = () => undefined;
  parser.on('drain', () => wake());
  parser.on('close', () => wake());
  return async (pieces) => {
    for await (const piece of pieces) {
      if (parser.destroyed) return;
      const drained = new Promise<void>((resolve) => (wake = resolve));
      if (!parser.write(piece)) await drained;
    }
    parser.end();
  };
}

const kinds: Record<string, Member['kind']> = { file: 'file', 'contiguous-file': 'file', directory: 'directory', link: 'link', symlink: 'link', 'character-device': 'device', 'block-device': 'device', fifo: 'device' };

function memberOf({ name, size, type, pax }: Headers & { pax?: Record<string, string> }): Member {
  // Names of PAX are decoded; others came byte by byte.
  const isDecoded = pax?.['path'] !== undefined || /[^\0-\xff]/.test(name);
  const read = isDecoded ? name : decodedName(Buffer.from(name, 'latin1'), (bytes) => bytes.toString('latin1'));
  return { name: read, kind: kinds[type ?? 'file'] ?? 'device', bytes: size ?? 0 };
}

async function wholeOf(entry: TarEntry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of entry as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}
