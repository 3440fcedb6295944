/** A number of JSON, exactly: what a double would change beyond its own rounding is refused. */

import type { Chunk } from './string-bytes.js';

const longest = 1_000;
const largestWhole = 2 ** 53;
const exactPowers = Array.from({ length: 23 }, (_, power) => 10 ** power);

interface NumberRead {
  value: number;
  /** Where what follows begins; where it goes wrong, if `malformed`. */
  end: number;
  /** `cut`: the bytes end with it, so that more of it may come. Else a sentence. */
  problem: 'malformed' | 'cut' | (string & {}) | undefined;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
/** One for all: a body holds a million numbers. */
const read: NumberRead = { value: 0, end: 0, problem: undefined };

/** The number that begins at `from`; the answer is good until the next call. */
export function readNumber(chunk: Chunk, from: number): Readonly<NumberRead> {
  const { bytes } = chunk;
  const length = bytes.length;
  const isNegative = bytes[from] === 0x2d;
  let at = isNegative ? from + 1 : from;
  const firstDigit = at;
  // As far as it stays exact: below 2 ** 53.
  let digits = 0;
  let power = 0;
  let byte = bytes[at];
  if (byte === 0x30) byte = bytes[++at];
  else for (; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = bytes[++at]) digits = digits * 10 + (byte - 0x30);
  if (at === firstDigit) return answer(0, at, at < length ? 'malformed' : 'cut');
  const isWhole = byte !== 0x2e && byte !== 0x65 && byte !== 0x45;
  let hasExponent = false;
  if (byte === 0x2e) {
    const point = at;
    for (byte = bytes[++at]; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = bytes[++at]) digits = digits * 10 + (byte - 0x30);
    power = at - point - 1;
    if (power === 0) return answer(0, at, at < length ? 'malformed' : 'cut');
  }
  if (byte === 0x65 || byte === 0x45) {
    hasExponent = true;
    byte = bytes[++at];
    if (byte === 0x2b || byte === 0x2d) byte = bytes[++at];
    const first = at;
    while (isDigit(bytes[at])) at++;
    if (at === first) return answer(0, at, at < length ? 'malformed' : 'cut');
  }
  if (at - from > longest) return answer(0, at, `A number is written in at most ${longest} characters.`);
  if (at === length) return answer(0, at, 'cut');
  // A digit behind a leading zero.
  if (isWhole && isDigit(byte)) return answer(0, at, 'malformed');

  if (isWhole) {
    if (digits >= largestWhole && !isAtMost(bytes, firstDigit, at)) {
      return answer(0, at, `A whole number lies between -${largestWhole} and ${largestWhole}: beyond, numbers would be rounded. Send it as a string.`);
    }
    return answer(isNegative ? -digits : digits, at, undefined);
  }
  // Both are exact, so that their quotient is the nearest double (Clinger 1990).
  if (!hasExponent && digits < largestWhole && power < exactPowers.length) {
    const value = digits / exactPowers[power]!;
    return answer(isNegative ? -value : value, at, undefined);
  }
  const text = (chunk.latin1 ??= bytes.toString('latin1')).slice(from, at);
  const value = Number(text);
  if (!Number.isFinite(value)) return answer(0, at, `The number ${text.slice(0, 40)} is too large for a double.`);
  if (value === 0 && /^[^eE]*[1-9]/.test(text)) return answer(0, at, `The number ${text.slice(0, 40)} is too small for a double: it would become 0.`);
  return answer(value, at, undefined);
}

/** Whether the digits are 2 ** 53 itself, of which a sum in doubles cannot tell the next. */
function isAtMost(bytes: Buffer, from: number, to: number): boolean {
  return bytes.toString('latin1', from, to) === String(largestWhole);
}

function answer(value: number, end: number, problem: NumberRead['problem']): NumberRead {
  read.value = value;
  read.end = end;
  read.problem = problem;
  return read;
}
