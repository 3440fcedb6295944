/** What two pictures are compared by: a few bytes of what they look like. */

/** Cells of a side of the luminance grid, and of the two of color. */
export const side = 32;
export const colorSide = 8;

export interface Signature {
  /** Luminance, `side` x `side`; then Cb and Cr, `colorSide` x `colorSide` each; 0..255, each cell its mean. */
  cells: Uint8Array;
  /** Width through height. */
  ratio: number;
  /** Variance of the Laplacian of the luminance (Pech-Pacheco et al. 2000), of the picture as it is given: higher is sharper. */
  sharpness: number;
}

/** `pixels`: RGB, 8 bits each, row by row. */
export function signatureOf(pixels: Uint8Array, width: number, height: number): Signature {
  const [luminance, blue, red] = [new Float32Array(width * height), new Float32Array(width * height), new Float32Array(width * height)];
  for (let i = 0, at = 0; i < luminance.length; i++, at += 3) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    // ITU-R BT.601, as in JPEG.
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    luminance[i] = y;
    blue[i] = 128 + 0.564 * (b - y);
    red[i] = 128 + 0.713 * (r - y);
  }
  const cells = new Uint8Array(side * side + 2 * colorSide * colorSide);
  const colors = side * side;
  const ofColor = colorSide * colorSide;
  shrink({ plane: luminance, width, height }, side, cells);
  shrink({ plane: blue, width, height }, colorSide, cells.subarray(colors));
  shrink({ plane: red, width, height }, colorSide, cells.subarray(colors + ofColor));
  return { cells, ratio: width / height, sharpness: laplacianVariance(luminance, width, height) };
}

interface Plane {
  plane: Float32Array;
  width: number;
  height: number;
}

/** Each cell is the mean of what it covers, parts of pixels included. */
function shrink({ plane, width, height }: Plane, cells: number, into: Uint8Array): void {
  const rows = new Float32Array(cells * height);
  const across = weights(width, cells);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < cells; x++) {
      const { first, parts } = across[x]!;
      let sum = 0;
      for (let i = 0; i < parts.length; i++) sum += parts[i]! * plane[y * width + first + i]!;
      rows[y * cells + x] = sum;
    }
  }
  weights(height, cells).forEach(({ first, parts }, y) => {
    for (let x = 0; x < cells; x++) {
      let sum = 0;
      for (let i = 0; i < parts.length; i++) sum += parts[i]! * rows[(first + i) * cells + x]!;
      into[y * cells + x] = Math.round(sum);
    }
  });
}

function weights(length: number, cells: number): { first: number; parts: number[] }[] {
  return Array.from({ length: cells }, (_, cell) => {
    const [start, end] = [(cell * length) / cells, ((cell + 1) * length) / cells];
    const first = Math.floor(start);
    const parts: number[] = [];
    for (let i = first; i < Math.min(length, Math.ceil(end)); i++) parts.push((Math.min(end, i + 1) - Math.max(start, i)) / (end - start));
    return { first, parts };
  });
}

function laplacianVariance(plane: Float32Array, width: number, height: number): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, i = y * width + 1; x < width - 1; x++, i++) {
      const value = plane[i - 1]! + plane[i + 1]! + plane[i - width]! + plane[i + width]! - 4 * plane[i]!;
      count++;
      sum += value;
      squares += value * value;
    }
  }
  return count === 0 ? 0 : Math.max(0, squares / count - (sum / count) ** 2);
}
