/** Requests that only read, beside the model. */
import type { Random } from '../crash/random.js';
import { base64 } from '../api.js';
import { expectItem, SearchCheck, type Query } from './comparing.js';
import { expectSame, expectThat } from './divergence.js';
import { byteOrder } from './filter-oracle.js';
import { unit } from './inputs.js';
import { drawFilter, type Json } from './metadata.js';
import type { Item, Shelf } from './shelf.js';
import type { World } from './world.js';
import { drawId, itemUrl, urlOf } from './writes.js';

export async function exists(random: Random, world: World, shelf: Shelf): Promise<void> {
  const ids = Array.from({ length: random.between(0, 12) }, () => random.pick(world.ids));
  const { body } = await world.service.call('POST', urlOf(shelf, '/items/exists'), { ids });
  expectSame('exists', body, { missing: ids.filter((id) => !shelf.items.has(id)) });
}

export async function get(random: Random, world: World, shelf: Shelf, ids?: readonly string[]): Promise<void> {
  const id = drawId(random, world, shelf, ids);
  const { status, body } = await world.service.call('GET', itemUrl(shelf, id));
  const item = shelf.items.get(id);
  if (!item) return expectSame(`GET of ${id}, which is not there`, status, 404);
  expectSame(`GET of ${id}: status`, status, 200);
  expectItem('GET', shelf, item, body);
}

/** To its end, page by page. */
export async function list(random: Random, world: World, shelf: Shelf, all = false): Promise<void> {
  const filter = !all && random.next() < 0.6 ? drawFilter(random) : undefined;
  const limit = all ? 1000 : random.pick([1, 7, 50, 1000]);
  const expected = [...shelf.items.values()].filter((item) => !filter || shelf.matches(filter, item)).sort((a, b) => byteOrder(a.id, b.id));
  const query = `limit=${limit}${filter ? `&filter=${encodeURIComponent(JSON.stringify(filter))}` : ''}`;
  const what = `list ${JSON.stringify(filter)} of ${shelf.name}`;
  let cursor = '';
  const pages = limit === 1 ? 5 : Infinity;
  for (let page = 0, from = 0; page < pages; page++, from += limit) {
    const { status, body } = await world.service.call('GET', urlOf(shelf, `/items?${query}${cursor}`));
    expectSame(`${what}: status`, status, 200);
    const here = expected.slice(from, from + limit);
    expectSame(`${what}: ids from ${from}`, body.items.map(({ id }: Item) => id), here.map(({ id }) => id));
    here.forEach((item, at) => expectItem(what, shelf, item, body.items[at]));
    expectSame(`${what}: whether there is more behind ${from}`, body.next_cursor !== undefined, expected.length > from + limit);
    if (body.next_cursor === undefined) return;
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
}

export async function image(random: Random, world: World, shelf: Shelf): Promise<void> {
  const pictures = [...shelf.items.values()].filter(({ content }) => content.kind === 'picture');
  const item = pictures.length > 0 && random.next() < 0.9 ? random.pick(pictures) : shelf.items.get(drawId(random, world, shelf));
  if (!item) return;
  for (const size of ['', '?size=thumbnail', '?size=original']) {
    const seen = await world.service.bytes(itemUrl(shelf, item.id, `/image${size}`));
    const picture = item.content.kind === 'picture' ? world.inputs.pictures[item.content.picture] : undefined;
    const isOriginal = size === '?size=original';
    const what = `image${size} of ${item.id}`;
    if (!picture || (isOriginal && !item.hasOriginal)) expectSame(`${what}: status`, seen.status, 404);
    else {
      expectSame(`${what}: status and type`, [seen.status, seen.mediaType], [200, isOriginal ? picture.mediaType : 'image/webp']);
      expectThat(`${what}: its bytes`, seen.bytes.equals(isOriginal ? picture.bytes : picture.thumbnail), seen.bytes.length);
    }
  }
}

export async function collections(world: World): Promise<void> {
  const { body } = await world.service.call('GET', '/v1/collections');
  expectSame('collections', body.collections.map(({ name }: any) => name).sort(), [...world.shelves.keys()].sort());
  for (const seen of body.collections) expectCollection(world, world.shelves.get(seen.name)!, seen);
}

export function expectCollection(world: World, shelf: Shelf, seen: any): void {
  world.observe(shelf, seen);
  const { name, description, model, model_available, fingerprint, dimensions, originals, counts, not_embedded, created_at, graph } = seen;
  expectSame(
    `collection ${shelf.name}`,
    { name, description, model, model_available, fingerprint, dimensions, originals, counts, not_embedded },
    { name: shelf.name, description: shelf.description, model: shelf.space.model, model_available: true, fingerprint: shelf.space.fingerprint, dimensions: shelf.space.dimension, originals: shelf.originals, counts: shelf.counts, not_embedded: shelf.unembedded },
  );
  if (shelf.createdAt !== undefined) expectSame(`collection ${shelf.name}: created_at`, created_at, shelf.createdAt);
  shelf.createdAt = created_at;
  expectThat(`collection ${shelf.name}: its cells hold no more than it does`, graph.indexed <= shelf.items.size && (graph.state !== 'none' || graph.indexed === 0), [graph, shelf.items.size]);
  const again = seen.reembedding;
  if (again) {
    const { to, fromThumbnails, skipImpossible, isRunning } = shelf.reembedding!;
    expectSame(`reembedding of ${shelf.name}`, [again.model, again.fingerprint, again.from_thumbnails, again.skip_impossible, again.state, again.total], [to.model, to.fingerprint, fromThumbnails, skipImpossible, isRunning ? 'running' : 'stopped', shelf.items.size]);
    expectThat(`reembedding of ${shelf.name}: no more outcomes than items`, again.done >= 0 && again.impossible >= 0 && again.done + again.impossible <= again.total, again);
  }
}

interface DrawnPart {
  body: unknown;
  weight?: number;
  isEncoded: boolean;
  excludes?: string;
  /** In the space of the shelf as it is then; or the status it is refused with. */
  vector(shelf: Shelf): Float64Array | number;
}

function drawPart(random: Random, world: World, shelf: Shelf): DrawnPart {
  const kind = random.next();
  if (kind < 0.1) {
    const text = random.between(0, world.inputs.texts.length - 1);
    const plain = world.inputs.texts[text]!;
    return { body: random.next() < 0.5 ? plain : { text: plain }, isEncoded: true, vector: ({ space }) => world.inputs.embeddings.get(space.fingerprint)!.text[text]! };
  }
  if (kind < 0.17) {
    const picture = random.between(0, world.inputs.pictures.length - 1);
    return { body: { image: base64(world.inputs.pictures[picture]!.bytes) }, isEncoded: true, vector: ({ space }) => world.inputs.embeddings.get(space.fingerprint)!.picture[picture]! };
  }
  if (kind < 0.5) {
    const id = drawId(random, world, shelf);
    return {
      body: { id },
      isEncoded: shelf.items.get(id)?.content.kind !== 'given',
      excludes: id,
      vector: (at) => {
        const item = at.items.get(id);
        return item ? (at.vectorOf(item) ?? 409) : 404;
      },
    };
  }
  const values = random.next() < 0.1 ? random.pick(world.common) : random.next() < 0.02 ? [1, 2, 3] : world.drawVector(random);
  const named = shelf.isOnItsWay || random.next() < 0.2 ? random.next() < 0.9 ? shelf.space.fingerprint : 'of another space' : undefined;
  const vector = unit(values);
  return {
    body: { embedding: values, ...(named === undefined ? {} : { fingerprint: named }) },
    isEncoded: false,
    vector: ({ space }) => (named !== undefined && named !== space.fingerprint ? 409 : values.length !== space.dimension ? 422 : vector),
  };
}

interface DrawnSearch {
  body: Json & { limit?: number };
  parts: DrawnPart[];
  /** What is asked for; or the statuses, any of which it may be refused with. */
  query(shelf: Shelf): Query | number[];
}

function drawSearch(random: Random, world: World, shelf: Shelf): DrawnSearch {
  const isSum = random.next() < 0.25;
  const parts = isSum ? Array.from({ length: random.between(1, 3) }, () => ({ ...drawPart(random, world, shelf), ...(random.next() < 0.8 ? { weight: random.pick([1, 2, 0.5, -0.5, -1, 0.1]) } : {}) })) : [drawPart(random, world, shelf)];
  if (isSum && random.next() < 0.08) parts.splice(0, parts.length, { ...parts[0]!, weight: 1 }, { ...parts[0]!, weight: -1 });
  const limit = random.pick([undefined, 1, 3, 10, 25, 60, 1000]);
  const rest = {
    ...(limit === undefined ? {} : { limit }),
    ...(random.next() < 0.3 ? { modality: random.pick(['image', 'text'] as const) } : {}),
    ...(random.next() < 0.4 ? { filter: drawFilter(random) } : {}),
    ...(random.next() < 0.15 ? { min_score: random.pick([-1, 0, 0.3, 0.7, 0.95]) } : {}),
    ...(random.next() < 0.3 ? { exact: true } : {}),
    // The other order is of spreads that are measured on a sample.
    fusion: 'raw',
  };
  return {
    body: { query: isSum ? parts.map(({ body, weight }) => ({ input: body, ...(weight === undefined ? {} : { weight }) })) : parts[0]!.body, ...rest },
    parts,
    query: (at) => {
      const vectors = parts.map((part) => part.vector(at));
      const statuses = vectors.filter((vector) => typeof vector === 'number');
      if (statuses.length > 0) return statuses;
      const sum = new Float64Array(at.space.dimension);
      (vectors as Float64Array[]).forEach((vector, part) => vector.forEach((value, i) => (sum[i]! += (parts[part]!.weight ?? 1) * value)));
      if (Math.hypot(...sum) < 1e-6) return [422];
      return {
        vector: unit(sum),
        // What is left of opposites is the more rounded.
        isEncoded: isSum || parts.some(({ isEncoded }) => isEncoded),
        excluded: new Set(parts.flatMap(({ excludes }) => excludes ?? [])),
        ...('modality' in rest ? { modality: rest.modality } : {}),
        ...('filter' in rest ? { filter: rest.filter } : {}),
        ...('min_score' in rest ? { minScore: rest.min_score } : {}),
        limit: limit ?? 10,
      };
    },
  };
}

/** `unsure`: ids that other requests are writing meanwhile. */
export async function search(random: Random, world: World, shelf: Shelf, unsure?: ReadonlySet<string>): Promise<void> {
  const drawn = drawSearch(random, world, shelf);
  const { status, body } = await world.service.call('POST', urlOf(shelf, '/search'), drawn.body);
  const what = `search ${told(drawn.body)} in ${shelf.name}`;
  if (unsure && drawn.parts.some(({ excludes }) => excludes !== undefined && unsure.has(excludes))) return;
  world.judge(shelf, (at) => {
    const query = drawn.query(at);
    if (Array.isArray(query)) return expectThat(`${what}: status ${query.join(' or ')}`, query.includes(status), [status, body]);
    expectSame(`${what}: status (${told(body)})`, status, 200);
    if (drawn.body['exact'] === true || !world.profile.store) expectThat(`${what}: the answer is exact`, body.exact === true, body.exact);
    const share = new SearchCheck(what, at, query, unsure).page(body);
    world.tally.searches++;
    if (share !== undefined && !unsure) world.tally.recall.push(share);
  });
}

/** By cursor to the end. */
export async function pages(random: Random, world: World, shelf: Shelf): Promise<void> {
  const drawn = drawSearch(random, world, shelf);
  drawn.body.limit = random.pick([2, 5, 20, 100]);
  const query = drawn.query(shelf);
  if (Array.isArray(query) || shelf.isOnItsWay) return search(random, world, shelf);
  const what = `pages of ${told(drawn.body)} in ${shelf.name}`;
  const check = new SearchCheck(what, shelf, { ...query, limit: drawn.body.limit });
  let cursor: string | undefined;
  for (let page = 0; page < 12 || (drawn.body.limit >= 20 && page < 40); page++) {
    const { status, body } = await world.service.call('POST', urlOf(shelf, '/search'), { ...drawn.body, ...(cursor === undefined ? {} : { cursor }) });
    expectSame(`${what}: status (${told(body)})`, status, 200);
    const share = check.page(body);
    if (share !== undefined) world.tally.recall.push(share);
    world.tally.searches++;
    cursor = body.next_cursor;
    if (cursor === undefined) return;
    if (random.next() < 0.25) await misuse(random, world, shelf, { ...drawn.body, cursor });
  }
}

/** A cursor belongs to its request. */
async function misuse(random: Random, world: World, shelf: Shelf, body: Json): Promise<void> {
  const other = { ...body };
  const change = random.pick(['filter', 'modality', 'min_score', 'query']);
  if (change === 'filter') other['filter'] = { $and: [body['filter'] ?? { year: 1 }, { note: { $exists: true } }] };
  else if (change === 'modality') other['modality'] = body['modality'] === 'text' ? 'image' : 'text';
  else if (change === 'min_score') other['min_score'] = body['min_score'] === 0.123 ? 0.124 : 0.123;
  else other['query'] = { embedding: world.drawVector(random) };
  const { status } = await world.service.call('POST', urlOf(shelf, '/search'), other);
  expectSame(`A cursor with another ${change}: status`, status, 400);
}

const told = (body: unknown): string => JSON.stringify(body, (key, value: unknown) => (key === 'embedding' ? '[...]' : key === 'matches' ? '...' : typeof value === 'string' ? value.slice(0, 60) : value)).slice(0, 600);
