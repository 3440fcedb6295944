/**
 * What decoders give, as 8-bit grey or RGB. Each of these overwrites what it is given, from the front: a large picture
 * is not held twice.
 */

/**
 * 16-bit samples to 8 bits. `rounded`: divided by 257, so that 65535 becomes 255, as references do with grey, which
 * Pillow itself would turn white. `cut`: the upper byte, as Pillow reads colors and grey with alpha.
 */
export function fromSixteenBits(bytes: Uint8Array, way: 'rounded' | 'cut'): Uint8Array {
  const samples = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const out = bytes.subarray(0, samples.length);
  if (way === 'cut') for (let i = 0; i < samples.length; i++) out[i] = samples[i]! >> 8;
  else for (let i = 0; i < samples.length; i++) out[i] = (samples[i]! + 128) / 257;
  return out;
}

/** Pillow's rounded a * b / 255 (MULDIV255 in ImagingUtils.h). */
function multiply255(a: number, b: number): number {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/** Pillow's CMYK to RGB (Convert.c, cmyk2rgb): what the black leaves, less that share of each ink. No profile. */
export function fromCmyk(cmyk: Uint8Array, stride: number): Uint8Array {
  const count = cmyk.length / stride;
  const rgb = cmyk.subarray(0, count * 3);
  for (let i = 0, p = 0, o = 0; i < count; i++, p += stride, o += 3) {
    const light = 255 - cmyk[p + 3]!;
    for (let c = 0; c < 3; c++) rgb[o + c] = light - multiply255(cmyk[p + c]!, light);
  }
  return rgb;
}

/** Composited on white with Pillow's arithmetic for an opaque ground (AlphaComposite.c, 7 bits of precision). Alpha is the last channel. */
export function flattenOnWhite(samples: Uint8Array, channels: 1 | 3): Uint8Array {
  const stride = channels + 1;
  const count = samples.length / stride;
  const out = samples.subarray(0, count * channels);
  for (let i = 0, p = 0, o = 0; i < count; i++, p += stride) {
    const alpha = samples[p + channels]!;
    const ground = 255 * (255 - alpha);
    for (let c = 0; c < channels; c++) {
      const t = (samples[p + c]! * alpha + ground) * 128 + (128 << 7);
      out[o++] = ((t >> 8) + t) >> 15;
    }
  }
  return out;
}

/** Colors that were multiplied by alpha, as they were before, rounded; in place. */
export function unmultiply(samples: Uint8Array, channels: 1 | 3, alpha: Uint8Array): void {
  for (let i = 0, p = 0; i < alpha.length; i++) {
    const a = alpha[i]!;
    for (let c = 0; c < channels; c++, p++) samples[p] = a === 0 ? 0 : Math.min(255, Math.floor((samples[p]! * 255) / a + 0.5));
  }
}

/** The first `kept` of every `stride` samples. */
export function firstOf(samples: Uint8Array, stride: number, kept: number): Uint8Array {
  if (stride === kept) return samples;
  const count = Math.floor(samples.length / stride);
  const out = samples.subarray(0, count * kept);
  for (let i = 0, p = 0, o = 0; i < count; i++, p += stride) for (let c = 0; c < kept; c++) out[o++] = samples[p + c]!;
  return out;
}
