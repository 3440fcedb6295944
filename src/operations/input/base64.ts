import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some milliseconds of decoding; whole groups of four. */
const charactersPerTurn = 2 ** 20;

/**
 * Both alphabets, padding optional, white space ignored wherever and however long it is; undefined for anything else, and
 * `longer` as soon as there are more than `most` bytes. Node's decoder alone skips what it does not know.
 */
export async function decodeBase64(text: string, most: number): Promise<Uint8Array | 'longer' | undefined> {
  const parts: Buffer[] = [];
  let sum = 0;
  let rest = '';
  let isPadded = false;
  for (let at = 0; at < text.length || at === 0; at += charactersPerTurn) {
    if (at > 0) await nextTurn();
    const isLast = at + charactersPerTurn >= text.length;
    let piece = rest + text.slice(at, at + charactersPerTurn);
    let [group, bytes] = firstGroups(piece, isLast);
    // What the decoder skipped is missing from its answer: in long pieces that tells without looking at each character.
    if (bytes.length !== base64Length(group) || piece.length < 4096) {
      piece = piece.replace(/\s+/g, '');
      [group, bytes] = firstGroups(piece, isLast);
      if (bytes.length !== base64Length(group) || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(group)) return undefined;
    }
    // Behind the padding nothing follows.
    if (isPadded && piece.length > 0) return undefined;
    isPadded ||= group.endsWith('=');
    rest = piece.slice(group.length);
    sum += bytes.length;
    if (sum > most) return 'longer';
    parts.push(bytes);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function firstGroups(piece: string, isLast: boolean): [text: string, bytes: Buffer] {
  const text = isLast ? piece : piece.slice(0, piece.length & ~3);
  return [text, Buffer.from(text, 'base64')];
}

function base64Length(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / 4);
}
