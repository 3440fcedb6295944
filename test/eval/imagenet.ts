/** The names of ImageNet: on photos of sources that nothing was trained on, and as names of what is not there. */
import type { MixspaceClient } from '../../src/client/index.js';
import type { Embedder } from './embedder.js';
import type { Figure } from './figure.js';
import { noMatch, spread } from './no-match.js';
import { imageNetNames, labelledPictures, unseenImageNetPhotos } from './pack.js';
import { zeroShot } from './zero-shot.js';

const absent = 200;

export async function imageNetZeroShot(client: MixspaceClient): Promise<Figure[]> {
  return zeroShot(client, { name: 'ImageNet photos of unseen sources', pictures: unseenImageNetPhotos(), labels: await imageNetNames(), minimum: { within: 1, share: 0.55 } });
}

/** Easy: classes that training knows, many pictures each. Hard: classes it has no photo of, one or two pictures each. */
export async function imageNetNoMatch(embedder: Embedder, templates: readonly string[]): Promise<Figure[]> {
  const known = labelledPictures('tiny-imagenet-val');
  const present = [...new Set(known.map(({ label }) => label))].sort();
  const others = (await imageNetNames()).filter((name) => !present.includes(name));

  const unseen = unseenImageNetPhotos();
  const names = [...new Set(unseen.map(({ label }) => label))].sort();
  const away = new Set(spread(names, absent));
  return [
    await noMatch(embedder, {
      name: 'Tiny-ImageNet val',
      pictures: await embedder.pictures(known.map(({ webp }) => webp)),
      present,
      absent: spread(others, absent),
      templates,
      minimum: { rejected: 0.5 },
    }),
    await noMatch(embedder, {
      name: 'ImageNet photos of unseen sources',
      pictures: await embedder.pictures(unseen.filter(({ label }) => !away.has(label)).map(({ webp }) => webp)),
      present: names.filter((name) => !away.has(name)),
      absent: [...away],
      templates,
    }),
  ];
}
