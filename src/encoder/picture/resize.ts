/**
 * Pillow's resize, bit for bit (Pillow 13, src/libImaging/Resample.c): separable, antialiased, weights in 22-bit
 * fixed point, an 8-bit picture between the two passes.
 */
export interface Bitmap {
  /** Rows of `width * channels` bytes, channels interleaved. */
  pixels: Uint8Array;
  width: number;
  height: number;
  channels: 1 | 3;
}

export type Interpolation = 'bicubic' | 'bilinear';

/** Of the resized picture, in its pixels. */
export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

const precisionBits = 22;
const half = 1 << (precisionBits - 1);

const filters: Record<Interpolation, { support: number; weight: (x: number) => number }> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: bicubicWeight },
};

/** Keys' cubic with a = -0.5, as Pillow evaluates it. */
function bicubicWeight(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

/** For each output position of one axis: the first source position, how many, and their weights. */
interface AxisWeights {
  first: Int32Array;
  count: Int32Array;
  /** `stride` weights an output position, 22-bit fixed point. */
  weights: Int32Array;
  stride: number;
}

function axisWeights(sourceSize: number, size: number, from: number, length: number, interpolation: Interpolation): AxisWeights {
  const { support: radius, weight } = filters[interpolation];
  const scale = sourceSize / size;
  const filterScale = Math.max(scale, 1);
  const support = radius * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const center = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(sourceSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let k = 0; k < end - start; k++) {
      const w = weight((k + start - center + 0.5) * (1 / filterScale));
      exact[k] = w;
      sum += w;
    }
    for (let k = 0; k < end - start; k++) {
      const w = (sum === 0 ? exact[k]! : exact[k]! / sum) * (1 << precisionBits);
      weights[i * stride + k] = Math.trunc(w < 0 ? w - 0.5 : w + 0.5);
    }
    first[i] = start;
    count[i] = end - start;
  }
  return { first, count, weights, stride };
}

/**
 * `window` of what the source resized to `width` x `height` would be. Only the rows and columns that the window needs
 * are computed.
 */
export function resize(source: Bitmap, width: number, height: number, window: Window, interpolation: Interpolation): Bitmap {
  const columns = source.width === width ? undefined : axisWeights(source.width, width, window.left, window.width, interpolation);
  const rows = source.height === height ? undefined : axisWeights(source.height, height, window.top, window.height, interpolation);
  const across = (bitmap: Bitmap, top: number, count: number) => (columns ? resizeColumns(bitmap, columns, top, count) : cutColumns(bitmap, window.left, window.width, top, count));
  const down = (bitmap: Bitmap, left: number, count: number) => (rows ? resizeRows(bitmap, rows, left, count) : cutColumns(bitmap, left, count, window.top, window.height));

  // Pillow 13 takes the pass first that throws more away (its pull request 9549); with 8 bits between, the order shows.
  const rowsFirst = source.height > height && source.height - height > 2 * (source.width - width);
  if (rowsFirst && rows && columns) {
    const { start, end } = extent(columns);
    return resizeColumns(down(source, start, end - start), shifted(columns, start), 0, window.height);
  }
  const { start, end } = rows ? extent(rows) : { start: window.top, end: window.top + window.height };
  const narrowed = across(source, start, end - start);
  return rows ? resizeRows(narrowed, shifted(rows, start), 0, window.width) : narrowed;
}

/** The source positions that any output position reads. */
function extent({ first, count }: AxisWeights): { start: number; end: number } {
  let start = Infinity;
  let end = 0;
  for (let i = 0; i < first.length; i++) {
    start = Math.min(start, first[i]!);
    end = Math.max(end, first[i]! + count[i]!);
  }
  return { start, end };
}

function shifted(axis: AxisWeights, by: number): AxisWeights {
  return { ...axis, first: axis.first.map((start) => start - by) };
}

function cutColumns(source: Bitmap, left: number, width: number, top: number, height: number): Bitmap {
  const { channels } = source;
  if (left === 0 && width === source.width) {
    return { pixels: source.pixels.subarray(top * width * channels, (top + height) * width * channels), width, height, channels };
  }
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * source.width + left) * channels;
    pixels.set(source.pixels.subarray(from, from + width * channels), y * width * channels);
  }
  return { pixels, width, height, channels };
}

function resizeColumns(source: Bitmap, columns: AxisWeights, top: number, height: number): Bitmap {
  const width = columns.first.length;
  const pixels = new Uint8ClampedArray(width * height * source.channels);
  if (source.channels === 3) narrowRgb(source, columns, top, height, pixels);
  else narrowGrey(source, columns, top, height, pixels);
  return { pixels: new Uint8Array(pixels.buffer), width, height, channels: source.channels };
}

function narrowRgb(source: Bitmap, { first, count, weights, stride }: AxisWeights, top: number, height: number, out: Uint8ClampedArray): void {
  const { pixels } = source;
  const width = first.length;
  let o = 0;
  for (let y = 0; y < height; y++) {
    const row = (top + y) * source.width * 3;
    for (let x = 0; x < width; x++) {
      let r = half;
      let g = half;
      let b = half;
      let p = row + first[x]! * 3;
      const end = x * stride + count[x]!;
      for (let k = x * stride; k < end; k++) {
        const w = weights[k]!;
        r = (r + Math.imul(pixels[p]!, w)) | 0;
        g = (g + Math.imul(pixels[p + 1]!, w)) | 0;
        b = (b + Math.imul(pixels[p + 2]!, w)) | 0;
        p += 3;
      }
      out[o] = r >> precisionBits;
      out[o + 1] = g >> precisionBits;
      out[o + 2] = b >> precisionBits;
      o += 3;
    }
  }
}

function narrowGrey(source: Bitmap, { first, count, weights, stride }: AxisWeights, top: number, height: number, out: Uint8ClampedArray): void {
  const { pixels } = source;
  const width = first.length;
  let o = 0;
  for (let y = 0; y < height; y++) {
    const row = (top + y) * source.width;
    for (let x = 0; x < width; x++) {
      let sum = half;
      const p = row + first[x]! - x * stride;
      const end = x * stride + count[x]!;
      for (let k = x * stride; k < end; k++) sum = (sum + Math.imul(pixels[p + k]!, weights[k]!)) | 0;
      out[o++] = sum >> precisionBits;
    }
  }
}

/** Row by row into one row of sums, so that memory is read in order. */
function resizeRows(source: Bitmap, { first, count, weights, stride }: AxisWeights, left: number, width: number): Bitmap {
  const { channels } = source;
  const height = first.length;
  const length = width * channels;
  const pixels = new Uint8ClampedArray(length * height);
  const sums = new Int32Array(length);
  for (let y = 0; y < height; y++) {
    sums.fill(half);
    for (let k = 0; k < count[y]!; k++) {
      const w = weights[y * stride + k]!;
      const row = ((first[y]! + k) * source.width + left) * channels;
      const values = source.pixels.subarray(row, row + length);
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + Math.imul(values[i]!, w);
    }
    const o = y * length;
    for (let i = 0; i < length; i++) pixels[o + i] = sums[i]! >> precisionBits;
  }
  return { pixels: new Uint8Array(pixels.buffer), width, height, channels };
}
