/** Which point is which number: those by which the map is known come first. */

/** Cells of a side of the first level; twice as many in each behind it. */
const firstSide = 8;
const lastSide = 2_048;
/** Of a space-filling curve. */
const curveBits = 16;

/**
 * Points (x0, y0, ..., -1..1) by level, within a level along Hilbert's curve. Each cell of a level's grid that holds points
 * has one of them in this level or before it: the nearest to its center. All others are of the last level.
 * `order`: places of points by number; `levels`: how many there are up to the end of each.
 */
export function numbered(points: Float32Array): { order: Uint32Array; levels: number[] } {
  const count = points.length / 2;
  const order = new Uint32Array(count);
  const isTaken = new Uint8Array(count);
  const curve = Float64Array.from({ length: count }, (_, i) => alongCurve(points[2 * i]!, points[2 * i + 1]!));
  const levels: number[] = [];
  let taken = 0;
  const take = (places: number[]): void => {
    for (const place of places) isTaken[place] = 1;
    order.set(places.sort((a, b) => curve[a]! - curve[b]! || a - b), taken);
    taken += places.length;
    if (places.length > 0) levels.push(taken);
  };
  for (let side = firstSide; side <= lastSide && taken < count; side *= 2) take(newOf(points, side, isTaken));
  take(Array.from({ length: count }, (_, i) => i).filter((i) => isTaken[i] === 0));
  return { order, levels };
}

/** The nearest to the center of each cell in which none is taken. */
function newOf(points: Float32Array, side: number, isTaken: Uint8Array): number[] {
  const cells = new Map<number, { place: number; distance: number }>();
  for (let place = 0; place < isTaken.length; place++) {
    const [column, row] = [cellOf(points[2 * place]!, side), cellOf(points[2 * place + 1]!, side)];
    const cell = row * side + column;
    const best = cells.get(cell);
    if (best?.distance === -1) continue;
    const [dx, dy] = [points[2 * place]! - centerOf(column, side), points[2 * place + 1]! - centerOf(row, side)];
    const distance = isTaken[place] === 1 ? -1 : dx * dx + dy * dy;
    if (!best || distance < best.distance) cells.set(cell, { place, distance });
  }
  return [...cells.values()].flatMap(({ place, distance }) => (distance === -1 ? [] : [place]));
}

const cellOf = (value: number, side: number): number => Math.min(side - 1, Math.max(0, Math.floor(((value + 1) / 2) * side)));
const centerOf = (cell: number, side: number): number => ((cell + 0.5) / side) * 2 - 1;

/** Where on Hilbert's curve (Hilbert 1891) a point of -1..1 lies. */
export function alongCurve(x: number, y: number): number {
  const side = 2 ** curveBits;
  let [column, row] = [cellOf(x, side), cellOf(y, side)];
  let along = 0;
  for (let half = side / 2; half >= 1; half /= 2) {
    const right = (column & half) > 0 ? 1 : 0;
    const up = (row & half) > 0 ? 1 : 0;
    along += half * half * ((3 * right) ^ up);
    if (up === 1) continue;
    if (right === 1) [column, row] = [side - 1 - column, side - 1 - row];
    [column, row] = [row, column];
  }
  return along;
}
