import { cellAt, type Positions } from './points.js';

export const nobody = 0xffff_ffff;

/** Of each cell of the plane, at each fineness, the point of the lowest number. */
export interface Pyramid {
  /** By level: 4^level cells, row by row; `nobody` where a cell is empty. */
  lowest: Uint32Array[];
  /** Points for each cell that is not empty, by level. */
  crowd: number[];
}

/** `isShown`: by number, 1 for those that count; left out: all. */
export function pyramidOf(positions: Positions, isShown?: Uint8Array): Pyramid {
  const count = positions.length / 2;
  const base = count > 300_000 ? 9 : count > 20_000 ? 8 : 7;
  const lowest = Array.from({ length: base + 1 }, (_, level) => new Uint32Array(4 ** level).fill(nobody));
  const finest = lowest[base]!;
  let shown = 0;
  for (let number = 0; number < count; number++) {
    if (isShown && isShown[number] === 0) continue;
    const cell = cellAt(positions[2 * number]!, positions[2 * number + 1]!, 2 ** base);
    if (cell < 0) continue;
    shown++;
    if (finest[cell]! > number) finest[cell] = number;
  }
  for (let level = base - 1; level >= 0; level--) {
    const [side, cells, finer] = [2 ** level, lowest[level]!, lowest[level + 1]!];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const first = 4 * row * side + 2 * column;
        cells[row * side + column] = Math.min(finer[first]!, finer[first + 1]!, finer[first + 2 * side]!, finer[first + 2 * side + 1]!);
      }
    }
  }
  const crowd = lowest.map((cells) => shown / Math.max(1, cells.reduce((filled, number) => filled + (number === nobody ? 0 : 1), 0)));
  return { lowest, crowd };
}
