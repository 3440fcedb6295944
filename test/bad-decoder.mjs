/**
 * Loaded into a service's processes by `--import`: decoding a picture whose bytes end with the first mark never comes
 * back, and the worker, which tells so on standard error, answers nothing and takes no signal but the last one; with the
 * second mark it ends the worker.
 */
import { writeSync } from 'node:fs';
import sharp from 'sharp';

const hangs = Buffer.from('this hangs the decoder');
const crashes = Buffer.from('this crashes the decoder');
const { toBuffer } = sharp.prototype;

sharp.prototype.toBuffer = function (...args) {
  const bytes = this.options.input.buffer;
  const endsWith = (mark) => bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-mark.length).equals(mark);
  if (endsWith(hangs)) {
    writeSync(2, 'The decoder hangs.\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  if (endsWith(crashes)) process.kill(process.pid, 'SIGSEGV');
  return toBuffer.apply(this, args);
};
