/**
 * PostgreSQL's text and jsonb hold every character but U+0000 and halves of surrogate pairs. U+0000 and U+0001 are written
 * as two characters each, so that the order by code points stays what it is and a beginning stays a beginning; half a pair,
 * which is no character, becomes U+FFFD.
 */
const toWrite = /[\u0000\u0001]/g;
const written = /\u0001([\u0001\u0002])/g;

export function toStored(text: string): string {
  return (text.includes('\u0000') || text.includes('\u0001') ? text.replace(toWrite, (character) => (character === '\u0000' ? '\u0001\u0001' : '\u0001\u0002')) : text).toWellFormed();
}

export function fromStored(stored: string): string {
  return stored.includes('\u0001') ? stored.replace(written, (_, second) => (second === '\u0001' ? '\u0000' : '\u0001')) : stored;
}

/** JSON for a column of jsonb: each string and each key in it as `toStored` has it. */
export function toStoredJson(value: unknown): string {
  return JSON.stringify(storedValue(value));
}

function storedValue(value: unknown): unknown {
  if (typeof value === 'string') return toStored(value);
  if (Array.isArray(value)) return value.map(storedValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [toStored(key), storedValue(each)]));
}
