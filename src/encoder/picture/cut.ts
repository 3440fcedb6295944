import { rectangleOf, type Box, type Rectangle } from '../../domain/tiles.js';
import { fitting, framed, type Preprocessing } from './preprocess.js';
import { columnsTurned, rowsTurned, swapped, uprightSize, type Bitmap, type BitmapShape, type Resizing } from './resize.js';

/** Samples that are copied out of a picture at a time. */
const bandBytes = 2 ** 20;

/** One tile of a picture, resized while the picture's rows come: what the tower would see of the tile as a picture of its own. */
export class Cut {
  readonly #preprocessing: Preprocessing;
  readonly #stored: Rectangle;
  #resizing: Resizing | undefined;

  constructor(picture: Omit<BitmapShape, 'channels'>, box: Box, preprocessing: Preprocessing) {
    this.#preprocessing = preprocessing;
    this.#stored = storedRectangle(rectangleOf(box, uprightSize(picture)), picture);
  }

  /** Whole rows of the picture as stored, the first of which is its row `top`; in their order. The square that the tower sees, with the tile's last row. */
  take(rows: Bitmap, top: number): Bitmap | undefined {
    const { width, height, left, top: first } = this.#stored;
    const [from, to] = [Math.max(first, top), Math.min(first + height, top + rows.height)];
    if (from >= to) return undefined;
    const resizing = (this.#resizing ??= fitting({ width, height, channels: rows.channels, orientation: rows.orientation }, this.#preprocessing));
    const pitch = rows.width * rows.channels;
    const length = width * rows.channels;
    const band = Math.max(1, Math.floor(bandBytes / length));
    for (let row = from; row < to; row += band) {
      const end = Math.min(to, row + band);
      resizing.take(columnsOf(rows.pixels.subarray((row - top) * pitch, (end - top) * pitch), pitch, left * rows.channels, length));
    }
    return to === first + height ? framed(resizing.finish(), this.#preprocessing) : undefined;
  }
}

/** `length` samples of each row, from `start` on. */
function columnsOf(samples: Uint8Array, pitch: number, start: number, length: number): Uint8Array {
  if (length === pitch) return samples;
  const rows = samples.length / pitch;
  const out = new Uint8Array(rows * length);
  for (let row = 0; row < rows; row++) out.set(samples.subarray(row * pitch + start, row * pitch + start + length), row * length);
  return out;
}

/** Where a rectangle of the upright picture lies among the rows and columns as stored. */
function storedRectangle({ left, top, width, height }: Rectangle, { width: columns, height: rows, orientation }: Omit<BitmapShape, 'channels'>): Rectangle {
  const [x, y, w, h] = swapped(orientation) ? [top, left, height, width] : [left, top, width, height];
  return { left: columnsTurned(orientation) ? columns - x - w : x, top: rowsTurned(orientation) ? rows - y - h : y, width: w, height: h };
}
