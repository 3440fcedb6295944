/**
 * The inner loops of a resize, in AssemblyScript, compiled to WebAssembly SIMD. Addresses are bytes of its memory, laid
 * out by whoever calls. Weights are 22-bit fixed point, each split into `high * 2^15 + low`, so that 16-bit
 * multiply-adds sum them; sums wrap at 2^32, so the order of adding does not show. Loops read past what they are told
 * to, always with weights of zero: 16 bytes past a row's end, one row past the last.
 */

/** high * 2^15 + low, rounded from 22-bit fixed point. */
function joined(high: v128, low: v128): v128 {
  return i32x4.shr_s(i32x4.add(i32x4.add(i32x4.shl(high, 15), low), i32x4.splat(1 << 21)), 22);
}

/** Four sums clipped to 0..255, in the lowest four bytes. */
function clipped(sums: v128): u32 {
  const words = i16x8.narrow_i32x4_s(sums, sums);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0);
}

/** Of taps 0..3 of a row of RGB: r0 r1 g0 g1 b0 b1 - -, and the same of taps 2 and 3. */
function firstPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}
function secondPair(pixels: v128): v128 {
  return i8x16.swizzle(pixels, i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
}

/**
 * Four rows of RGB, `pitch` bytes apart, to `width` pixels each. `firsts`: i32 byte offset of each output's first tap.
 * `weights`: for each output `groups` times four taps: i16 high[4], low[4]. Writes one byte past each row's end.
 */
export function narrowRgb(source: usize, pitch: usize, firsts: usize, weights: usize, groups: i32, width: i32, out: usize, outPitch: usize): void {
  for (let x = 0; x < width; x++) {
    let p = source + load<u32>(firsts);
    firsts += 4;
    let high0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let high2 = i32x4.splat(0);
    let high3 = i32x4.splat(0);
    let low0 = i32x4.splat(0);
    let low1 = i32x4.splat(0);
    let low2 = i32x4.splat(0);
    let low3 = i32x4.splat(0);
    for (let k = 0; k < groups; k++) {
      const highA = v128.load32_splat(weights);
      const highB = v128.load32_splat(weights, 4);
      const lowA = v128.load32_splat(weights, 8);
      const lowB = v128.load32_splat(weights, 12);
      weights += 16;
      let pixels = v128.load(p);
      let a = firstPair(pixels);
      let b = secondPair(pixels);
      high0 = i32x4.add(high0, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      low0 = i32x4.add(low0, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      pixels = v128.load(p + pitch);
      a = firstPair(pixels);
      b = secondPair(pixels);
      high1 = i32x4.add(high1, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      low1 = i32x4.add(low1, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      pixels = v128.load(p + 2 * pitch);
      a = firstPair(pixels);
      b = secondPair(pixels);
      high2 = i32x4.add(high2, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      low2 = i32x4.add(low2, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      pixels = v128.load(p + 3 * pitch);
      a = firstPair(pixels);
      b = secondPair(pixels);
      high3 = i32x4.add(high3, i32x4.add(i32x4.dot_i16x8_s(a, highA), i32x4.dot_i16x8_s(b, highB)));
      low3 = i32x4.add(low3, i32x4.add(i32x4.dot_i16x8_s(a, lowA), i32x4.dot_i16x8_s(b, lowB)));
      p += 12;
    }
    store<u32>(out, clipped(joined(high0, low0)));
    store<u32>(out + outPitch, clipped(joined(high1, low1)));
    store<u32>(out + 2 * outPitch, clipped(joined(high2, low2)));
    store<u32>(out + 3 * outPitch, clipped(joined(high3, low3)));
    out += 3;
  }
}

function total(sums: v128): i32 {
  return i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
}

/** One row of grey; `weights`: for each output `groups` times eight taps: i16 high[8], low[8]. */
export function narrowGrey(source: usize, firsts: usize, weights: usize, groups: i32, width: i32, out: usize): void {
  for (let x = 0; x < width; x++) {
    let p = source + load<u32>(firsts);
    firsts += 4;
    let high = i32x4.splat(0);
    let low = i32x4.splat(0);
    for (let k = 0; k < groups; k++) {
      const pixels = v128.load_ext<u8>(p);
      high = i32x4.add(high, i32x4.dot_i16x8_s(pixels, v128.load(weights)));
      low = i32x4.add(low, i32x4.dot_i16x8_s(pixels, v128.load(weights, 16)));
      weights += 32;
      p += 8;
    }
    const sum = ((total(high) << 15) + total(low) + (1 << 21)) >> 22;
    store<u8>(out, min(max(sum, 0), 255));
    out += 1;
  }
}

/** One row of `length` bytes, rounded up to 16, from `pairs` times two rows, `pitch` bytes apart; `weights`: i16 high[2], low[2] a pair. */
export function mixRows(source: usize, pitch: usize, weights: usize, pairs: i32, length: i32, out: usize): void {
  for (let x = 0; x < length; x += 16) {
    let p = source + x;
    let w = weights;
    let high0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let high2 = i32x4.splat(0);
    let high3 = i32x4.splat(0);
    let low0 = i32x4.splat(0);
    let low1 = i32x4.splat(0);
    let low2 = i32x4.splat(0);
    let low3 = i32x4.splat(0);
    for (let k = 0; k < pairs; k++) {
      const high = v128.load32_splat(w);
      const low = v128.load32_splat(w, 4);
      w += 8;
      const upper = v128.load(p);
      const lower = v128.load(p + pitch);
      p += 2 * pitch;
      const left = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const right = i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      let two = i16x8.extend_low_i8x16_u(left);
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(two, high));
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(two, low));
      two = i16x8.extend_high_i8x16_u(left);
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(two, high));
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(two, low));
      two = i16x8.extend_low_i8x16_u(right);
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(two, high));
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(two, low));
      two = i16x8.extend_high_i8x16_u(right);
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(two, high));
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(two, low));
    }
    const front = i16x8.narrow_i32x4_s(joined(high0, low0), joined(high1, low1));
    const back = i16x8.narrow_i32x4_s(joined(high2, low2), joined(high3, low3));
    v128.store(out + x, i8x16.narrow_i16x8_u(front, back));
  }
}
