/**
 * libheif enlarges an AVIF's halved color planes by repeating their samples, the reference's decoder (libavif with
 * libyuv) by weights of 3 to 1 to the nearer neighbors: up to 99 of 255 apart beside sharp edges. Here the planes are
 * won back from the decoded RGB, where they still stand in blocks of equal color, and enlarged as the reference does.
 */
export interface ChromaLayout {
  /** Which edges of the color planes are halved. */
  across: boolean;
  down: boolean;
  /** Share of red and blue in luma. */
  red: number;
  blue: number;
}

/** ISO/IEC 23091-2 matrix coefficients; all others are BT.601's. */
const lumaShares: Record<number, { red: number; blue: number }> = { 1: { red: 0.2126, blue: 0.0722 }, 9: { red: 0.2627, blue: 0.0593 } };

/** From the boxes of an AVIF file (AV1-ISOBMFF 2.3.3; ISO/IEC 14496-12, 12.1.5). Undefined where nothing is halved, or blocks may not begin at even pixels. */
export function chromaLayout(file: Uint8Array, width: number, height: number): ChromaLayout | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  for (let at = bytes.indexOf('av1C'); at >= 0; at = bytes.indexOf('av1C', at + 4)) {
    const flags = bytes[at + 6] ?? 0;
    const monochrome = (flags & 0x10) !== 0;
    if (monochrome) continue;
    const across = (flags & 0x08) !== 0;
    const down = (flags & 0x04) !== 0;
    const turned = bytes.includes('irot') || bytes.includes('imir');
    if ((!across && !down) || (turned && (across !== down || width % 2 !== 0 || height % 2 !== 0))) return undefined;
    const nclx = bytes.indexOf('nclx');
    const matrix = nclx >= 0 && nclx + 10 <= bytes.length ? bytes.readUInt16BE(nclx + 8) : 6;
    return { across, down, ...(lumaShares[matrix] ?? { red: 0.299, blue: 0.114 }) };
  }
  return undefined;
}

/** Mean difference of red between two pixels of a block: beyond it, the decoder did not repeat samples. */
const repeatedWithin = 1;

/** `samples`: RGB or RGBA, 8 bits, interleaved, changed in place. Left alone where the colors do not stand in blocks. */
export function smoothChroma(samples: Uint8Array, width: number, height: number, channels: 3 | 4, layout: ChromaLayout): void {
  const blocks = readBlocks(samples, width, height, channels, layout);
  if (blocks) writeSmooth(samples, width, height, channels, layout, blocks);
}

interface Blocks {
  width: number;
  height: number;
  /** R - Y and B - Y of each block. */
  red: Float32Array;
  blue: Float32Array;
}

/** Values at either end tell no color; a block of nothing else is read as it is. */
function readBlocks(samples: Uint8Array, width: number, height: number, channels: number, { across, down, red, blue }: ChromaLayout): Blocks | undefined {
  const shiftX = across ? 1 : 0;
  const shiftY = down ? 1 : 0;
  const green = 1 - red - blue;
  const blocks: Blocks = { width: (width + shiftX) >> shiftX, height: (height + shiftY) >> shiftY, red: new Float32Array(0), blue: new Float32Array(0) };
  const count = blocks.width * blocks.height;
  blocks.red = new Float32Array(count);
  blocks.blue = new Float32Array(count);
  const seen = new Uint8Array(count);
  const clippedToo = { red: new Float32Array(count), blue: new Float32Array(count), seen: new Uint8Array(count) };
  let spread = 0;
  let pairs = 0;
  for (let y = 0, i = 0; y < height; y++) {
    const row = (y >> shiftY) * blocks.width;
    let lastBlock = -1;
    let lastRed = 0;
    for (let x = 0; x < width; x++, i += channels) {
      const r = samples[i]!;
      const g = samples[i + 1]!;
      const b = samples[i + 2]!;
      const block = row + (x >> shiftX);
      const luma = red * r + green * g + blue * b;
      const into = (r - 1) >>> 0 < 254 && (g - 1) >>> 0 < 254 && (b - 1) >>> 0 < 254;
      if (into) {
        blocks.red[block]! += r - luma;
        blocks.blue[block]! += b - luma;
        seen[block]!++;
        if (block === lastBlock) {
          spread += Math.abs(r - luma - lastRed);
          pairs++;
        }
        lastBlock = block;
        lastRed = r - luma;
      } else {
        clippedToo.red[block]! += r - luma;
        clippedToo.blue[block]! += b - luma;
        clippedToo.seen[block]!++;
      }
    }
  }
  if (spread > repeatedWithin * pairs) return undefined;
  for (let block = 0; block < count; block++) {
    const from = seen[block]! > 0 ? { red: blocks.red, blue: blocks.blue, seen } : clippedToo;
    blocks.red[block] = from.red[block]! / from.seen[block]!;
    blocks.blue[block] = from.blue[block]! / from.seen[block]!;
  }
  return blocks;
}

function writeSmooth(samples: Uint8Array, width: number, height: number, channels: number, { across, down, red, blue }: ChromaLayout, blocks: Blocks): void {
  const green = 1 - red - blue;
  const redOfGreen = red / green;
  const blueOfGreen = blue / green;
  const last = blocks.width - 1;
  const out = new Uint8ClampedArray(samples.buffer, samples.byteOffset, samples.byteLength);
  // Three to one to the nearer row, then to the nearer column; along an edge that is not halved, all to the sample itself.
  const reds = new Float32Array(blocks.width);
  const blues = new Float32Array(blocks.width);
  for (let y = 0, i = 0; y < height; y++) {
    const row = (down ? y >> 1 : y) * blocks.width;
    const next = (down ? Math.min(blocks.height - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1))) : y) * blocks.width;
    for (let column = 0; column <= last; column++) {
      reds[column] = (3 * blocks.red[row + column]! + blocks.red[next + column]!) / 4;
      blues[column] = (3 * blocks.blue[row + column]! + blocks.blue[next + column]!) / 4;
    }
    for (let x = 0; x < width; x++, i += channels) {
      const column = across ? x >> 1 : x;
      const beside = across ? Math.min(last, Math.max(0, column + (x & 1 ? 1 : -1))) : x;
      const r = samples[i]!;
      const g = samples[i + 1]!;
      const b = samples[i + 2]!;
      const inside = (r - 1) >>> 0 < 254 && (g - 1) >>> 0 < 254 && (b - 1) >>> 0 < 254;
      const luma = inside ? red * r + green * g + blue * b : lumaOfClipped(r, g, b, blocks.red[row + column]!, blocks.blue[row + column]!, red, green, blue);
      const redness = (3 * reds[column]! + reds[beside]!) / 4;
      const blueness = (3 * blues[column]! + blues[beside]!) / 4;
      out[i] = luma + redness;
      out[i + 1] = luma - redOfGreen * redness - blueOfGreen * blueness;
      out[i + 2] = luma + blueness;
    }
  }
}

/** From the channels that are not at either end, by the color of the block. */
function lumaOfClipped(r: number, g: number, b: number, redness: number, blueness: number, red: number, green: number, blue: number): number {
  let sum = 0;
  let weight = 0;
  if (r > 0 && r < 255) {
    sum += red * (r - redness);
    weight += red;
  }
  if (g > 0 && g < 255) {
    sum += green * g + red * redness + blue * blueness;
    weight += green;
  }
  if (b > 0 && b < 255) {
    sum += blue * (b - blueness);
    weight += blue;
  }
  return weight > 0 ? sum / weight : red * r + green * g + blue * b;
}
