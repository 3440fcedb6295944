import { regionOf, type Camera } from './camera.js';
import { eachPoint, type Block, type Positions } from './points.js';
import { nobody, type Pyramid } from './pyramid.js';

/** A picture in the plane, in its units: its middle, and the side of its square. */
export interface Place {
  number: number;
  x: number;
  y: number;
  size: number;
}

/** How much of its cell's side a picture takes: little where the cells hold crowds that their dots show, nearly all where they hold few. */
const [leastShare, mostShare] = [0.44, 0.86];
const [fewPoints, manyPoints] = [4, 256];

function shareOf(crowd: number): number {
  const far = Math.min(Math.max(Math.log(crowd / fewPoints) / Math.log(manyPoints / fewPoints), 0), 1);
  return mostShare + (leastShare - mostShare) * far;
}

/**
 * Which points are shown as pictures, and where. The plane's cells, of which each is `cellPixels` to twice that wide on the screen, show
 * their point of the lowest number, each within its cell: so no two overlap, and panning changes nothing. A cell's parts show it still when one comes nearer.
 */
export function layOutPictures(camera: Camera, map: { positions: Positions; blocks: readonly Block[]; pyramid: Pyramid; isShown?: Uint8Array | undefined }, cellPixels: number): Place[] {
  const level = Math.max(0, Math.floor(Math.log2((2 * camera.scale) / cellPixels)));
  const side = 2 ** level;
  const cell = 2 / side;
  const { lowest, crowd } = map.pyramid;
  const finest = lowest.length - 1;
  const size = cell * shareOf(level <= finest ? crowd[level]! : Math.max(1, crowd[finest]! / 4 ** (level - finest)));
  const region = regionOf(camera);
  const along = (value: number): number => Math.min(Math.max(Math.floor((value + 1) / cell), 0), side - 1);
  const [left, right, top, bottom] = [along(region.left), along(region.right), along(region.top), along(region.bottom)];
  const places: Place[] = [];
  const put = (number: number, column: number, row: number): void => {
    const inside = (value: number, index: number): number => Math.min(Math.max(value, index * cell - 1 + size / 2), (index + 1) * cell - 1 - size / 2);
    places.push({ number, size, x: inside(map.positions[2 * number]!, column), y: inside(map.positions[2 * number + 1]!, row) });
  };
  if (level <= finest) {
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const number = lowest[level]![row * side + column]!;
        if (number !== nobody) put(number, column, row);
      }
    }
    return places;
  }
  const found = new Map<number, number>();
  const whole = { left: left * cell - 1, top: top * cell - 1, right: (right + 1) * cell - 1, bottom: (bottom + 1) * cell - 1 };
  eachPoint(map.blocks, whole, (number, x, y) => {
    if (map.isShown && map.isShown[number] === 0) return;
    const at = along(y) * side + along(x);
    const before = found.get(at);
    if (before === undefined || before > number) found.set(at, number);
  });
  for (const [at, number] of found) put(number, at % side, Math.floor(at / side));
  return places;
}
