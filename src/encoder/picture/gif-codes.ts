/** GIF's LZW (GIF89a, appendix F), strict where Pillow's GifDecode.c is. */
const longestCode = 12;
const tableSize = 2 ** longestCode;

/**
 * Fills `out` with the indices whose codes begin at `at`, in blocks of up to 255 bytes. `broken`: a code that cannot be;
 * `cut`: the codes end before `out` is full. What comes behind it is not looked at.
 */
export function unpack(bytes: Uint8Array, at: number, out: Uint8Array): 'whole' | 'broken' | 'cut' {
  const bits = bytes[at++] ?? longestCode + 1;
  if (bits > longestCode) return 'broken';
  const clear = 1 << bits;
  const end = clear + 1;
  // Of each code: its last index, the code before that, how many indices it stands for.
  const last = new Uint8Array(tableSize);
  const before = new Uint16Array(tableSize);
  const lengths = new Uint16Array(tableSize).fill(1);
  let next = clear + 2;
  let size = bits + 1;
  let previous = -1;
  let first = 0;
  let filled = 0;
  let buffer = 0;
  let buffered = 0;
  let left = 0;
  for (;;) {
    while (buffered < size) {
      if (left === 0) {
        left = bytes[at++] ?? 0;
        // The reference waits for the whole block before it goes on.
        if (left === 0 || at + left > bytes.length) return 'cut';
      }
      buffer |= bytes[at++]! << buffered;
      buffered += 8;
      left--;
    }
    const code = buffer & ((1 << size) - 1);
    buffer >>>= size;
    buffered -= size;
    if (code === clear) {
      next = clear + 2;
      size = bits + 1;
      previous = -1;
      continue;
    }
    if (code === end) return 'cut';
    if (previous < 0) {
      if (code > clear) return 'broken';
      first = code;
      out[filled++] = code;
    } else {
      if (code > next || (code === next && next >= tableSize)) return 'broken';
      const known = code === next ? previous : code;
      const length = known < clear ? 1 : lengths[known]!;
      let write = filled + length - 1;
      let each = known;
      for (; each > clear; each = before[each]!, write--) if (write < out.length) out[write] = last[each]!;
      if (write < out.length) out[write] = each;
      first = each;
      filled += length;
      if (code === next) {
        if (filled < out.length) out[filled] = first;
        filled++;
      }
      if (next < tableSize) {
        last[next] = first;
        before[next] = previous;
        lengths[next] = (previous < clear ? 1 : lengths[previous]!) + 1;
        if (next === (1 << size) - 1 && size < longestCode) size++;
        next++;
      }
    }
    previous = code;
    if (filled >= out.length) return 'whole';
  }
}
