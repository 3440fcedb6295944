/** What inputs cost, as far as it can be told without tokenizing or decoding them. */
import type { Towers } from '../package/model-package.js';

/** Of UTF-8: about what vocabularies make a token of in one script and another. */
const bytesPerToken = 3;

/** Special ones, at both ends. */
const specialTokens = 2;

/** Tokens of a text, padding aside where the model takes texts as long as they are. */
export function tokensOf(text: string, { contextLength, padding }: Towers['text']): number {
  if (padding === 'max_length' || text.length >= bytesPerToken * contextLength) return contextLength;
  return Math.min(contextLength, specialTokens + Math.ceil(Buffer.byteLength(text) / bytesPerToken));
}

/** Where the bytes do not say it in their first lines: a photo's pixels a byte. */
const pixelsPerByte = 8;

/** Pixels of a picture as its header tells them, or about as many as its bytes make. */
export function pixelsOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return pngPixels(view) ?? gifPixels(view) ?? jpegPixels(view) ?? bytes.byteLength * pixelsPerByte;
  } catch {
    // It ends before its header does.
    return bytes.byteLength * pixelsPerByte;
  }
}

function pngPixels(view: DataView): number | undefined {
  return view.getUint32(0) === 0x89504e47 ? view.getUint32(16) * view.getUint32(20) : undefined;
}

function gifPixels(view: DataView): number | undefined {
  return view.getUint32(0) === 0x47494638 ? view.getUint16(6, true) * view.getUint16(8, true) : undefined;
}

/** Of the first frame header (ITU T.81, B.2.2), among so many segments. */
function jpegPixels(view: DataView): number | undefined {
  if (view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2, segment = 0; segment < 256; segment++) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return view.getUint16(at + 5) * view.getUint16(at + 7);
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
