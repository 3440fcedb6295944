import type { Block } from './points.js';
import { eachPoint } from './points.js';

/** What one selects by, in the plane's units. */
export type Shape = { kind: 'lasso'; corners: readonly Corner[] } | { kind: 'circle'; x: number; y: number; radius: number };
export type Corner = readonly [x: number, y: number];

/** An address names no more. */
const mostCorners = 64;

/** The numbers of the points inside, rising. */
export function pointsIn(shape: Shape, blocks: readonly Block[], isCounted: (number: number) => boolean = () => true): Uint32Array {
  const found: number[] = [];
  const isInside = shape.kind === 'circle' ? (x: number, y: number) => (x - shape.x) ** 2 + (y - shape.y) ** 2 <= shape.radius ** 2 : (x: number, y: number) => isWithin(shape.corners, x, y);
  eachPoint(blocks, regionAround(shape), (number, x, y) => {
    if (isInside(x, y) && isCounted(number)) found.push(number);
  });
  return Uint32Array.from(found).sort();
}

/** By the even-odd rule: a ray to the right crosses the outline an odd number of times. */
export function isWithin(corners: readonly Corner[], x: number, y: number): boolean {
  let inside = false;
  for (let index = 0, before = corners.length - 1; index < corners.length; before = index++) {
    const [ax, ay] = corners[index]!;
    const [bx, by] = corners[before]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function regionAround(shape: Shape): { left: number; top: number; right: number; bottom: number } {
  if (shape.kind === 'circle') return { left: shape.x - shape.radius, top: shape.y - shape.radius, right: shape.x + shape.radius, bottom: shape.y + shape.radius };
  const [xs, ys] = [shape.corners.map(([x]) => x), shape.corners.map(([, y]) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** An outline with few corners enough for an address: Ramer-Douglas-Peucker, coarser until it fits. */
export function simplified(corners: readonly Corner[], tolerance: number): Corner[] {
  for (let allowed = tolerance; ; allowed *= 2) {
    const kept = within(corners, allowed);
    if (kept.length <= mostCorners) return kept;
  }
}

function within(corners: readonly Corner[], tolerance: number): Corner[] {
  if (corners.length <= 3) return [...corners];
  const isKept = new Uint8Array(corners.length);
  isKept[0] = isKept[corners.length - 1] = 1;
  const open: [number, number][] = [[0, corners.length - 1]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [from, to] = span;
    let [farthest, most] = [-1, tolerance];
    for (let index = from + 1; index < to; index++) {
      const away = distanceToLine(corners[index]!, corners[from]!, corners[to]!);
      if (away > most) [farthest, most] = [index, away];
    }
    if (farthest < 0) continue;
    isKept[farthest] = 1;
    open.push([from, farthest], [farthest, to]);
  }
  return corners.filter((_, index) => isKept[index] === 1);
}

function distanceToLine([x, y]: Corner, [ax, ay]: Corner, [bx, by]: Corner): number {
  const length = Math.hypot(bx - ax, by - ay);
  return length === 0 ? Math.hypot(x - ax, y - ay) : Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length;
}

const short = (value: number): string => String(Number(value.toFixed(5)));

/** For an address. */
export const shapeText = (shape: Shape): string => (shape.kind === 'circle' ? `o${[shape.x, shape.y, shape.radius].map(short).join()}` : shape.corners.flat().map(short).join());

/** Undefined where it says none. */
export function shapeOf(text: string | null): Shape | undefined {
  if (!text) return undefined;
  const isCircle = text.startsWith('o');
  const numbers = (isCircle ? text.slice(1) : text).split(',').map(Number);
  if (!numbers.every(Number.isFinite)) return undefined;
  if (isCircle) return numbers.length === 3 && numbers[2]! > 0 ? { kind: 'circle', x: numbers[0]!, y: numbers[1]!, radius: numbers[2]! } : undefined;
  if (numbers.length % 2 === 1 || numbers.length < 6 || numbers.length > 2 * mostCorners) return undefined;
  return { kind: 'lasso', corners: Array.from({ length: numbers.length / 2 }, (_, index) => [numbers[2 * index]!, numbers[2 * index + 1]!] as const) };
}
