/**
 * Loaded into a service's processes by `--import`: decoding a picture whose bytes end with the mark never comes back.
 * A worker in that state answers nothing and takes no signal but the last one.
 */
import sharp from 'sharp';

const mark = Buffer.from('this hangs the decoder');
const { toBuffer } = sharp.prototype;

sharp.prototype.toBuffer = function (...args) {
  const bytes = this.options.input.buffer;
  if (bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-mark.length).equals(mark)) for (;;);
  return toBuffer.apply(this, args);
};
