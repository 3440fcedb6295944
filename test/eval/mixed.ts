/** Lists of both kinds: photos of Flickr8k and a caption of each, found by another caption of the same photo. */
import type { Embedder } from './embedder.js';
import { meanOf, type Figure } from './figure.js';
import { captionedPhotos } from './pack.js';

const depth = 10;
const perRequest = 500;
const collection = 'mixed-lists';

export async function mixedLists(embedder: Embedder): Promise<Figure[]> {
  const photos = captionedPhotos();
  const pictures = await embedder.pictures(photos.map(({ webp }) => webp));
  const captions = await embedder.texts(photos.map(({ captions }) => captions[1]!));
  await embedder.client.createCollection({ name: collection });
  const entries = photos.flatMap((_, i) => [
    { id: `image-${i}`, embedding: [...pictures[i]!], modality: 'image' as const },
    { id: `text-${i}`, embedding: [...captions[i]!], modality: 'text' as const },
  ]);
  for (let from = 0; from < entries.length; from += perRequest) await embedder.client.addItems(collection, entries.slice(from, from + perRequest));
  const results = { raw: { gains: [] as number[], images: [] as number[], ms: [] as number[] }, centered: { gains: [] as number[], images: [] as number[], ms: [] as number[] } };
  for (const [i, { captions: [query] }] of photos.entries()) {
    for (const fusion of i % 2 ? (['raw', 'centered'] as const) : (['centered', 'raw'] as const)) {
      const { matches, took_ms: ms } = await embedder.client.search(collection, query, { limit: depth, fusion });
      const gain = matches.reduce((sum, { id }, place) => sum + (id === `image-${i}` || id === `text-${i}` ? 1 / Math.log2(place + 2) : 0), 0);
      results[fusion].gains.push(gain / (1 + 1 / Math.log2(3)));
      results[fusion].images.push(matches.filter(({ modality }) => modality === 'image').length / matches.length);
      results[fusion].ms.push(ms);
    }
  }
  await embedder.client.deleteCollection(collection);
  return (['raw', 'centered'] as const).map((fusion): Figure => {
    const { gains, images, ms } = results[fusion];
    return { name: `Mixed lists, ${fusion}, of ${entries.length}, half of what is wanted photos`, queries: gains.length, within: {}, more: { 'NDCG@10': meanOf(gains), 'share of photos': meanOf(images), 'median ms': { value: [...ms].sort((a, b) => a - b)[Math.floor(ms.length / 2)]! } } };
  });
}
