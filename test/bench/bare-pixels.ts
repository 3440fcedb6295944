import type { Preprocessing } from '../../src/encoder/picture/preprocess.js';

/** Writes a picture's input tensor at an offset. */
export type WritePixels = (bytes: Uint8Array, tensor: Float32Array, offset: number) => Promise<void>;

/** `encoder`: URL of the compiled encoder's folder. */
export async function barePixels(encoder: string, preprocessing: Preprocessing): Promise<WritePixels> {
  const { readHeader, decode, settleDecoder } = (await import(`${encoder}picture/decode.js`)) as typeof import('../../src/encoder/picture/decode.js');
  const { fitSquare, writeTensor } = (await import(`${encoder}picture/preprocess.js`)) as typeof import('../../src/encoder/picture/preprocess.js');
  const limits = { pictureBytes: Infinity, picturePixels: Infinity };
  settleDecoder();
  return async (bytes, tensor, offset) => {
    const bitmap = await decode(bytes, await readHeader(bytes, limits));
    writeTensor(fitSquare(bitmap, preprocessing), preprocessing, tensor, offset);
  };
}
