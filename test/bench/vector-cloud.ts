/** Unit vectors in clusters, as embeddings lie: the same ones for the same seed. */
export class VectorCloud {
  readonly #random: () => number;
  readonly #centers: Float32Array[];
  readonly #spread: number;

  /** `spread`: length of what is added to a center of length 1; 1 gives two of one cluster a cosine of 0.5. */
  constructor({ dimension, clusters, spread, seed }: { dimension: number; clusters: number; spread: number; seed: number }) {
    this.#random = mulberry32(seed);
    this.#spread = spread;
    this.#centers = Array.from({ length: clusters }, () => unit(this.#gaussians(dimension)));
  }

  next(): Float32Array {
    const center = this.#centers[Math.floor(this.#random() * this.#centers.length)]!;
    const scale = this.#spread / Math.sqrt(center.length);
    return unit(this.#gaussians(center.length).map((value, i) => center[i]! + scale * value));
  }

  #gaussians(dimension: number): Float32Array {
    const values = new Float32Array(dimension);
    for (let i = 0; i < dimension; i++) values[i] = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return values;
  }
}

function unit(values: Float32Array): Float32Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.map((value) => value / length);
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
