/** Where a picture is cut into tiles, each a part with an embedding of its own beside the whole's. */

export const tileChoices = ['none', '2x2', '3x3', 'auto'] as const;
/** What a collection wants. `auto`: as many as the picture's size and shape are worth. */
export type Tiles = (typeof tileChoices)[number];

/** [x, y, width, height] as fractions of the upright picture, 0..1. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** Times the length that the tower sees, from which on `auto` cuts the shorter side into two, and into three. */
const worthTwo = 2;
const worthThree = 4;
const most = 3;
const decimals = 1e4;

/** At most so many for one picture. */
export const mostTiles = most * most;

/** The tiles of a picture of so many pixels, row by row. `seen`: the side of the square that the model's tower takes, pixels. */
export function boxesOf(tiles: Tiles, { width, height }: { width: number; height: number }, seen: number): Box[] {
  if (tiles === 'none') return [];
  const [columns, rows] = tiles === 'auto' ? worthwhile(width, height, seen) : tiles === '2x2' ? [2, 2] : [3, 3];
  if (columns * rows === 1) return [];
  return spans(rows).flatMap(([y, h]) => spans(columns).map(([x, w]): Box => [x, y, w, h]));
}

/** Columns and rows: towers see squares, so tiles are to be nearly square; none has fewer pixels along the longer side than the tower sees. */
function worthwhile(width: number, height: number, seen: number): [number, number] {
  const short = Math.min(width, height);
  const across = short < worthTwo * seen ? 1 : short < worthThree * seen ? 2 : most;
  const long = Math.max(width, height);
  const along = Math.max(1, Math.min(most, Math.round((across * long) / short), Math.floor(long / seen)));
  return width >= height ? [along, across] : [across, along];
}

/** Beginnings and lengths of so many. None overlap: larger tiles, of which each shows a thing on a seam whole, find fewer small ones (measured with 15 and 30 % on photos of the training split). */
function spans(count: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => [rounded(i / count), rounded((i + 1) / count - rounded(i / count))]);
}

const rounded = (value: number): number => Math.round(value * decimals) / decimals;

export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What a box takes of a picture, whole pixels, at least one. */
export function rectangleOf([x, y, w, h]: Box, { width, height }: { width: number; height: number }): Rectangle {
  const [left, right] = edges(x, w, width);
  const [top, bottom] = edges(y, h, height);
  return { left, top, width: right - left, height: bottom - top };
}

function edges(from: number, length: number, pixels: number): [number, number] {
  const start = Math.min(pixels - 1, Math.round(from * pixels));
  return [start, Math.max(start + 1, Math.min(pixels, Math.round((from + length) * pixels)))];
}

export const sameBoxes = (a: readonly Box[], b: readonly Box[]): boolean => a.length === b.length && a.every((box, i) => box.every((value, at) => value === b[i]![at]));
