/**
 * The inner loop of exact search, in AssemblyScript, compiled to WebAssembly SIMD. Addresses are bytes of its memory,
 * laid out by whoever calls. Rows are int8, the query int16, both padded with zeros to a multiple of 16; their scales are
 * chosen so that no sum leaves int32.
 */

/** Dot products of four rows with the query. */
function dots(a: usize, b: usize, c: usize, d: usize, query: usize, length: i32): v128 {
  let sumA = i32x4.splat(0);
  let sumB = i32x4.splat(0);
  let sumC = i32x4.splat(0);
  let sumD = i32x4.splat(0);
  for (let i = 0; i < length; i += 16) {
    const low = v128.load(query);
    const high = v128.load(query, 16);
    query += 32;
    sumA = i32x4.add(sumA, i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(a), low), i32x4.dot_i16x8_s(v128.load8x8_s(a, 8), high)));
    sumB = i32x4.add(sumB, i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(b), low), i32x4.dot_i16x8_s(v128.load8x8_s(b, 8), high)));
    sumC = i32x4.add(sumC, i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(c), low), i32x4.dot_i16x8_s(v128.load8x8_s(c, 8), high)));
    sumD = i32x4.add(sumD, i32x4.add(i32x4.dot_i16x8_s(v128.load8x8_s(d), low), i32x4.dot_i16x8_s(v128.load8x8_s(d, 8), high)));
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  const ab = i32x4.add(v128.shuffle<i32>(sumA, sumB, 0, 4, 1, 5), v128.shuffle<i32>(sumA, sumB, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(sumC, sumD, 0, 4, 1, 5), v128.shuffle<i32>(sumC, sumD, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** A bit for each of four rows whose greatest possible score reaches `floor`, and whose least is not above `ceiling`. */
function between(products: v128, scales: v128, slacks: v128, floor: v128, ceiling: v128): i32 {
  const scores = f32x4.mul(f32x4.convert_i32x4_s(products), scales);
  return i32x4.bitmask(v128.and(f32x4.ge(f32x4.add(scores, slacks), floor), f32x4.le(f32x4.sub(scores, slacks), ceiling)));
}

/**
 * Rows `from` to `to` of a chunk, `to` excluded: writes the numbers (u32) of those that may score from `floor` to
 * `ceiling` to `out`, and gives their count. A row's score is within its slack of `product * scale * queryScale`; scales
 * and slacks are f32 by row. Reads up to three rows beyond `to`.
 */
export function scan(rows: usize, length: i32, scales: usize, slacks: usize, from: i32, to: i32, query: usize, queryScale: f32, floor: f32, ceiling: f32, out: usize): i32 {
  const factor = f32x4.splat(queryScale);
  const least = f32x4.splat(floor);
  const most = f32x4.splat(ceiling);
  const begin = out;
  for (let row = from; row < to; row += 4) {
    const at = rows + row * length;
    const place = row << 2;
    const products = dots(at, at + length, at + 2 * length, at + 3 * length, query, length);
    let found = between(products, f32x4.mul(v128.load(scales + place), factor), v128.load(slacks + place), least, most);
    if (to - row < 4) found &= (1 << (to - row)) - 1;
    for (; found !== 0; found &= found - 1) {
      store<u32>(out, row + ctz(found));
      out += 4;
    }
  }
  return <i32>(out - begin) >> 2;
}

/** The same of `count` rows by their numbers (u32 at `list`), in that order; behind the last stand three more of any rows. */
export function scanListed(rows: usize, length: i32, scales: usize, slacks: usize, list: usize, count: i32, query: usize, queryScale: f32, floor: f32, ceiling: f32, out: usize): i32 {
  const factor = f32x4.splat(queryScale);
  const least = f32x4.splat(floor);
  const most = f32x4.splat(ceiling);
  const begin = out;
  for (let i = 0; i < count; i += 4) {
    const a = load<u32>(list);
    const b = load<u32>(list, 4);
    const c = load<u32>(list, 8);
    const d = load<u32>(list, 12);
    const products = dots(rows + a * length, rows + b * length, rows + c * length, rows + d * length, query, length);
    const scale = f32x4(load<f32>(scales + (a << 2)), load<f32>(scales + (b << 2)), load<f32>(scales + (c << 2)), load<f32>(scales + (d << 2)));
    const slack = f32x4(load<f32>(slacks + (a << 2)), load<f32>(slacks + (b << 2)), load<f32>(slacks + (c << 2)), load<f32>(slacks + (d << 2)));
    let found = between(products, f32x4.mul(scale, factor), slack, least, most);
    if (count - i < 4) found &= (1 << (count - i)) - 1;
    for (; found !== 0; found &= found - 1) {
      store<u32>(out, load<u32>(list + (ctz(found) << 2)));
      out += 4;
    }
    list += 16;
  }
  return <i32>(out - begin) >> 2;
}
