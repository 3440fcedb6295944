/**
 * The inner loops of comparing, in AssemblyScript, compiled to WebAssembly SIMD. Addresses are bytes of its memory,
 * laid out by whoever calls. Rows are int8, the query int16, both padded with zeros to a multiple of 16; their scales are
 * chosen so that no sum leaves int32.
 *
 * A chunk is 64 rows, then their scales, then their slacks (f32): a row's score is within its slack of
 * `product * scale * queryScale`.
 */
const chunkRows: i32 = 64;

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
 * Of each of `count` chunks its first rows, as the list says (pairs of u32: address, rows): writes those that may score
 * from `floor` to `ceiling` to `out`, as u32, the chunk's place in the list times 64 plus the row, and gives their count.
 */
export function scanChunks(list: usize, count: i32, length: i32, query: usize, queryScale: f32, floor: f32, ceiling: f32, out: usize): i32 {
  const factor = f32x4.splat(queryScale);
  const least = f32x4.splat(floor);
  const most = f32x4.splat(ceiling);
  const begin = out;
  for (let chunk = 0; chunk < count; chunk++) {
    let at: usize = load<u32>(list);
    const rows: i32 = load<u32>(list, 4);
    list += 8;
    let scales = at + chunkRows * length;
    for (let row = 0; row < rows; row += 4) {
      const products = dots(at, at + length, at + 2 * length, at + 3 * length, query, length);
      let found = between(products, f32x4.mul(v128.load(scales), factor), v128.load(scales, 4 * chunkRows), least, most);
      if (rows - row < 4) found &= (1 << (rows - row)) - 1;
      for (; found !== 0; found &= found - 1) {
        store<u32>(out, chunk * chunkRows + row + ctz(found));
        out += 4;
      }
      at += 4 * length;
      scales += 16;
    }
  }
  return <i32>(out - begin) >> 2;
}

/** The same of single rows (pairs of u32: address of the chunk, row), of which it writes the places in the list; it stands filled up to a multiple of four. */
export function scanListed(list: usize, count: i32, length: i32, query: usize, queryScale: f32, floor: f32, ceiling: f32, out: usize): i32 {
  const factor = f32x4.splat(queryScale);
  const least = f32x4.splat(floor);
  const most = f32x4.splat(ceiling);
  const begin = out;
  for (let i = 0; i < count; i += 4) {
    const chunkA: usize = load<u32>(list);
    const chunkB: usize = load<u32>(list, 8);
    const chunkC: usize = load<u32>(list, 16);
    const chunkD: usize = load<u32>(list, 24);
    const a: usize = load<u32>(list, 4);
    const b: usize = load<u32>(list, 12);
    const c: usize = load<u32>(list, 20);
    const d: usize = load<u32>(list, 28);
    const products = dots(chunkA + a * length, chunkB + b * length, chunkC + c * length, chunkD + d * length, query, length);
    const scalesA = chunkA + chunkRows * length + (a << 2);
    const scalesB = chunkB + chunkRows * length + (b << 2);
    const scalesC = chunkC + chunkRows * length + (c << 2);
    const scalesD = chunkD + chunkRows * length + (d << 2);
    const scale = f32x4(load<f32>(scalesA), load<f32>(scalesB), load<f32>(scalesC), load<f32>(scalesD));
    const slack = f32x4(load<f32>(scalesA, 4 * chunkRows), load<f32>(scalesB, 4 * chunkRows), load<f32>(scalesC, 4 * chunkRows), load<f32>(scalesD, 4 * chunkRows));
    let found = between(products, f32x4.mul(scale, factor), slack, least, most);
    if (count - i < 4) found &= (1 << (count - i)) - 1;
    for (; found !== 0; found &= found - 1) {
      store<u32>(out, i + ctz(found));
      out += 4;
    }
    list += 32;
  }
  return <i32>(out - begin) >> 2;
}

/** Writes the scores (f32) of rows that stand one behind the other, with their scales elsewhere, to `out`; up to three more than `count`. */
export function scores(rows: usize, scales: usize, count: i32, length: i32, query: usize, queryScale: f32, out: usize): void {
  const factor = f32x4.splat(queryScale);
  for (let row = 0; row < count; row += 4) {
    const products = dots(rows, rows + length, rows + 2 * length, rows + 3 * length, query, length);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(products), f32x4.mul(v128.load(scales), factor)));
    rows += 4 * length;
    scales += 16;
    out += 16;
  }
}

/** The place of the greatest of some numbers (f32). */
export function greatest(values: usize, count: i32): i32 {
  let place = 0;
  let most = load<f32>(values);
  for (let i = 1; i < count; i++) {
    const value = load<f32>(values + (i << 2));
    if (value > most) {
      most = value;
      place = i;
    }
  }
  return place;
}

/**
 * Packs `length` numbers (f32) to int8: `value / scale`, rounded. Writes the scale and the slack (f32) to `bounds`: for
 * every query of length 1 the score is within the slack of that of the packed row (Cauchy-Schwarz: the query times what
 * rounding left out), what float32 arithmetic may be off by included.
 */
export function pack(values: usize, length: i32, row: usize, bounds: usize): void {
  let most4 = f32x4.splat(0);
  for (let i = 0; i < length; i += 4) most4 = f32x4.max(most4, f32x4.abs(v128.load(values + (i << 2))));
  const most = max(max(f32x4.extract_lane(most4, 0), f32x4.extract_lane(most4, 1)), max(f32x4.extract_lane(most4, 2), f32x4.extract_lane(most4, 3)));
  const scale = most < leastPacked ? <f32>0 : most / largest;
  const scales = f32x4.splat(scale);
  const factor = f32x4.splat(scale === 0 ? <f32>0 : <f32>1 / scale);
  let squares = f32x4.splat(0);
  for (let i = 0; i < length; i += 16) {
    const a = v128.load(values);
    const b = v128.load(values, 16);
    const c = v128.load(values, 32);
    const d = v128.load(values, 48);
    const wholeA = whole(a, factor);
    const wholeB = whole(b, factor);
    const wholeC = whole(c, factor);
    const wholeD = whole(d, factor);
    const low = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(wholeA), i32x4.trunc_sat_f32x4_s(wholeB));
    const high = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(wholeC), i32x4.trunc_sat_f32x4_s(wholeD));
    v128.store(row, i8x16.narrow_i16x8_s(low, high));
    squares = f32x4.add(squares, f32x4.add(f32x4.add(rest(a, wholeA, scales), rest(b, wholeB, scales)), f32x4.add(rest(c, wholeC, scales), rest(d, wholeD, scales))));
    values += 64;
    row += 16;
  }
  const sum = f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 1) + f32x4.extract_lane(squares, 2) + f32x4.extract_lane(squares, 3);
  store<f32>(bounds, scale);
  store<f32>(bounds, sqrt(sum) * (1 + rounding) + rounding, 4);
}

const largest: f32 = 127;
/** Below it nothing is packed: its inverse would overflow. */
const leastPacked: f32 = 1e-30;
/** Beyond what float32 arithmetic is off by. */
const rounding: f32 = 1e-5;

function whole(values: v128, factor: v128): v128 {
  return f32x4.max(f32x4.splat(-largest), f32x4.min(f32x4.splat(largest), f32x4.nearest(f32x4.mul(values, factor))));
}

/** What rounding left out, squared. */
function rest(values: v128, wholes: v128, scales: v128): v128 {
  const left = f32x4.sub(values, f32x4.mul(wholes, scales));
  return f32x4.mul(left, left);
}

/** Makes a query (int16) of a row (int8). */
export function widen(row: usize, length: i32, query: usize): void {
  for (let i = 0; i < length; i += 8) {
    v128.store(query, v128.load8x8_s(row));
    row += 8;
    query += 16;
  }
}
