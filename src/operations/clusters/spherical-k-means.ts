/** Spherical k-means (Dhillon and Modha 2001), begun by k-means++ (Arthur and Vassilvitskii 2007), over rows of length 1 or 0. */

/** Rows one behind the other. */
export interface Rows {
  values: Float32Array;
  dimension: number;
}

export interface Assignment {
  cluster: Int32Array;
  /** Cosine with the center. */
  score: Float32Array;
}

const mostRounds = 20;
/** Share of the mean cosine that a round must gain for another one. */
const leastGain = 1e-3;

export const countOf = ({ values, dimension }: Rows): number => values.length / dimension;

/** Less `mean`, and of length 1 again; what lies on the mean is zero. */
export function centered({ values, dimension }: Rows, mean: Float32Array): Rows {
  const moved = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += dimension) {
    let squares = 0;
    for (let i = 0; i < dimension; i++) {
      const value = values[from + i]! - mean[i]!;
      moved[from + i] = value;
      squares += value * value;
    }
    const scale = squares > 1e-12 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < dimension; i++) moved[from + i]! *= scale;
  }
  return { values: moved, dimension };
}

export function meanOf({ values, dimension }: Rows): Float32Array {
  const sum = new Float64Array(dimension);
  for (let from = 0; from < values.length; from += dimension) for (let i = 0; i < dimension; i++) sum[i]! += values[from + i]!;
  const count = Math.max(1, values.length / dimension);
  return Float32Array.from(sum, (value) => value / count);
}

/** At most `k` centers, fewer where the rows hold no more that differ. `random`: 0..1. */
export function clusterCenters(rows: Rows, k: number, random: () => number): Rows {
  let centers = begin(rows, k, random);
  let last = -Infinity;
  for (let round = 0; round < mostRounds; round++) {
    const { cluster, score } = assign(rows, centers);
    centers = meansOf(rows, centers, cluster, score);
    const mean = score.reduce((sum, value) => sum + value, 0) / score.length;
    if (mean - last < leastGain * Math.abs(mean)) break;
    last = mean;
  }
  return withoutEmpty(rows, centers);
}

export function assign(rows: Rows, centers: Rows): Assignment {
  const count = countOf(rows);
  const cluster = new Int32Array(count);
  const score = new Float32Array(count).fill(-Infinity);
  for (let row = 0; row < count; row++) {
    for (let center = 0, all = countOf(centers); center < all; center++) {
      const value = product(rows, row, centers, center);
      if (value > score[row]!) {
        score[row] = value;
        cluster[row] = center;
      }
    }
  }
  return { cluster, score };
}

function product({ values: a, dimension }: Rows, i: number, { values: b }: Rows, j: number): number {
  let [x, y, z, w] = [0, 0, 0, 0];
  let [p, q] = [i * dimension, j * dimension];
  const end = p + (dimension & ~3);
  for (; p < end; p += 4, q += 4) {
    x += a[p]! * b[q]!;
    y += a[p + 1]! * b[q + 1]!;
    z += a[p + 2]! * b[q + 2]!;
    w += a[p + 3]! * b[q + 3]!;
  }
  for (const stop = (i + 1) * dimension; p < stop; p++, q++) x += a[p]! * b[q]!;
  return x + y + z + w;
}

/** Each next center is drawn with a chance that grows with how far it lies from those before. */
function begin(rows: Rows, k: number, random: () => number): Rows {
  const { values, dimension } = rows;
  const count = countOf(rows);
  const chosen: number[] = [Math.floor(random() * count)];
  const away = new Float64Array(count).fill(Infinity);
  while (chosen.length < k) {
    let sum = 0;
    for (let row = 0; row < count; row++) {
      away[row] = Math.min(away[row]!, Math.max(0, 1 - product(rows, row, rows, chosen.at(-1)!)));
      if (away[row]! > 1e-6) sum += away[row]!;
    }
    if (sum === 0) break;
    let place = random() * sum;
    let next = -1;
    for (let row = 0; row < count && place >= 0; row++) {
      if (away[row]! <= 1e-6) continue;
      next = row;
      place -= away[row]!;
    }
    chosen.push(next);
  }
  const centers = new Float32Array(chosen.length * dimension);
  chosen.forEach((row, i) => centers.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension));
  return { values: centers, dimension };
}

/** One that has no rows goes to the row that fits its own center least. */
function meansOf(rows: Rows, before: Rows, cluster: Int32Array, score: Float32Array): Rows {
  const { values, dimension } = rows;
  const sums = new Float64Array(before.values.length);
  const sizes = new Uint32Array(countOf(before));
  for (let row = 0; row < cluster.length; row++) {
    const to = cluster[row]! * dimension;
    sizes[cluster[row]!]!++;
    for (let i = 0; i < dimension; i++) sums[to + i]! += values[row * dimension + i]!;
  }
  const centers = new Float32Array(sums.length);
  const taken = new Set<number>();
  for (let center = 0; center < sizes.length; center++) {
    const from = center * dimension;
    let squares = 0;
    for (let i = 0; i < dimension; i++) squares += sums[from + i]! ** 2;
    if (squares > 1e-12) {
      const scale = 1 / Math.sqrt(squares);
      for (let i = 0; i < dimension; i++) centers[from + i] = sums[from + i]! * scale;
      continue;
    }
    let worst = -1;
    for (let row = 0; row < score.length; row++) if (!taken.has(row) && (worst < 0 || score[row]! < score[worst]!)) worst = row;
    if (worst < 0) continue;
    taken.add(worst);
    centers.set(values.subarray(worst * dimension, (worst + 1) * dimension), from);
  }
  return { values: centers, dimension };
}

function withoutEmpty(rows: Rows, centers: Rows): Rows {
  const { dimension } = centers;
  const used = [...new Set(assign(rows, centers).cluster)].sort((a, b) => a - b);
  const kept = new Float32Array(used.length * dimension);
  used.forEach((center, i) => kept.set(centers.values.subarray(center * dimension, (center + 1) * dimension), i * dimension));
  return { values: kept, dimension };
}

/**
 * Centers that lie near to each other become one, the nearest two first, each weighing what it holds, as long as two have a
 * cosine of `nearest` or more.
 */
export function merged(rows: Rows, centers: Rows, nearest: number): Rows {
  const { dimension } = centers;
  const weights = new Float64Array(countOf(centers));
  for (const cluster of assign(rows, centers).cluster) weights[cluster]!++;
  let left = Array.from(weights, (weight, i) => ({ weight, values: centers.values.slice(i * dimension, (i + 1) * dimension) }));
  for (;;) {
    let best = { value: nearest, i: -1, j: -1 };
    for (let i = 0; i < left.length; i++) {
      for (let j = 0; j < i; j++) {
        const value = product({ values: left[i]!.values, dimension }, 0, { values: left[j]!.values, dimension }, 0);
        if (value >= best.value) best = { value, i, j };
      }
    }
    if (best.i < 0) break;
    const [one, other] = [left[best.i]!, left[best.j]!];
    const sum = one.values.map((value, i) => value * one.weight + other.values[i]! * other.weight);
    const length = Math.hypot(...sum);
    left = [...left.filter((each) => each !== one && each !== other), { weight: one.weight + other.weight, values: sum.map((value) => value / length) }];
  }
  const values = new Float32Array(left.length * dimension);
  left.forEach((each, i) => values.set(each.values, i * dimension));
  return { values, dimension };
}

/** Seeded (mulberry32): the same rows always give the same clusters. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
