/** What an AV1 sequence header says of the samples (AV1 bitstream specification, 5.5). */

export interface Av1Samples {
  width: number;
  height: number;
  bits: 8 | 10 | 12;
  monochrome: boolean;
  /** Which edges of the color planes are halved. */
  across: boolean;
  down: boolean;
  /** ISO/IEC 23091-2; 2: not told. */
  matrix: number;
  fullRange: boolean;
}

const sequenceHeader = 1;

/** The first sequence header among these OBUs; undefined where there is none. @throws RangeError where it ends early. */
export function readSequenceHeader(obus: Uint8Array): Av1Samples | undefined {
  for (let at = 0; at < obus.length; ) {
    const head = obus[at]!;
    const type = (head >> 3) & 15;
    at += head & 4 ? 2 : 1;
    let size = obus.length - at;
    if (head & 2) {
      size = 0;
      for (let shift = 0; shift < 35; shift += 7) {
        const byte = obus[at++] ?? 0;
        size += (byte & 0x7f) * 2 ** shift;
        if (!(byte & 0x80)) break;
      }
    }
    if (type === sequenceHeader) return read(new Bits(obus.subarray(at, at + size)));
    at += size;
  }
  return undefined;
}

class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new RangeError('The sequence header ends early');
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  flag(): boolean {
    return this.take(1) === 1;
  }

  /** A count of zeros, a one, and as many bits (uvlc). */
  skipLong(): void {
    let zeros = 0;
    while (zeros < 32 && !this.flag()) zeros++;
    if (zeros < 32) this.take(zeros);
  }
}

function read(bits: Bits): Av1Samples {
  const profile = bits.take(3);
  bits.take(1);
  const reduced = bits.flag();
  if (reduced) bits.take(5);
  else skipOperatingPoints(bits);
  const widthBits = bits.take(4) + 1;
  const heightBits = bits.take(4) + 1;
  const width = bits.take(widthBits) + 1;
  const height = bits.take(heightBits) + 1;
  if (!reduced && bits.flag()) bits.take(7);
  bits.take(3);
  if (!reduced) {
    bits.take(4);
    const orderHint = bits.flag();
    if (orderHint) bits.take(2);
    const force = bits.flag() ? 2 : bits.take(1);
    if (force > 0 && !bits.flag()) bits.take(1);
    if (orderHint) bits.take(3);
  }
  bits.take(3);
  return { width, height, ...readColors(bits, profile) };
}

/** Timing, decoder model and display delays. */
function skipOperatingPoints(bits: Bits): void {
  let delayBits = 0;
  const timed = bits.flag();
  if (timed) {
    bits.take(64);
    if (bits.flag()) bits.skipLong();
    if (bits.flag()) {
      delayBits = bits.take(5) + 1;
      bits.take(42);
    }
  }
  const delayed = bits.flag();
  for (let left = bits.take(5) + 1; left > 0; left--) {
    bits.take(12);
    if (bits.take(5) > 7) bits.take(1);
    if (delayBits > 0 && bits.flag()) bits.take(2 * delayBits + 1);
    if (delayed && bits.flag()) bits.take(4);
  }
}

function readColors(bits: Bits, profile: number): Omit<Av1Samples, 'width' | 'height'> {
  const deep = bits.flag();
  const depth = profile === 2 && deep && bits.flag() ? 12 : deep ? 10 : 8;
  const monochrome = profile !== 1 && bits.flag();
  const [primaries, transfer, matrix] = bits.flag() ? [bits.take(8), bits.take(8), bits.take(8)] : [2, 2, 2];
  if (monochrome) return { bits: depth, monochrome, across: false, down: false, matrix, fullRange: bits.flag() };
  if (primaries === 1 && transfer === 13 && matrix === 0) return { bits: depth, monochrome, across: false, down: false, matrix, fullRange: true };
  const fullRange = bits.flag();
  let [across, down] = [profile !== 1, profile === 0];
  if (profile === 2 && depth === 12) {
    across = bits.flag();
    down = across && bits.flag();
  }
  return { bits: depth, monochrome, across, down, matrix, fullRange };
}
