/** Lists of URLs: JSON Lines, or CSV with a line of names before all others. */
import { parse } from 'csv-parse';
import { limits } from '../../contract/limits.js';
import { Id, Metadata } from '../../contract/shared.js';
import { MixspaceError } from '../../errors.js';
import { withoutSecrets } from '../../secrets.js';
import { boundedJson } from './bounded-json.js';
import type { OpenedFile } from './place.js';
import { importBounds } from './settings.js';
import type { ImportSource, Step } from './step.js';

export type ListFormat = 'jsonl' | 'csv';

/** Bytes that a picture is taken to have before it is fetched: so many are under way at once. */
const likelyBytes = 4e6;
const shownCharacters = 200;

const refuse = (message: string): MixspaceError => new MixspaceError('invalid_request', message, { param: 'path' });

/** Closes the file with the source. @throws MixspaceError `invalid_request`: it cannot be read as a list; `too_large`. */
export async function openList(file: OpenedFile, format: ListFormat, { entries, signal }: { entries: number; signal: AbortSignal }): Promise<ImportSource> {
  const records = format === 'csv' ? csvRecords : jsonRecords;
  let total = 0;
  for await (const _ of records(file)) {
    signal.throwIfAborted();
    if (++total > entries) throw new MixspaceError('too_large', `The list has more than ${entries} entries; MIXSPACE_IMPORT_ENTRIES sets how many it may have.`);
  }
  return {
    stamp: file.stamp,
    total,
    leftOut: {},
    steps: async function* (from) {
      let at = 0;
      for await (const { line, value } of records(file)) if (at++ >= from) yield stepOf(line, value);
    },
    close: () => file.handle.close(),
  };
}

interface Listed {
  line: number;
  /** A sentence where it could not be read. */
  value: Record<string, unknown> | string;
}

function stepOf(line: number, value: Record<string, unknown> | string): Step {
  const place = `line ${line}`;
  if (typeof value === 'string') return { name: place, reason: value };
  const { url, id, metadata: own, ...others } = value;
  if (typeof url !== 'string' || url === '') return { name: place, reason: 'It has no url.' };
  const name = withoutSecrets(url).slice(0, limits.sourceBytes);
  if (url.length > limits.urlLength) return { name: name.slice(0, shownCharacters), reason: `A URL has at most ${limits.urlLength} characters.` };
  if (!/^https:\/\//i.test(url)) return { name: name.slice(0, shownCharacters), reason: 'Only https URLs are fetched.' };
  const isNested = typeof own === 'object' && own !== null && !Array.isArray(own);
  const fields = { ...others, ...(own === undefined ? {} : isNested ? own : { metadata: own }) };
  const metadata = Object.keys(fields).length === 0 ? undefined : Metadata.safeParse(fields);
  if (metadata && !metadata.success) return { name, reason: `Its metadata cannot be kept: ${metadata.error.issues[0]!.message}` };
  const known = id === undefined || id === null || id === '' ? undefined : Id.safeParse(typeof id === 'number' ? String(id) : id);
  if (known && !known.success) return { name, reason: `Its id cannot be kept: ${known.error.issues[0]!.message}` };
  return { name, bytes: likelyBytes, entry: { content: { image: url }, ...(known ? { id: known.data } : {}), ...(metadata ? { metadata: metadata.data } : {}) } };
}

async function* jsonRecords(file: OpenedFile): AsyncGenerator<Listed> {
  let line = 0;
  for await (const text of linesOf(file)) {
    line++;
    if (typeof text === 'object') yield { line, value: `A line has at most ${importBounds.line} bytes.` };
    else if (text.trim() !== '') yield { line, value: recordOf(text) };
  }
}

function recordOf(text: string): Record<string, unknown> | string {
  try {
    const value = boundedJson(text);
    if (typeof value === 'string') return { url: value };
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'It is no JSON object.';
    return value as Record<string, unknown>;
  } catch (error) {
    return `It cannot be read: ${(error as Error).message}.`;
  }
}

/** Without their ends; `tooLong` in place of one that has more bytes than are read. */
async function* linesOf(file: OpenedFile): AsyncGenerator<string | { tooLong: true }> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const taken = (): string | { tooLong: true } => {
    const text = restBytes > importBounds.line ? { tooLong: true as const } : Buffer.concat(rest).toString('utf8').replace(/^\ufeff/, '');
    rest = [];
    restBytes = 0;
    return text;
  };
  for await (const piece of bytesOf(file)) {
    let from = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
      keep(piece.subarray(from, end));
      from = end + 1;
      yield taken();
    }
    keep(piece.subarray(from));
  }
  if (restBytes > 0) yield taken();

  function keep(bytes: Buffer): void {
    restBytes += bytes.length;
    if (restBytes <= importBounds.line) rest.push(bytes);
    else rest = [];
  }
}

const bytesOf = ({ handle, size }: OpenedFile): AsyncIterable<Buffer> => (size === 0 ? (async function* () {})() : handle.createReadStream({ start: 0, end: size - 1, autoClose: false, highWaterMark: 2 ** 16 }));

async function* csvRecords(file: OpenedFile): AsyncGenerator<Listed> {
  const parser = parse({ bom: true, relax_column_count: true, skip_empty_lines: true, max_record_size: importBounds.line, info: true });
  const feeding = (async () => {
    for await (const piece of bytesOf(file)) {
      if (parser.destroyed) return;
      if (!parser.write(piece)) await new Promise<void>((resolve) => (wake = resolve));
    }
    parser.end();
  })().catch((error: unknown) => void parser.destroy(error as Error));
  let wake: () => void = () => undefined;
  parser.on('drain', () => wake());
  parser.on('close', () => wake());
  let names: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (!names) {
        names = record.map((name) => name.trim()).map((name) => (name.toLowerCase() === 'url' || name.toLowerCase() === 'id' ? name.toLowerCase() : name));
        if (!names.includes('url')) throw refuse('The first line of the CSV file names no field url.');
        continue;
      }
      const fields = names.flatMap((name, index): [string, string][] => (name === '' || record[index] === undefined || record[index] === '' ? [] : [[name, record[index]]]));
      yield { line: info.lines, value: Object.fromEntries(fields) };
    }
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    throw refuse(`The CSV file cannot be read: ${(error as Error).message.replace(/\.$/, '')}.`);
  } finally {
    parser.destroy();
    await feeding;
  }
}
