/** What maximal marginal relevance gives and takes: bursts of photos that are nearly the same, and wide words over many kinds of things. */
import sharp from 'sharp';
import type { Embedder } from './embedder.js';
import { meanOf, shareOf, type Figure } from './figure.js';
import { captionedPhotos, labelledPictures } from './pack.js';

const depth = 10;
const perRequest = 500;
const diversities = [0, 0.3, 0.5] as const;
/** Of every third photo there are so many more. */
const burst = 4;
const labelledSources = ['caltech101', 'instruments30', 'popular-animals', 'sports22', 'grocery'];
/** Written before anything was looked at; none was tuned on. */
const wide = ['a wild animal', 'a pet', 'something to eat', 'something that makes music', 'people doing sports', 'a ball game', 'a means of transport', 'a plant', 'a sea creature', 'a string instrument', 'a wind instrument', 'vegetables', 'dairy products', 'a machine', 'winter sports', 'a large mammal', 'something that flies', 'household things', 'a symbol or sign', 'fruit juice'];

export async function diversity(embedder: Embedder): Promise<Figure[]> {
  return [...(await ofBursts(embedder)), ...(await ofWideWords(embedder))];
}

async function ofBursts(embedder: Embedder): Promise<Figure[]> {
  const photos = captionedPhotos();
  const pictures = await Promise.all(photos.map(async ({ webp }, photo) => [{ photo, webp }, ...(photo % 3 === 0 ? await Promise.all(Array.from({ length: burst }, async (_, i) => ({ photo, webp: await nearly(webp, i) }))) : [])]));
  const all = pictures.flat();
  const collection = 'diversity-bursts';
  await fill(embedder, collection, all.map(({ webp }) => webp));
  const queries = photos.flatMap(({ captions }, photo) => (photo % 2 === 0 ? [{ photo, query: captions[0]! }] : []));
  const figures: Figure[] = [];
  for (const each of diversities) {
    let hits = 0;
    const again: number[] = [];
    const ms: number[] = [];
    for (const { photo, query } of queries) {
      const { matches, took_ms: took } = await embedder.client.search(collection, query, { limit: depth, diversity: each });
      const shown = matches.map(({ id }) => all[Number(id)]!.photo);
      if (shown.includes(photo)) hits++;
      again.push((shown.length - new Set(shown).size) / shown.length);
      ms.push(took);
    }
    figures.push({ name: `Flickr8k dev with bursts (${all.length} pictures), diversity ${each}`, queries: queries.length, within: { 10: hits / queries.length }, more: { 'R@10': shareOf(hits, queries.length), 'of the first ten nearly the same as one before': meanOf(again), 'median ms': { value: ms.sort((a, b) => a - b)[Math.floor(ms.length / 2)]! } } });
  }
  await embedder.client.deleteCollection(collection);
  return figures;
}

/** As a second shot of the same: a little of the border gone, a little brighter or darker, another compression. */
async function nearly(webp: Uint8Array, i: number): Promise<Uint8Array> {
  const { width, height } = await sharp(webp).metadata();
  const [left, top] = [Math.round(width * 0.02 * (i % 2)), Math.round(height * 0.02 * (i >> 1))];
  return sharp(webp).extract({ left, top, width: Math.round(width * 0.96), height: Math.round(height * 0.96) }).modulate({ brightness: 0.94 + 0.04 * i }).webp({ quality: 70 }).toBuffer();
}

async function ofWideWords(embedder: Embedder): Promise<Figure[]> {
  const pictures = labelledSources.flatMap((source) => labelledPictures(source));
  const collection = 'diversity-labels';
  await fill(embedder, collection, pictures.map(({ webp }) => webp));
  const figures: Figure[] = [];
  const plain = new Map<string, number>();
  for (const each of diversities) {
    const labels: number[] = [];
    const kept: number[] = [];
    for (const query of wide) {
      const { matches } = await embedder.client.search(collection, query, { limit: depth, diversity: each });
      const score = matches.reduce((sum, match) => sum + match.score!, 0) / matches.length;
      if (each === 0) plain.set(query, score);
      labels.push(new Set(matches.map(({ id }) => pictures[Number(id)]!.label)).size);
      kept.push(score / plain.get(query)!);
    }
    figures.push({ name: `Wide words over ${pictures.length} labelled pictures (dev), diversity ${each}`, queries: wide.length, within: {}, more: { 'labels among the first ten': meanOf(labels), 'mean score, of that without': meanOf(kept) } });
  }
  await embedder.client.deleteCollection(collection);
  return figures;
}

async function fill({ client }: Embedder, collection: string, pictures: Uint8Array[]): Promise<void> {
  await client.createCollection({ name: collection, originals: 'thumbnail' });
  for (let from = 0; from < pictures.length; from += perRequest) {
    await client.uploadItems(collection, pictures.slice(from, from + perRequest).map((webp, i) => ({ id: `${from + i}`, name: `${from + i}.webp`, blob: new Blob([new Uint8Array(webp)]) })));
  }
}
