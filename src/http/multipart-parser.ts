/** A multipart/form-data body, read chunk by chunk in plain calls: what is wrong with it is thrown where it is pushed. */
import { MixspaceError } from '../errors.js';
import { headerParameters } from './header-parameters.js';

/** Bytes. */
const longestBoundary = 70;
const longestHeaders = 16_384;
const longestPadding = 64;

const lineEnd = Buffer.from('\r\n');
const headersEnd = Buffer.from('\r\n\r\n');

export interface PartHeaders {
  /** The name of the form's field. */
  field: string;
  /** `filename*` if it is there, else `filename`; with its folders, where it has any. */
  fileName?: string | MixspaceError;
  contentType?: string;
}

/** What becomes of one part's bytes. They are views of the chunks that were pushed. */
export interface PartSink {
  write(bytes: Buffer): void;
  end(): void;
}

/** @throws MixspaceError `invalid_request`. */
export function boundaryOf(contentType: string | undefined): string {
  const boundary = headerParameters(contentType ?? '')?.parameters.get('boundary') ?? '';
  if (boundary === '') throw new MixspaceError('invalid_request', 'The multipart body has no boundary.', { param: 'Content-Type' });
  if (Buffer.byteLength(boundary, 'latin1') > longestBoundary) throw new MixspaceError('invalid_request', `A multipart boundary is at most ${longestBoundary} characters.`, { param: 'Content-Type' });
  return boundary;
}

export class MultipartParser {
  readonly #delimiter: Buffer;
  readonly #open: (headers: PartHeaders, index: number) => PartSink;
  #state: 'preamble' | 'headers' | 'content' | 'epilogue' = 'preamble';
  /** Bytes that cannot be told yet from the beginning of a delimiter, or headers whose end has not come. */
  #waiting: Buffer = lineEnd;
  #sink: PartSink | undefined;
  #parts = 0;

  /** @param open Called with the headers of each part; it throws for a part that it does not take. */
  constructor(boundary: string, open: (headers: PartHeaders, index: number) => PartSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#open = open;
  }

  /** @throws MixspaceError `invalid_request`, and what `open` and its sinks throw. */
  push(chunk: Buffer): void {
    let bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    this.#waiting = Buffer.alloc(0);
    while (bytes.length > 0 && this.#state !== 'epilogue') {
      const rest = this.#state === 'headers' ? this.#readHeaders(bytes) : this.#readContent(bytes);
      if (rest === undefined) return;
      bytes = rest;
    }
  }

  /** @throws MixspaceError `invalid_request`: the body ends before its last delimiter. */
  end(): void {
    if (this.#state !== 'epilogue') throw unreadable('it ends before its closing boundary');
  }

  /** Up to the end of the next delimiter; answers what follows it, if it has come. */
  #readContent(bytes: Buffer): Buffer | undefined {
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#delimiter, from);
      if (at === -1) {
        const undecided = bytes.length - this.#beginningAtEnd(bytes);
        this.#sink?.write(bytes.subarray(0, undecided));
        this.#waiting = bytes.subarray(undecided);
        return undefined;
      }
      const next = afterDelimiter(bytes, at + this.#delimiter.length);
      if (next === 'more') {
        this.#sink?.write(bytes.subarray(0, at));
        this.#waiting = bytes.subarray(at);
        return undefined;
      }
      if (next === 'content') {
        from = at + 1;
        continue;
      }
      this.#sink?.write(bytes.subarray(0, at));
      this.#sink?.end();
      this.#sink = undefined;
      this.#state = next.last ? 'epilogue' : 'headers';
      return bytes.subarray(next.at);
    }
  }

  /** How many bytes at the end may be the beginning of a delimiter. */
  #beginningAtEnd(bytes: Buffer): number {
    let length = Math.min(this.#delimiter.length - 1, bytes.length);
    while (length > 0 && !bytes.subarray(bytes.length - length).equals(this.#delimiter.subarray(0, length))) length--;
    return length;
  }

  #readHeaders(bytes: Buffer): Buffer | undefined {
    const isBare = bytes.subarray(0, 2).equals(lineEnd);
    const end = isBare ? 0 : bytes.indexOf(headersEnd);
    if ((end === -1 ? bytes.length : end) > longestHeaders) throw unreadable(`the headers of a part are over ${longestHeaders} bytes`);
    if (end === -1) {
      this.#waiting = bytes;
      return undefined;
    }
    this.#sink = this.#open(partHeaders(bytes.subarray(0, end).toString('latin1'), this.#parts), this.#parts);
    this.#parts++;
    this.#state = 'content';
    return bytes.subarray(isBare ? lineEnd.length : end + headersEnd.length);
  }
}

/** Whether what follows makes it a delimiter (closing, or with padding to the end of its line), or content that looks like one. */
function afterDelimiter(bytes: Buffer, start: number): { last: boolean; at: number } | 'content' | 'more' {
  if (bytes.subarray(start, start + 2).toString('latin1') === '--') return { last: true, at: start + 2 };
  let at = start;
  while (at - start < longestPadding && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  const line = bytes.subarray(at, at + 2).toString('latin1');
  if (line === '\r\n') return { last: false, at: at + 2 };
  const undecided = at === bytes.length || (at + 1 === bytes.length && (line === '\r' || (line === '-' && at === start)));
  return undecided ? 'more' : 'content';
}

/** Header bytes come as one character each, so that none is lost before it is known what they are. */
function partHeaders(text: string, index: number): PartHeaders {
  const values = new Map<string, string>();
  for (const line of text === '' ? [] : text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) throw unreadable(`part ${index + 1} has a header that is none`);
    if (values.has(name)) throw unreadable(`part ${index + 1} has the header ${name.slice(0, 100)} twice`);
    values.set(name, line.slice(colon + 1).trim());
  }
  const disposition = headerParameters(values.get('content-disposition') ?? '');
  if (disposition?.value !== 'form-data') throw unreadable(`part ${index + 1} has no Content-Disposition: form-data that can be read`);
  const name = disposition.parameters.get('name');
  if (name === undefined || name === '') throw unreadable(`part ${index + 1} has no name`);
  const encoding = values.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (!['7bit', '8bit', 'binary'].includes(encoding)) throw unreadable(`part ${index + 1} has a Content-Transfer-Encoding; send its bytes as they are`);
  const fileName = fileNameOf(disposition.parameters);
  const contentType = values.get('content-type');
  return {
    field: decoded(Buffer.from(name, 'latin1')) ?? refuseName(index),
    ...(fileName === undefined ? {} : { fileName }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function refuseName(index: number): never {
  throw unreadable(`the name of part ${index + 1} is not UTF-8`);
}

function fileNameOf(parameters: Map<string, string>): string | MixspaceError | undefined {
  const extended = parameters.get('filename*');
  const plain = parameters.get('filename');
  if (extended === undefined && (plain === undefined || plain === '')) return undefined;
  const name = extended === undefined ? decoded(Buffer.from(plain!, 'latin1')) : extendedValue(extended);
  if (name === undefined) return new MixspaceError('invalid_request', 'The file name is not UTF-8.', { param: 'file' });
  if (name.includes('\0')) return new MixspaceError('invalid_request', 'The file name holds a NUL.', { param: 'file' });
  const told = folderKept(name);
  return told === '' ? undefined : told;
}

/**
 * A name with the folders that browsers send before it (`webkitRelativePath`), as it is only told, never opened: without
 * `.`, `..` and empty ones. Of a path from the root, or one that Windows writes, the last name alone: the folders of a
 * sender's machine are nobody's business (RFC 7578, 4.2).
 */
function folderKept(name: string): string {
  const isPath = name.startsWith('/') || name.includes('\\');
  const names = name.slice(isPath ? Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1 : 0).split('/');
  if (/^\.{0,2}$/.test(names.at(-1)!)) return '';
  return names.filter((each) => !/^\.{0,2}$/.test(each)).join('/');
}

/** RFC 8187: `UTF-8'en'%e2%82%ac`. */
function extendedValue(text: string): string | undefined {
  const [, charset, coded] = /^([\w-]+)'[\w-]*'((?:%[0-9a-f]{2}|[!#$&+\-.^_`|~\w])*)$/i.exec(text) ?? [];
  if (charset === undefined) return undefined;
  const bytes = Buffer.from(coded!.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
  if (/^utf-8$/i.test(charset)) return decoded(bytes);
  return /^iso-8859-1$/i.test(charset) ? bytes.toString('latin1') : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8, or undefined where it is none. */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export function unreadable(reason: string): MixspaceError {
  return new MixspaceError('invalid_request', `The multipart body cannot be read: ${reason}.`);
}
