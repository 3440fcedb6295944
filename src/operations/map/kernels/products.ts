/**
 * Dot products of rows of f32, in AssemblyScript, compiled to WebAssembly SIMD. Addresses are bytes of its memory, laid out
 * by whoever calls; a row is `length` numbers, padded with zeros to a multiple of 4. Counts of rows are multiples of 4:
 * whoever calls fills up with whatever rows there are.
 */

/** The sums of four vectors' lanes. */
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f64>(ab, cd, 0, 2), v128.shuffle<f64>(ab, cd, 1, 3));
}

/** Of each of `rows` rows (an even number) with each of `others`, which stand one behind the other: to `out`, a line of `others` products a row. */
export function products(a: usize, rows: i32, b: usize, others: i32, length: i32, out: usize): void {
  const stride: usize = length << 2;
  const line: usize = others << 2;
  for (let i = 0; i < rows; i += 2) {
    const first = a + <usize>i * stride;
    for (let j = 0; j < others; j += 4) {
      let p = first;
      let q = b + <usize>j * stride;
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      let b3 = f32x4.splat(0);
      for (const end = p + stride; p < end; p += 16) {
        const x = v128.load(p);
        const y = v128.load(p + stride);
        const q0 = v128.load(q);
        a0 = f32x4.add(a0, f32x4.mul(x, q0));
        b0 = f32x4.add(b0, f32x4.mul(y, q0));
        const q1 = v128.load(q + stride);
        a1 = f32x4.add(a1, f32x4.mul(x, q1));
        b1 = f32x4.add(b1, f32x4.mul(y, q1));
        const q2 = v128.load(q + 2 * stride);
        a2 = f32x4.add(a2, f32x4.mul(x, q2));
        b2 = f32x4.add(b2, f32x4.mul(y, q2));
        const q3 = v128.load(q + 3 * stride);
        a3 = f32x4.add(a3, f32x4.mul(x, q3));
        b3 = f32x4.add(b3, f32x4.mul(y, q3));
        q += 16;
      }
      const to = out + <usize>i * line + (j << 2);
      v128.store(to, sums(a0, a1, a2, a3));
      v128.store(to + line, sums(b0, b1, b2, b3));
    }
  }
}

/** Of a row with `count` others, as the list (u32) has their places among the rows that begin at `rows`. */
export function productsAt(row: usize, rows: usize, list: usize, count: i32, length: i32, out: usize): void {
  const stride: usize = length << 2;
  for (let i = 0; i < count; i += 4) {
    const q0 = rows + <usize>load<u32>(list) * stride;
    const q1 = rows + <usize>load<u32>(list, 4) * stride;
    const q2 = rows + <usize>load<u32>(list, 8) * stride;
    const q3 = rows + <usize>load<u32>(list, 12) * stride;
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    for (let at: usize = 0; at < stride; at += 16) {
      const x = v128.load(row + at);
      a0 = f32x4.add(a0, f32x4.mul(x, v128.load(q0 + at)));
      a1 = f32x4.add(a1, f32x4.mul(x, v128.load(q1 + at)));
      a2 = f32x4.add(a2, f32x4.mul(x, v128.load(q2 + at)));
      a3 = f32x4.add(a3, f32x4.mul(x, v128.load(q3 + at)));
    }
    v128.store(out, sums(a0, a1, a2, a3));
    list += 16;
    out += 16;
  }
}
