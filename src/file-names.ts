/**
 * Names of files as they are told. On most systems a name is bytes, and not all bytes are UTF-8: a path that is UTF-8
 * is told as it is, any other as a `file:` URL (RFC 8089) whose bytes that are no UTF-8, and what a URL cannot hold, are
 * percent-encoded. An absolute path begins with `/`, so the two are never mistaken for each other, and each leads back to its bytes.
 */
import path from 'node:path';

const scheme = 'file://';
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escaped = /[\u0000-\u0020"#%<>?[\\\]^`{|}\u007f-\u009f]/g;

/** How an absolute path is told. */
export function toldName(bytes: Uint8Array): string {
  return utf8(bytes) ?? scheme + Buffer.from(bytes).toString('latin1').replace(runs, (run) => escapedRun(Buffer.from(run, 'latin1')));
}

/** Its bytes; of a `file:` URL of another host, and of one that holds a NUL, none. */
export function nameBytes(told: string): Buffer | undefined {
  if (!isUrl(told)) return Buffer.from(told);
  const pathname = told.slice(scheme.length).replace(/^localhost(?=\/)/i, '');
  if (!pathname.startsWith('/')) return undefined;
  const bytes = Buffer.from(Buffer.from(pathname).toString('latin1').replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
  return bytes.includes(0) ? undefined : bytes;
}

/** What `node:fs` takes: a name without a broken byte stays a string. */
export const openable = (told: string): string | Buffer => (isUrl(told) ? (nameBytes(told) ?? '') : told);

/** Absolute, and told in the one way: a path of the folder one is in, or a `file:` URL of what could be told plainly. */
export function absoluteName(told: string): string {
  const bytes = isUrl(told) ? nameBytes(told) : undefined;
  return bytes ? toldName(Buffer.from(path.resolve('/', bytes.toString('latin1')), 'latin1')) : path.resolve(told);
}

/** How the folder itself and what lies in it may begin, told: plainly and, where a name in it is no UTF-8, as a URL. */
export const beginningsOf = (folder: string): string[] => (isUrl(folder) ? [folder] : [folder, scheme + Buffer.from(folder).toString('latin1').replace(runs, (run) => escapedRun(Buffer.from(run, 'latin1')))]);

/** One character a byte: what `node:path` can reckon with, whatever the bytes are. */
export const bytewise = (told: string): string => (nameBytes(told) ?? Buffer.from(told)).toString('latin1');

/** Whether a path is the folder, or lies in it; both absolute, without links. */
export function isWithin(folder: string, file: string): boolean {
  const [from, to] = isUrl(folder) || isUrl(file) ? [bytewise(folder), bytewise(file)] : [folder, file];
  const relative = path.relative(from, to);
  return relative === '' || (!relative.startsWith('..' + path.sep) && relative !== '..' && !path.isAbsolute(relative));
}

const isUrl = (told: string): boolean => told.startsWith(scheme);

/** Without a `/`: each is looked at by itself, so that a byte of one name never joins one of the next. */
const runs = /[^/]+/g;

function escapedRun(bytes: Buffer): string {
  const whole = utf8(bytes);
  if (whole !== undefined) return whole.replace(escaped, (each) => percent(Buffer.from(each)));
  let told = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((most) => at + most <= bytes.length && utf8(bytes.subarray(at, at + most)) !== undefined);
    const piece = bytes.subarray(at, at + (length ?? 1));
    told += length === undefined ? percent(piece) : utf8(piece)!.replace(escaped, (each) => percent(Buffer.from(each)));
    at += piece.length;
  }
  return told;
}

const percent = (bytes: Buffer): string => Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
