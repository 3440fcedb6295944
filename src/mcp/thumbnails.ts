/** Small pictures of items as content of an answer, bounded each and together. */
import type { ImageContent } from '@modelcontextprotocol/server';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import { mapLimited } from '../map-limited.js';

export const mostThumbnails = 12;
/** Bytes. */
const mostEach = 30_000;
const mostTogether = 240_000;
const atOnce = 4;
/** Side and quality, until it is small enough: the first that are of noise have a tenth of the bytes. */
const steps = [
  [320, 60],
  [256, 50],
  [192, 40],
  [128, 30],
] as const;

export interface Small {
  bytes: Uint8Array;
  mimeType: string;
}

/** @returns undefined where there is no picture any more. */
export async function smallPicture(client: MixspaceClient, collection: string, id: string, signal: AbortSignal): Promise<Small | undefined> {
  const blob = await client.image(collection, id, 'thumbnail', { signal }).catch((error: unknown) => {
    if (error instanceof MixspaceApiError && error.status === 404) return undefined;
    throw error;
  });
  return blob && small({ bytes: new Uint8Array(await blob.arrayBuffer()), mimeType: blob.type.split(';')[0] || 'image/webp' });
}

async function small(picture: Small): Promise<Small | undefined> {
  if (picture.bytes.length <= mostEach) return picture;
  // Few thumbnails are that heavy.
  const { default: sharp } = await import('sharp');
  for (const [side, quality] of steps) {
    const bytes = await sharp(picture.bytes).resize(side, side, { fit: 'inside', withoutEnlargement: true }).webp({ quality }).toBuffer();
    if (bytes.length <= mostEach) return { bytes, mimeType: 'image/webp' };
  }
  return undefined;
}

/** Of the first of the items that have one, in their order: as many as are asked for and may go together. */
export async function thumbnailsOf(items: { id: string; modality: string }[], most: number, { client, collection, signal }: { client: MixspaceClient; collection: string; signal: AbortSignal }): Promise<Map<string, Small>> {
  const pictures = items.filter(({ modality }) => modality === 'image').slice(0, Math.min(most, mostThumbnails));
  const made = await mapLimited(pictures, atOnce, ({ id }) => smallPicture(client, collection, id, signal).catch(unlessBusy));
  const kept = new Map<string, Small>();
  let together = 0;
  for (const [index, picture] of made.entries()) {
    if (picture === undefined || together + picture.bytes.length > mostTogether) continue;
    together += picture.bytes.length;
    kept.set(pictures[index]!.id, picture);
  }
  return kept;
}

/** An answer without a picture is better than none. */
function unlessBusy(error: unknown): undefined {
  if (!(error instanceof MixspaceApiError) || (error.status !== 429 && error.status !== 503)) throw error;
}

/** `id`: of its item, for the gallery. */
export const imageContent = ({ bytes, mimeType }: Small, id: string): ImageContent => ({ type: 'image', data: Buffer.from(bytes).toString('base64'), mimeType, _meta: { 'mixspace/id': id } });
