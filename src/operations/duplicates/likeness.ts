/** How alike two pictures are by their signatures, one of them cut or mirrored perhaps. */
import { colorSide, side, type Signature } from './signature.js';

export interface Likeness {
  /** 0..1: structural similarity of luminance where the two lie best over each other, less what their colors differ. */
  similarity: number;
  /** One is nearer to the other's mirror image than to it. */
  mirrored: boolean;
}

/** How far an edge of one picture may lie from the other's, as a share of its side: a cut of 5 % on each, and a little more. */
const farthest = 0.08;
const steps = [0.04, 0.02, 0.01];
const mostRounds = 4;
/** What is less alike at first sight, four cells by four of the grid as one, is not laid over each other. */
const firstSight = 0.6;
/** SSIM's second constant, (k L)^2 (Wang et al. 2004), with k = .01: grids have less noise than pixels. */
const c = (0.01 * 255) ** 2;
const block = 4;

export function likenessOf(a: Signature, b: Signature): Likeness {
  const cut = 1 - 2 * farthest;
  const ratio = a.ratio / b.ratio;
  if (ratio < cut || ratio > 1 / cut) return { similarity: 0, mirrored: false };
  const plain = aligned(a.cells, b.cells);
  const turned = aligned(a.cells, mirror(b.cells));
  return turned > plain ? { similarity: turned, mirrored: true } : { similarity: plain, mirrored: false };
}

function mirror(cells: Uint8Array): Uint8Array {
  const turned = new Uint8Array(cells.length);
  for (let from = 0, width = side; from < cells.length; from += width * width, width = colorSide) {
    for (let y = 0; y < width; y++) for (let x = 0; x < width; x++) turned[from + y * width + x] = cells[from + y * width + (width - 1 - x)]!;
  }
  return turned;
}

/** Left, top, right and bottom edge of `b` in `a`, each as a share of its side from where `a`'s own lies. */
type Edges = [number, number, number, number];

/** Coordinate descent from edge on edge. */
function aligned(a: Uint8Array, b: Uint8Array): number {
  if (coarse(a, b) < firstSight) return 0;
  let edges: Edges = [0, 0, 0, 0];
  let best = overlaid(a, b, edges);
  for (const step of steps) {
    for (let round = 0; round < mostRounds; round++) {
      let hasMoved = false;
      for (const move of moves) {
        const tried = edges.map((edge, i) => Math.max(-farthest, Math.min(farthest, edge + move[i]! * step))) as Edges;
        const value = overlaid(a, b, tried);
        if (value <= best) continue;
        best = value;
        edges = tried;
        hasMoved = true;
      }
      if (!hasMoved) break;
    }
  }
  return Math.max(0, best - colorDifference(a, b));
}

/** A whole shift, a scale about the center, and each edge alone. */
const moves: Edges[] = (
  [
    [1, 0, 1, 0],
    [0, 1, 0, 1],
    [1, 1, -1, -1],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ] as Edges[]
).flatMap((move) => [move, move.map((value) => -value) as Edges]);

/** Contrast and structure of SSIM over what both show, times its luminance. */
function overlaid(a: Uint8Array, b: Uint8Array, [left, top, right, bottom]: Edges): number {
  const across = places(left, right);
  const down = places(top, bottom);
  const sums = new Sums();
  for (let y = 0; y < side; y++) {
    const v = down[y]!;
    if (v < 0 || v > side - 1) continue;
    const row = Math.min(side - 2, Math.floor(v));
    const fy = v - row;
    for (let x = 0; x < side; x++) {
      const u = across[x]!;
      if (u < 0 || u > side - 1) continue;
      const column = Math.min(side - 2, Math.floor(u));
      const fx = u - column;
      const at = row * side + column;
      const above = a[at]! + (a[at + 1]! - a[at]!) * fx;
      const below = a[at + side]! + (a[at + side + 1]! - a[at + side]!) * fx;
      const valueA = above + (below - above) * fy;
      const valueB = b[y * side + x]!;
      sums.add(valueA, valueB);
    }
  }
  return ssim(sums);
}

/** Where in `a` the middles of `b`'s cells lie, in cells. */
function places(start: number, end: number): Float64Array {
  const found = new Float64Array(side);
  const length = 1 + end - start;
  for (let i = 0; i < side; i++) found[i] = start * side + (i + 0.5) * length - 0.5;
  return found;
}

function coarse(a: Uint8Array, b: Uint8Array): number {
  const sums = new Sums();
  for (let y = 0; y < side; y += block) {
    for (let x = 0; x < side; x += block) {
      let [valueA, valueB] = [0, 0];
      for (let j = 0; j < block; j++) {
        for (let i = 0; i < block; i++) {
          valueA += a[(y + j) * side + x + i]!;
          valueB += b[(y + j) * side + x + i]!;
        }
      }
      valueA /= block * block;
      valueB /= block * block;
      sums.add(valueA, valueB);
    }
  }
  return ssim(sums);
}

/** Of pairs of values, what their means, variances and covariance are made of. */
class Sums {
  n = 0;
  a = 0;
  b = 0;
  aa = 0;
  bb = 0;
  ab = 0;

  add(a: number, b: number): void {
    this.n++;
    this.a += a;
    this.b += b;
    this.aa += a * a;
    this.bb += b * b;
    this.ab += a * b;
  }
}

function ssim({ n, a: sumA, b: sumB, aa: sumAA, bb: sumBB, ab: sumAB }: Sums): number {
  const [meanA, meanB] = [sumA / n, sumB / n];
  const [varianceA, varianceB, covariance] = [sumAA / n - meanA * meanA, sumBB / n - meanB * meanB, sumAB / n - meanA * meanB];
  return ((2 * meanA * meanB + c) / (meanA * meanA + meanB * meanB + c)) * ((2 * covariance + c) / (varianceA + varianceB + c));
}

/** Mean difference of the two color grids, as a share of half their range. */
function colorDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = side * side; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / (2 * colorSide * colorSide) / 128;
}
