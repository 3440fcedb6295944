import { HeifItems } from './heif-items.js';
import type { MediaType, RawMediaType } from './media-type.js';

/** Of the items that HEIF holds pictures in (ISO/IEC 23008-12 and its extensions), those that no decoder here reads. */
const unread: Record<string, string> = {
  unci: 'uncompressed samples (unci)',
  mski: 'a mask (mski)',
  j2k1: 'JPEG 2000 coding',
  jpeg: 'JPEG coding inside HEIF',
  vvc1: 'VVC (H.266) coding',
  evc1: 'EVC coding',
  avc1: 'AVC (H.264) coding',
  lhv1: 'layered HEVC coding',
  tili: 'tiled samples (tili)',
};

/** What a HEIF file's picture is made of that is not read; undefined for others and for files whose items cannot be found. */
export function unreadHeifKind(mediaType: MediaType | RawMediaType, bytes: Uint8Array): string | undefined {
  if (mediaType !== 'image/heic' && mediaType !== 'image/avif') return undefined;
  try {
    const items = new HeifItems(bytes);
    let item = items.primary;
    // A grid of tiles, an overlay or a copy of other items.
    for (let depth = 0; depth < 4; depth++) {
      const [first] = items.referred('dimg', item);
      if (first === undefined) break;
      item = first;
    }
    const type = items.typeOf(item);
    if (type === undefined) return undefined;
    return unread[type] ?? (/^(hvc1|av01|grid|iden|iovl)$/.test(type) ? undefined : `pictures of the kind ${JSON.stringify(type)}`);
  } catch {
    return undefined;
  }
}
