/** Loaded into a service's processes by `--import`: of a picture that begins with a pure magenta pixel, no thumbnail can be made. */
import sharp from 'sharp';

const { toBuffer } = sharp.prototype;

sharp.prototype.toBuffer = function (...args) {
  const { formatOut, input } = this.options;
  const [red, green, blue] = input.buffer ?? [];
  if (formatOut === 'webp' && red === 255 && green === 0 && blue === 255) return Promise.reject(new Error('No thumbnail can be made of it.'));
  return toBuffer.apply(this, args);
};
