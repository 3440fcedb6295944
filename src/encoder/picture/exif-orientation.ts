import { TiffDirectory } from './tiff-directory.js';
import type { Orientation } from './resize.js';

const orientationTag = 0x0112;

/** What a block of EXIF says (CIPA DC-008), with or without `Exif\0\0` before it, 1 where it says what cannot be; undefined where it says nothing. */
export function orientationIn(block: Uint8Array | undefined): Orientation | undefined {
  if (!block) return undefined;
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  try {
    const said = TiffDirectory.first(bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? bytes.subarray(6) : bytes).number(orientationTag);
    return said === undefined ? undefined : (asOrientation(said) ?? 1);
  } catch {
    return undefined;
  }
}

export function asOrientation(said: number | undefined): Orientation | undefined {
  return said !== undefined && said >= 1 && said <= 8 ? (said as Orientation) : undefined;
}

/** What a block of XMP says, as Pillow looks for it. */
export function orientationInXmp(xmp: string | undefined): Orientation | undefined {
  const found = /tiff:Orientation(?:="|>)([0-9])/.exec(xmp ?? '');
  return asOrientation(found ? Number(found[1]) : undefined);
}
