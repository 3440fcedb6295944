import { mediaTypeOf } from '../../encoder/picture/media-type.js';

/** Whether the first bytes are those of a format that is read. */
export function isPicture(bytes: Uint8Array): boolean {
  try {
    mediaTypeOf(bytes);
    return true;
  } catch {
    return false;
  }
}
