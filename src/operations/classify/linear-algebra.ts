export interface Matrix {
  times(vector: ArrayLike<number>): Float64Array;
  transposedTimes(vector: ArrayLike<number>): Float64Array;
}

/** Rows worked on before other work may pass. */
const rowsAtOnce = 32;

/** A matrix M with M'M = (X'X + ridge I)^-1, X being the rows: of the Cholesky factor L of that sum, L^-1 (never made). */
export async function inverseRoot(rows: readonly Float32Array[], dimension: number, ridge: number): Promise<Matrix> {
  const d = dimension;
  const factor = new Float64Array(d * d);
  for (let i = 0; i < d; i++) factor[i * d + i] = ridge;
  for (const [n, row] of rows.entries()) {
    for (let i = 0; i < d; i++) {
      const value = row[i]!;
      const at = i * d;
      for (let j = 0; j <= i; j++) factor[at + j]! += value * row[j]!;
    }
    if (n % rowsAtOnce === rowsAtOnce - 1) await new Promise(setImmediate);
  }
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = factor[i * d + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * d + k]! * factor[j * d + k]!;
      factor[i * d + j] = i === j ? Math.sqrt(sum) : sum / factor[j * d + j]!;
    }
    if (i % rowsAtOnce === rowsAtOnce - 1) await new Promise(setImmediate);
  }
  return {
    times: (vector) => {
      const result = new Float64Array(d);
      for (let i = 0; i < d; i++) {
        let sum = vector[i]!;
        for (let k = 0; k < i; k++) sum -= factor[i * d + k]! * result[k]!;
        result[i] = sum / factor[i * d + i]!;
      }
      return result;
    },
    transposedTimes: (vector) => {
      const result = Float64Array.from(vector);
      for (let i = d - 1; i >= 0; i--) {
        result[i]! /= factor[i * d + i]!;
        const value = result[i]!;
        for (let k = 0; k < i; k++) result[k]! -= factor[i * d + k]! * value;
      }
      return result;
    },
  };
}
