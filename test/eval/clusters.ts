/** Clusters: whether they hold one kind of thing, and are called what it is. */
import type { MixspaceClient } from '../../src/client/index.js';
import type { Clusters } from '../../src/contract/clusters.js';
import type { Figure } from './figure.js';
import { labelledPictures } from './pack.js';
import { wilson } from './wilson.js';

/** What a cluster of mostly this label may be called, written down before any was looked at. */
const rightNames: Record<string, string[]> = {
  airplane: ['airplane', 'propeller plane', 'fighter jet', 'airport', 'helicopter'],
  automobile: ['car', 'sports car', 'vintage car', 'convertible', 'taxi', 'van', 'car race'],
  bird: ['bird', 'sparrow', 'robin', 'parrot', 'ostrich', 'chick', 'chicken', 'duck', 'crow', 'pigeon', 'kingfisher', 'swallow', 'heron', 'hummingbird', 'magpie', 'woodpecker', 'turkey bird', 'goose', 'peacock', 'stork', 'falcon', 'eagle'],
  cat: ['cat', 'kitten'],
  deer: ['deer', 'antelope', 'moose'],
  dog: ['dog', 'puppy', 'dog on a leash', 'dog with a ball', 'dog in water', 'dog in snow'],
  frog: ['frog', 'toad'],
  horse: ['horse', 'foal', 'donkey', 'horse riding', 'saddle', 'polo', 'rodeo'],
  ship: ['ship', 'cargo ship', 'cruise ship', 'ferry', 'sailboat', 'motorboat', 'aircraft carrier', 'harbor', 'rowing boat'],
  truck: ['truck', 'pickup truck', 'fire truck', 'garbage truck', 'van'],
};
const collection = 'clusters';

export async function clusters(client: MixspaceClient): Promise<Figure[]> {
  const pictures = labelledPictures('cifar10-test');
  await client.createCollection({ name: collection, originals: 'thumbnail' });
  for (let from = 0; from < pictures.length; from += 100) {
    await client.uploadItems(collection, pictures.slice(from, from + 100).map(({ webp, label }, i) => ({ id: `${from + i}`, name: label, blob: new Blob([new Uint8Array(webp)]) })));
  }
  const of = async (count?: number): Promise<Clusters> => {
    const job = await client.makeClusters(collection, count === undefined ? {} : { count });
    for await (const _ of client.followJob(job.id));
    return client.clusters(collection);
  };
  const figures: Figure[] = [];
  for (const count of [10, undefined]) {
    const made = await of(count);
    let [pure, right] = [0, 0];
    for (const { id, name, size, words } of made.clusters) {
      const labels = new Map<string, number>();
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await client.cluster(collection, id, { limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
        for (const item of page.items) labels.set(pictures[Number(item.id)]!.label, (labels.get(pictures[Number(item.id)]!.label) ?? 0) + 1);
        cursor = page.next_cursor;
        more = cursor !== undefined;
      }
      const [label, most] = [...labels].sort((a, b) => b[1] - a[1])[0]!;
      pure += most;
      if (rightNames[label]?.includes(name)) right++;
      console.error(`clusters: ${size} called ${name} (${words.join(', ')}), ${most} of them ${label}`);
    }
    const title = `Clusters of CIFAR-10 test, ${count === undefined ? 'their number not asked for' : `${count} asked for`}`;
    figures.push(
      { name: `${title}: pictures of their cluster's most frequent label`, queries: made.items, within: {}, share: { value: pure / made.items, ...wilson(pure, made.items) } },
      { name: `${title}: clusters called what most of them show`, queries: made.clusters.length, within: {}, share: { value: right / made.clusters.length, ...wilson(right, made.clusters.length) } },
    );
  }
  return figures;
}
