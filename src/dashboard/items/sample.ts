import type { MixspaceClient } from '../../client/index.js';
import type { Collection } from '../../contract/collections.js';
import type { Item } from '../../contract/items.js';

const isImage = { '$item.modality': 'image' };
const page = 1000;
const strata = 10;

/**
 * Pictures of a collection, drawn by chance. Of a large one: the first by id where ids are hashes of the content, which
 * is as good as chance; else some that follow upon each of several moments between its first and its last addition.
 */
export async function samplePictures(client: MixspaceClient, { name, counts }: Collection, count: number, options: { signal?: AbortSignal } = {}): Promise<Item[]> {
  if (counts.image <= page) return drawn((await client.itemPage(name, { filter: isImage, limit: page }, options)).items, count);
  const { items } = await client.itemPage(name, { filter: isImage, limit: Math.min(2 * count, page) }, options);
  if (items.every(({ id }) => /^[0-9a-f]{64}$/.test(id))) return drawn(items, count);
  const at = '$item.created_at';
  const ends = await Promise.all([at, `-${at}`].map(async (sort) => (await client.itemPage(name, { filter: isImage, sort, limit: 1 }, options)).items[0]));
  const [from, to] = ends.map((item) => Date.parse(item?.created_at ?? '')) as [number, number];
  if (Number.isNaN(from + to)) return [];
  const found = new Map<string, Item>();
  for (let stratum = 0; stratum < strata; stratum++) {
    const moment = new Date(from + ((to - from) * (stratum + Math.random())) / strata).toISOString();
    const some = await client.itemPage(name, { filter: { ...isImage, [at]: { $gte: moment } }, sort: at, limit: Math.ceil((1.5 * count) / strata) }, options);
    for (const item of some.items) found.set(item.id, item);
  }
  return drawn([...found.values()], count);
}

/** Without putting any back. */
function drawn<T>(all: T[], count: number): T[] {
  const rest = [...all];
  for (let i = 0; i < Math.min(count, rest.length); i++) {
    const other = i + Math.floor(Math.random() * (rest.length - i));
    [rest[i], rest[other]] = [rest[other]!, rest[i]!];
  }
  return rest.slice(0, count);
}
