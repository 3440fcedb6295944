import { distanceOf, membership, memberships } from './fuzzy-graph.js';
import { centerOn, meansOf } from './modality-means.js';
import { NearestLists } from './nearest-lists.js';
import { blockRows, type Rows } from './rows.js';

/** Finds where further items belong on a map that stays as it is: amid their nearest neighbors, each weighing as much as it is one (UMAP's own beginning of a transform). */
export class Placing {
  readonly #rows: Rows;
  readonly #points: Float32Array;
  readonly #k: number;
  readonly #means: Float32Array[] | undefined;

  /** `rows`: of the items on the map, as they are stored; with room for 64 gathered. Changes them. `points`: where they lie. */
  constructor(rows: Rows, { points, kinds, neighbors }: { points: Float32Array; kinds: Uint8Array; neighbors: number }) {
    this.#rows = rows;
    this.#points = points;
    this.#k = Math.min(neighbors, rows.count);
    this.#means = meansOf(rows, kinds);
    if (this.#means) for (let i = 0; i < rows.count; i++) centerOn(this.#means[kinds[i]!]!, rows.row(i));
  }

  /** At most 64 rows, one behind the other; x0, y0, ... */
  place({ values, kinds }: { values: Float32Array; kinds: Uint8Array }): Float32Array {
    const rows = this.#rows;
    const { gathered, dimension } = rows;
    kinds.forEach((kind, i) => {
      const row = rows.row(gathered + i);
      row.set(values.subarray(i * dimension, (i + 1) * dimension));
      const mean = this.#means?.[kind];
      if (mean) centerOn(mean, row);
    });
    const lists = new NearestLists(kinds.length, this.#k);
    for (let from = 0; from < rows.count; from += blockRows) {
      const products = rows.block(gathered, from);
      for (let i = 0; i < kinds.length; i++) {
        for (let j = from; j < Math.min(rows.count, from + blockRows); j++) {
          const product = products[i * blockRows + j - from]!;
          if (product > lists.least(i)) lists.offer(i, j, product);
        }
      }
    }
    return this.#amid(lists);
  }

  #amid({ count, k, neighbors, similarities }: NearestLists): Float32Array {
    const places = new Float32Array(2 * count);
    for (let i = 0; i < count; i++) {
      const distances = Float32Array.from(similarities.subarray(i * k, (i + 1) * k), distanceOf);
      const around = memberships(distances);
      let [x, y, weights] = [0, 0, 0];
      distances.forEach((distance, n) => {
        const near = neighbors[i * k + n]!;
        const weight = membership(distance, around);
        x += weight * this.#points[2 * near]!;
        y += weight * this.#points[2 * near + 1]!;
        weights += weight;
      });
      places[2 * i] = x / weights;
      places[2 * i + 1] = y / weights;
    }
    return places;
  }
}
