/**
 * SentencePiece's precompiled character map, as the reference applies it (huggingface/tokenizers, spm_precompiled):
 * a double-array trie of source strings (darts-clone) and their replacements, one NUL-terminated string after the other.
 */
export type Charsmap = (text: string) => string;

/** Graphemes of fewer bytes of UTF-8 are looked up whole, others letter by letter. */
const longestWhole = 6;

/** `base64`: the trie's length in bytes (uint32, little-endian), the trie, the replacements. */
export function readCharsmap(base64: string): Charsmap {
  const bytes = Buffer.from(base64, 'base64');
  const trieBytes = bytes.readUInt32LE(0);
  // Copied, so that it is aligned.
  const trie = new Uint32Array(new Uint8Array(bytes.subarray(4, 4 + trieBytes)).buffer);
  const replacements = bytes.subarray(4 + trieBytes);
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

  const replacementOf = (part: string): string | undefined => {
    const at = shortestPrefix(trie, Buffer.from(part));
    return at === undefined ? undefined : replacements.toString('utf8', at, replacements.indexOf(0, at));
  };
  const known = new Map<string, string>();
  const mapped = (grapheme: string): string => {
    const whole = Buffer.byteLength(grapheme) < longestWhole ? replacementOf(grapheme) : undefined;
    return whole ?? Array.from(grapheme, (letter) => replacementOf(letter) ?? letter).join('');
  };
  const remembered = (grapheme: string): string => {
    let result = known.get(grapheme);
    if (result === undefined) {
      result = mapped(grapheme);
      if (known.size < 10_000) known.set(grapheme, result);
    }
    return result;
  };
  return (text) => {
    let result = '';
    for (const { segment } of graphemes.segment(text)) result += remembered(segment);
    return result;
  };
}

/** Where the replacement of the shortest key that begins `key` starts. */
function shortestPrefix(trie: Uint32Array, key: Uint8Array): number | undefined {
  let position = offsetOf(trie[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return undefined;
    position ^= byte;
    const unit = trie[position] ?? 0;
    // Bit 31 marks a value; the label is in the low byte.
    if (((unit & 0x800000ff) >>> 0) !== byte) return undefined;
    position ^= offsetOf(unit);
    const hasLeaf = (unit & 0x100) !== 0;
    if (hasLeaf) return (trie[position] ?? 0) & 0x7fffffff;
  }
  return undefined;
}

/** Bits 10 and up, eight times as much where bit 9 is set. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
