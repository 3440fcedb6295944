/** Near-duplicates: photos encoded again, resized and cut among the other pictures of the pack, found through the running service. */
import sharp, { type Sharp } from 'sharp';
import type { MixspaceClient } from '../../src/client/index.js';
import { Random } from '../crash/random.js';
import type { Figure } from './figure.js';
import { captionedPhotos, labelledPictures } from './pack.js';
import { wilson } from './wilson.js';

const originals = 500;
const others = 2_000;
const otherSources = ['tiny-imagenet-val', 'caltech101', 'grocery', 'sports22', 'instruments30', 'intel-scenes', 'popular-animals', 'pacs-photo', 'scene15'];
const collection = 'duplicates';

type Change = (picture: Sharp, size: { width: number; height: number }, random: Random) => Sharp;
const changes: Record<string, Change> = {
  'encoded again': (picture, _, random) => picture.jpeg({ quality: random.between(30, 79) }),
  resized: (picture, { width }, random) => picture.resize(Math.round(width * random.pick([0.5, 0.7, 1.5, 2]))).jpeg({ quality: 85 }),
  'cut by 5 %': (picture, { width, height }, random) => {
    const [w, h] = [Math.round(width * 0.95), Math.round(height * 0.95)];
    return picture.extract({ left: random.between(0, width - w), top: random.between(0, height - h), width: w, height: h }).jpeg({ quality: 85 });
  },
};

/** Each of 500 photos once more, changed in one of three ways, and 100 of them mirrored, among 2,000 others. */
export async function duplicates(client: MixspaceClient): Promise<Figure[]> {
  const random = new Random(7);
  const photos = captionedPhotos().slice(0, originals);
  const entries: { id: string; bytes: Uint8Array }[] = [];
  const kinds = Object.keys(changes);
  for (const [i, { webp }] of photos.entries()) {
    const { width, height } = await sharp(webp).metadata();
    const kind = kinds[i % kinds.length]!;
    entries.push({ id: `photo-${i}`, bytes: webp }, { id: `changed-${i}-${kinds.indexOf(kind)}`, bytes: await changes[kind]!(sharp(webp), { width, height }, random).toBuffer() });
    if (i % 5 === 0) entries.push({ id: `mirrored-${i}`, bytes: await sharp(webp).flop().jpeg({ quality: 85 }).toBuffer() });
  }
  const rest = otherSources.flatMap((source) => labelledPictures(source));
  const every = rest.length / Math.min(others, rest.length);
  for (let i = 0; i < Math.min(others, rest.length); i++) entries.push({ id: `other-${i}`, bytes: rest[Math.floor(i * every)]!.webp });
  await client.createCollection({ name: collection, originals: 'thumbnail' });
  for (let from = 0; from < entries.length; from += 100) {
    await client.uploadItems(collection, entries.slice(from, from + 100).map(({ id, bytes }) => ({ id, name: id, blob: new Blob([new Uint8Array(bytes)]) })));
  }
  const began = performance.now();
  const job = await client.findDuplicates(collection);
  for await (const _ of client.followJob(job.id));
  console.error(`duplicates: ${entries.length} items in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const pairs = new Set<string>();
  const mirrored = new Set<string>();
  for await (const group of client.duplicateGroups(collection)) {
    const items = await client.duplicateGroup(collection, group.id, { limit: 1_000 });
    const ids = items.items.map(({ id }) => id).sort();
    ids.forEach((a, i) => ids.slice(i + 1).forEach((b) => (group.mirrored ? mirrored : pairs).add(`${a} ${b}`)));
  }
  const wanted = new Map(entries.filter(({ id }) => id.startsWith('changed-')).map(({ id }) => [[id, `photo-${id.split('-')[1]}`].sort().join(' '), kinds[Number(id.split('-')[2])]!]));
  const wrong = [...pairs].filter((pair) => !wanted.has(pair));
  if (process.env['SHOW_WRONG']) console.error([...wrong, ...[...wanted.keys()].filter((pair) => !pairs.has(pair)).map((pair) => `missed ${pair}`)].join('\n'));
  const share = (name: string, hits: number, all: number): Figure => ({ name: `Near-duplicates, ${name}`, queries: all, within: {}, share: { value: all === 0 ? 1 : hits / all, ...wilson(hits, all) } });
  const found = (kind?: string): [number, number] => {
    const asked = [...wanted].filter(([, each]) => kind === undefined || each === kind);
    return [asked.filter(([pair]) => pairs.has(pair)).length, asked.length];
  };
  const turned = entries.filter(({ id }) => id.startsWith('mirrored-')).map(({ id }) => id);
  const ofPhoto = (id: string): string[] => [`photo-${id.split('-')[1]}`, ...[...wanted.keys()].flatMap((pair) => pair.split(' ')).filter((other) => other.startsWith(`changed-${id.split('-')[1]}-`))];
  const isPair = (set: Set<string>, a: string, b: string): boolean => set.has([a, b].sort().join(' '));
  return [
    { ...share('precision of pairs', pairs.size - wrong.length, pairs.size), minimum: { share: 0.98 } },
    { ...share('recall', ...found()), minimum: { share: 0.95 } },
    ...kinds.map((kind) => share(`recall, ${kind}`, ...found(kind))),
    { ...share('mirror images told as such', turned.filter((id) => ofPhoto(id).some((other) => isPair(mirrored, id, other)) && !ofPhoto(id).some((other) => isPair(pairs, id, other))).length, turned.length), minimum: { share: 0.95 } },
  ];
}
