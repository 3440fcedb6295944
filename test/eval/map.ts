/** The map of real pictures, made by the running service: how far neighbors on it are neighbors in truth. */
import type { MixspaceClient } from '../../src/client/index.js';
import type { Figure } from './figure.js';
import { captionedPhotos, labelledPictures } from './pack.js';
import { trustOf } from './trust.js';

const collection = 'map';
const photos = 1_000;
const labelled = ['tiny-imagenet-val', 'caltech101', 'grocery', 'sports22', 'instruments30', 'intel-scenes', 'popular-animals', 'pacs-photo', 'scene15'];
const others = 2_000;
const perRequest = 100;
const sampled = 1_000;

/** 1,000 captioned photos and 2,000 pictures of all labelled sets alike. */
export async function map(client: MixspaceClient): Promise<Figure[]> {
  const rest = labelled.flatMap((source) => labelledPictures(source));
  const pictures = [...captionedPhotos().slice(0, photos), ...Array.from({ length: Math.min(others, rest.length) }, (_, i) => rest[Math.floor((i * rest.length) / Math.min(others, rest.length))]!)];
  await client.createCollection({ name: collection, originals: 'thumbnail' });
  for (let from = 0; from < pictures.length; from += perRequest) {
    await client.uploadItems(collection, pictures.slice(from, from + perRequest).map(({ webp }, i) => ({ id: `p${from + i}`, name: `p${from + i}`, blob: new Blob([new Uint8Array(webp)]) })));
  }
  const began = performance.now();
  const job = await client.makeMap(collection);
  for await (const _ of client.followJob(job.id));
  const { count } = await client.map(collection);
  console.error(`map: ${count} items in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const points = await client.mapPoints(collection);
  const embeddings: Float32Array[] = [];
  for (let from = 0; from < count; from += perRequest) {
    const ids = (await client.mapItems(collection, { from, limit: perRequest })).items.map(({ id }) => id);
    const found = new Map((await client.itemEmbeddings(collection, ids)).filter(({ part }) => part === 0).map(({ id, embedding }) => [id, embedding]));
    embeddings.push(...ids.map((id) => found.get(id)!));
  }
  return [{ name: `Map of ${count} pictures, trustworthiness at 15`, queries: sampled, within: {}, share: trustOf(embeddings, points, { k: 15, sampled }) }];
}
