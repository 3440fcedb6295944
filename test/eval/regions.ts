/** Small things in large scenes: found by their names among all scenes, in a collection of wholes and in ones that are cut, and what cutting costs. */
import type { MixspaceClient } from '../../src/client/index.js';
import type { Tiles } from '../../src/domain/tiles.js';
import { figureOf, meanOf, shareOf, type Figure } from './figure.js';
import { captionedPhotos } from './pack.js';
import { scenes, type Scene } from './scenes.js';

const perKind = 100;
const captioned = 500;
const first = 10;
const uploadedAtOnce = 8;
/** By how much more of the scenes are to be among the first ten than without tiles. */
const wanted = 0.2;

interface Asked {
  found: boolean[];
  /** Of those found by a tile: whether the thing's middle lies in it. */
  placed: boolean[];
  bytes: number;
  ms: number;
}

export async function regions(client: MixspaceClient): Promise<Figure[]> {
  const all = await scenes('evaluation', perKind);
  const jpegs: Uint8Array[] = [];
  for (const scene of all) jpegs.push(await scene.jpeg());
  const before = await ask(client, all, jpegs, 'none');
  const figures: Figure[] = [figure(all, before, 'none')];
  for (const tiles of ['2x2', '3x3', 'auto'] as const) {
    const cut = await ask(client, all, jpegs, tiles);
    const gain = all.map((_, i) => Number(cut.found[i]) - Number(before.found[i]));
    figures.push({
      ...figure(all, cut, tiles),
      share: meanOf(gain),
      ...(tiles === '3x3' ? { minimum: { share: wanted } } : {}),
    });
  }
  for (const tiles of ['none', '2x2'] as const) figures.push(await captions(client, tiles));
  return figures;
}

/** What tiles cost queries that are of whole photos: each caption of those that nothing was trained on, among all of them. */
async function captions(client: MixspaceClient, tiles: Tiles): Promise<Figure> {
  const name = `captions-${tiles}`;
  const photos = captionedPhotos().slice(0, captioned);
  await client.createCollection({ name, tiles, originals: 'thumbnail' });
  for (let from = 0; from < photos.length; from += uploadedAtOnce) {
    await client.uploadItems(name, photos.slice(from, from + uploadedAtOnce).map(({ name: id, webp }) => ({ id, name: id, blob: new Blob([new Uint8Array(webp)]) })));
  }
  const ranks: number[] = [];
  for (const { name: id, captions: texts } of photos) {
    for (const text of texts) {
      const { matches } = await client.search(name, text, { limit: first, exact: true });
      const place = matches.findIndex((each) => each.id === id);
      ranks.push(place === -1 ? Infinity : place + 1);
    }
  }
  await client.deleteCollection(name);
  return { ...figureOf(`Flickr8k's captions among ${photos.length} photos, tiles ${tiles}`, ranks, [1, 5, first]), more: { 'R@10': shareOf(ranks.filter((rank) => rank <= first).length, ranks.length) } };
}

function figure(all: Scene[], { found, placed, bytes, ms }: Asked, tiles: Tiles): Figure {
  const ofKind = (kind: string): boolean[] => found.filter((_, i) => all[i]!.thing.kind === kind);
  return {
    ...figureOf(`Small things in ${all.length} large scenes, tiles ${tiles}${tiles === 'none' ? '' : '; share: R@10 more than without'}`, found.map((is) => (is ? first : Infinity)), [10]),
    more: {
      'R@10': shareOf(found.filter(Boolean).length, found.length),
      'of drawings': shareOf(ofKind('drawing').filter(Boolean).length, ofKind('drawing').length),
      'of photos': shareOf(ofKind('photo').filter(Boolean).length, ofKind('photo').length),
      ...(placed.length === 0 ? {} : { 'in the box told': shareOf(placed.filter(Boolean).length, placed.length) }),
      'bytes an item': { value: bytes },
      'ms an item': { value: ms },
    },
  };
}

async function ask(client: MixspaceClient, all: Scene[], jpegs: Uint8Array[], tiles: Tiles): Promise<Asked> {
  const name = `regions-${tiles}`;
  await client.createCollection({ name, tiles, originals: 'thumbnail' });
  const began = performance.now();
  for (let from = 0; from < all.length; from += uploadedAtOnce) {
    await client.uploadItems(name, all.slice(from, from + uploadedAtOnce).map(({ id }, i) => ({ id, name: id, blob: new Blob([new Uint8Array(jpegs[from + i]!)]) })));
  }
  const ms = (performance.now() - began) / all.length;
  const { parts, dimensions } = await client.collection(name);
  const found: boolean[] = [];
  const placed: boolean[] = [];
  for (const { id, thing, box: [x, y, width, height] } of all) {
    const { matches } = await client.search(name, thing.name, { limit: first, exact: true });
    const match = matches.find((each) => each.id === id);
    found.push(match !== undefined);
    if (!match?.part) continue;
    const [left, top, w, h] = match.part.box;
    const [middleX, middleY] = [x + width / 2, y + height / 2];
    placed.push(middleX >= left && middleX <= left + w && middleY >= top && middleY <= top + h);
  }
  await client.deleteCollection(name);
  return { found, placed, bytes: (parts / all.length) * dimensions * Float32Array.BYTES_PER_ELEMENT, ms };
}
