import type { Region } from './camera.js';

/** So many points are drawn at once; of more, those of the lowest numbers first. */
export const blockPoints = 131_072;

/** Where each point is: x0 y0 x1 y1 ..., NaN where there is none. */
export type Positions = Float32Array;

/** Points of successive numbers, sorted into a grid of square cells over the plane. */
export interface Block {
  /** Cells along an axis. */
  side: number;
  /** Of each cell, row by row, where its points start; and where the last one's end. */
  starts: Uint32Array;
  /** By cell, rising in each. */
  numbers: Uint32Array;
  x: Float32Array;
  y: Float32Array;
}

/** The points `from` to `to` (not it) that there are. */
export function blockOf(positions: Positions, from: number, to: number): Block {
  const side = to - from > 20_000 ? 256 : 64;
  const starts = new Uint32Array(side * side + 1);
  const cells = new Int32Array(to - from);
  for (let number = from; number < to; number++) {
    const cell = cellAt(positions[2 * number]!, positions[2 * number + 1]!, side);
    cells[number - from] = cell;
    if (cell >= 0) starts[cell + 1]!++;
  }
  for (let cell = 0; cell < side * side; cell++) starts[cell + 1]! += starts[cell]!;
  const count = starts[side * side]!;
  const block: Block = { side, starts, numbers: new Uint32Array(count), x: new Float32Array(count), y: new Float32Array(count) };
  const next = starts.slice();
  for (let number = from; number < to; number++) {
    const cell = cells[number - from]!;
    if (cell < 0) continue;
    const place = next[cell]!++;
    block.numbers[place] = number;
    block.x[place] = positions[2 * number]!;
    block.y[place] = positions[2 * number + 1]!;
  }
  return block;
}

export function blocksOf(positions: Positions): Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < positions.length / 2; from += blockPoints) blocks.push(blockOf(positions, from, Math.min(from + blockPoints, positions.length / 2)));
  return blocks;
}

/** -1: it is nowhere. */
export function cellAt(x: number, y: number, side: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return -1;
  return cellAlong(y, side) * side + cellAlong(x, side);
}

const cellAlong = (value: number, side: number): number => Math.min(Math.max(Math.floor(((value + 1) / 2) * side), 0), side - 1);

/** Runs of places of the cells that touch a region: each row's are one run. */
export function eachRun(block: Block, region: Region, visit: (from: number, to: number) => void): void {
  const { side, starts } = block;
  const [left, right] = [cellAlong(region.left, side), cellAlong(region.right, side)];
  for (let row = cellAlong(region.top, side), last = cellAlong(region.bottom, side); row <= last; row++) {
    const [from, to] = [starts[row * side + left]!, starts[row * side + right + 1]!];
    if (to > from) visit(from, to);
  }
}

/** Every point in the region. */
export function eachPoint(blocks: readonly Block[], region: Region, visit: (number: number, x: number, y: number) => void): void {
  for (const block of blocks) {
    eachRun(block, region, (from, to) => {
      for (let place = from; place < to; place++) {
        const [x, y] = [block.x[place]!, block.y[place]!];
        if (x >= region.left && x <= region.right && y >= region.top && y <= region.bottom) visit(block.numbers[place]!, x, y);
      }
    });
  }
}

/** The nearest at most `reach` (in the plane's units) away. */
export function nearestPoint(blocks: readonly Block[], at: { x: number; y: number; reach: number }, isCounted: (number: number) => boolean = () => true): number | undefined {
  const { x, y, reach } = at;
  let [best, least] = [undefined as number | undefined, reach * reach];
  eachPoint(blocks, { left: x - reach, right: x + reach, top: y - reach, bottom: y + reach }, (number, px, py) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least || (distance === least && best === undefined)) if (isCounted(number)) [best, least] = [number, distance];
  });
  return best;
}

export type Direction = 'left' | 'right' | 'up' | 'down';
const towards: Record<Direction, [x: number, y: number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
/** What lies aside counts as so much farther. */
const aside = 2;

/** The next point in a direction, within 45 degrees of it: the one with the least way, ways aside counting double. */
export function nextPoint(blocks: readonly Block[], from: { number: number; x: number; y: number }, direction: Direction, isCounted: (number: number) => boolean = () => true): number | undefined {
  const [dx, dy] = towards[direction];
  for (let reach = 1 / 256; reach <= 4; reach *= 2) {
    let [best, least] = [undefined as number | undefined, reach];
    eachPoint(blocks, { left: from.x - reach, right: from.x + reach, top: from.y - reach, bottom: from.y + reach }, (number, x, y) => {
      const along = (x - from.x) * dx + (y - from.y) * dy;
      const across = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
      if (number === from.number || along <= 0 || across > along) return;
      const way = along + aside * across;
      if (way < least && isCounted(number)) [best, least] = [number, way];
    });
    if (best !== undefined) return best;
  }
  return undefined;
}
