/** Names of entries as archives have them, of any bytes and any intent. */
import { importBounds } from './settings.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 where it is, else by `fallback`. */
export function decodedName(bytes: Buffer, fallback: (bytes: Buffer) => string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return fallback(bytes);
  }
}

/** The name as one path with `/`, without `.` and empty parts; or a sentence that says why it names nothing inside a folder. */
export function checkedName(given: string): { name: string; reason?: string } {
  const shown = given.slice(0, 200);
  if (given.includes('\0')) return { name: shown.replaceAll('\0', '\\0'), reason: 'Its name has a NUL.' };
  if (Buffer.byteLength(given) > importBounds.name) return { name: shown, reason: `Its name is longer than ${importBounds.name} bytes.` };
  const slashed = given.replaceAll('\\', '/');
  if (slashed.startsWith('/') || /^[a-z]:/i.test(slashed)) return { name: given, reason: 'Its name is an absolute path.' };
  const parts = slashed.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return { name: given, reason: 'Its name leads out of the archive (..).' };
  if (parts.length === 0) return { name: shown, reason: 'It has no name.' };
  return { name: parts.join('/') };
}
