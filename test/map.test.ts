/** The map through the front door: where items come to lie, what is told of all points at once, and what stays as it was. */
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { CollectionMap } from '../src/contract/map.js';
import { call, type Answer } from './api.js';
import { Random } from './crash/random.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

let server: RunningServer;
let client: MixspaceClient;
let dimensions: number;
beforeAll(async () => {
  server = await startServer();
  client = new MixspaceClient({ url: server.url, retries: 0 });
  ({ dimensions } = await client.collection('default'));
});
afterAll(() => server.remove());

const at = (name: string, rest = ''): string => `/v1/collections/${name}/map${rest}`;
const get = (name: string, rest = ''): Promise<Answer> => call(server.url, 'GET', at(name, rest));
const post = (name: string, rest: string, body: unknown): Promise<Answer> => call(server.url, 'POST', at(name, rest), body);

async function done(id: string, by = client): Promise<void> {
  await expect.poll(async () => (await by.job(id)).state, { interval: 100, timeout: 120_000 }).toBe('done');
}

async function make(name: string, body: object = {}, by = client): Promise<CollectionMap> {
  const job = await by.makeMap(name, body);
  await done(job.id, by);
  const map = await by.map(name);
  expect(map.job).toBe(job.id);
  return map;
}

interface Entry {
  id: string;
  embedding: number[];
  modality?: 'image' | 'text';
  metadata?: object;
}

async function filled(name: string, entries: Entry[], by = client): Promise<string> {
  await by.createCollection({ name });
  await add(name, entries, by);
  return name;
}

async function add(name: string, entries: Entry[], by = client): Promise<void> {
  for (let from = 0; from < entries.length; from += 1_000) {
    const outcomes = await by.addItems(name, entries.slice(from, from + 1_000).map((entry) => ({ modality: 'image' as const, ...entry })) as never);
    expect(outcomes.every(({ status }) => status === 'created')).toBe(true);
  }
}

const directions = (seed: number, count: number): number[][] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => unit(Array.from({ length: dimensions }, () => random.normal())));
};
const unit = (vector: number[]): number[] => {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};
/** Around each direction so many; the ids tell which. */
function around(centers: number[][], each: number, { spread = 0.6, seed = 1, letter = 'k' } = {}): Entry[] {
  const random = new Random(seed);
  return centers.flatMap((center, c) => Array.from({ length: each }, (_, i) => ({ id: `${letter}${c}-${i}`, embedding: unit(center.map((value) => value + (spread * random.normal()) / Math.sqrt(dimensions))), metadata: { cluster: c, place: i } })));
}
const cosine = (a: number[], b: number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));

interface Point {
  number: number;
  id: string;
  x: number;
  y: number;
}
async function pointsOf(name: string): Promise<Point[]> {
  const { count } = await client.map(name);
  const points: Point[] = [];
  for (let from = 0; from < count; from += 400) points.push(...(await client.mapItems(name, { from, limit: 400 })).items);
  return points;
}
const apart = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
const nearestTo = (point: Point, points: Point[], k: number): Point[] => points.filter((other) => other !== point).sort((a, b) => apart(point, a) - apart(point, b)).slice(0, k);

describe('A map', () => {
  it('is a 404 with the way there until it was made, and needs an item', async () => {
    await client.createCollection({ name: 'fresh' });
    for (const rest of ['', '/points', '/items', '/sheets/0', '/values?field=a']) expect(await get('fresh', rest), rest).toMatchObject({ status: 404, body: { error: { message: expect.stringMatching(/yet.*POST/) } } });
    expect(await post('fresh', '/scores', { query: 'a' })).toMatchObject({ status: 404 });
    expect(await post('fresh', '', { place: true })).toMatchObject({ status: 404 });
    expect(await post('fresh', '', {})).toMatchObject({ status: 422 });
    expect(await get('nowhere')).toMatchObject({ status: 404 });
    await add('fresh', [{ id: 'one', embedding: directions(1, 1)[0]! }]);
    expect(await post('fresh', '', { filter: { a: 1 } })).toMatchObject({ status: 422, body: { error: { param: 'filter' } } });
    expect(await post('fresh', '', { modality: 'text' })).toMatchObject({ status: 422, body: { error: { param: 'modality' } } });
    expect(await make('fresh')).toMatchObject({ count: 1, levels: [1], stale: { added: 0, removed: 0 } });
    await add('fresh', [{ id: 'two', embedding: directions(2, 1)[0]! }, { id: 'same', embedding: directions(2, 1)[0]! }]);
    expect(await make('fresh')).toMatchObject({ count: 3 });
    expect([...(await client.mapPoints('fresh'))].every((value) => value >= -1 && value <= 1)).toBe(true);
  });

  it('keeps clusters apart and neighbors together, each item once, covered evenly from the first level on', async () => {
    const entries = around(directions(3, 6), 90);
    const name = await filled('apart', entries);
    const map = await make(name);
    expect(map).toMatchObject({ count: 540, neighbors: 15, bounds: [-1, 1], sheets: { count: 9, columns: 8, rows: 8, size: 64 }, stale: { added: 0, removed: 0 } });
    const points = await pointsOf(name);
    expect(points.map(({ number }) => number)).toEqual(entries.map((_, i) => i));
    expect(new Set(points.map(({ id }) => id))).toEqual(new Set(entries.map(({ id }) => id)));
    const raw = await client.mapPoints(name);
    expect(points.flatMap(({ x, y }) => [x, y])).toEqual([...raw]);
    expect([...(await client.mapPoints(name, { from: 10, to: 20 }))]).toEqual([...raw.slice(20, 40)]);
    expect([Math.min(...raw), Math.max(...raw)]).toEqual([expect.closeTo(-1, 5), expect.closeTo(1, 5)]);
    const clusterOf = ({ id }: Point): string => id.split('-')[0]!;
    for (const point of points) expect(nearestTo(point, points, 5).map(clusterOf)).toEqual(Array.from({ length: 5 }, () => clusterOf(point)));

    // Trustworthiness at 15 as Venna and Kaski have it, of all points, by full comparison.
    const embeddingOf = new Map(entries.map(({ id, embedding }) => [id, embedding]));
    let missed = 0;
    for (const point of points) {
      const truth = points.filter((other) => other !== point).map((other) => ({ other, score: cosine(embeddingOf.get(point.id)!, embeddingOf.get(other.id)!) })).sort((a, b) => b.score - a.score);
      const rank = new Map(truth.map(({ other }, i) => [other.id, i + 1]));
      for (const near of nearestTo(point, points, 15)) missed += Math.max(0, rank.get(near.id)! - 15);
    }
    const trust = 1 - (2 * missed) / (540 * 15 * (2 * 540 - 3 * 15 - 1));
    expect(trust).toBeGreaterThan(0.93);
    expect(map.trustworthiness).toBeGreaterThan(trust - 0.02);
    expect(map.trustworthiness).toBeLessThan(trust + 0.02);

    expect(map.levels).toEqual([...map.levels].sort((a, b) => a - b));
    expect(map.levels.at(-1)).toBe(540);
    const cellsOf = (some: Point[]): Set<string> => new Set(some.map(({ x, y }) => `${Math.min(7, Math.floor((x + 1) * 4))} ${Math.min(7, Math.floor((y + 1) * 4))}`));
    // One in each cell of an 8 x 8 grid that holds any, and none twice.
    expect(cellsOf(points.slice(0, map.levels[0]))).toEqual(cellsOf(points));
    expect(cellsOf(points).size).toBe(map.levels[0]);
    // Within a level, neighbors in number are far nearer than any two.
    const [from, to] = map.levels.map((end, i) => [map.levels[i - 1] ?? 0, end] as const).sort(([a, b], [c, d]) => d - c - (b - a))[0]!;
    const level = points.slice(from, to);
    const mean = (distances: number[]): number => distances.reduce((sum, each) => sum + each, 0) / distances.length;
    expect(mean(level.slice(1).map((point, i) => apart(point, level[i]!)))).toBeLessThan(0.3 * mean(level.flatMap((point) => level.map((other) => apart(point, other)))));
  });

  it('is the same each time it is made of the same', async () => {
    const before = await client.mapPoints('apart');
    await make('apart');
    expect([...(await client.mapPoints('apart'))]).toEqual([...before]);
  });

  it('lays texts among the pictures that they speak of', async () => {
    const centers = directions(5, 4);
    const [pictures, texts] = directions(6, 2);
    const moved = (center: number[], by: number[]): number[] => center.map((value, i) => value + 2 * by[i]!);
    const name = await filled('both', [
      ...around(centers.map((center) => moved(center, pictures!)), 40, { seed: 8, letter: 'p' }),
      ...around(centers.map((center) => moved(center, texts!)), 40, { seed: 9, letter: 't' }).map((entry) => ({ ...entry, modality: 'text' as const })),
    ]);
    await make(name);
    const points = await pointsOf(name);
    expect(points.filter((point) => nearestTo(point, points, 10).every(({ id }) => id.slice(1, 2) === point.id.slice(1, 2))).length).toBeGreaterThan(310);
    expect(points.filter((point) => nearestTo(point, points, 10).some(({ id }) => id[0] !== point.id[0])).length).toBeGreaterThan(200);
    expect((await make(name, { modality: 'text' })).count).toBe(160);
    expect((await make(name, { filter: { cluster: 1 }, neighbors: 5 }))).toMatchObject({ count: 80, neighbors: 5 });
  });

  it('tells the items of points, by their numbers or ids', async () => {
    const some = (await pointsOf('apart')).filter(({ number }) => [3, 77, 500].includes(number));
    const byNumber = (await client.mapItemsOf('apart', { numbers: [500, 3, 77, 99_999] })).items;
    expect(byNumber.map(({ number, id }) => [number, id])).toEqual([some[2]!, some[0]!, some[1]!].map(({ number, id }) => [number, id]));
    const { number: _, ...item } = byNumber[0]!;
    expect(item).toEqual(await client.getItem('apart', some[2]!.id));
    expect((await client.mapItemsOf('apart', { ids: ['gone', some[1]!.id] })).items).toEqual([byNumber[2]]);
  });

  it('scores all points by a query as its cosines, of those alone that match', async () => {
    const entries = around(directions(3, 6), 90);
    const points = await pointsOf('apart');
    const embeddingOf = new Map(entries.map(({ id, embedding }) => [id, embedding]));
    const [text] = await client.embeddings({ input: 'a dog in the snow' });
    const scores = await client.mapScores('apart', { query: 'a dog in the snow' });
    expect([...scores]).toEqual(points.map(({ id }) => expect.closeTo(cosine([...text!], embeddingOf.get(id)!), 4)));
    const mixed = unit(embeddingOf.get('k1-3')!.map((value, i) => value - 0.5 * embeddingOf.get('k2-0')![i]!));
    const told = await client.mapScores('apart', { query: [{ input: { id: 'k1-3' } }, { input: { id: 'k2-0' }, weight: -0.5 }], filter: { cluster: { $in: [1, 2] } } });
    expect([...told]).toEqual(points.map(({ id }) => (/^k[12]-/.test(id) ? expect.closeTo(cosine(mixed, embeddingOf.get(id)!), 4) : NaN)));
    expect([...(await client.mapScores('apart', { query: 'a dog', modality: 'text' }))].every(Number.isNaN)).toBe(true);
  });

  it('tells a field of all points: categories, numbers, times, clusters', async () => {
    const centers = directions(12, 3);
    const entries = around(centers, 20, { seed: 12 }).map(({ metadata: _, ...entry }, i) => ({
      ...entry,
      metadata: { kind: i < 30 ? 'a' : i < 50 ? 'b' : 'c', size: i % 7 === 0 ? undefined : i / 4, at: `2024-01-${String((i % 28) + 1).padStart(2, '0')}T00:00:00Z`, many: `v${i}`, odd: i === 0 ? 'x' : i, list: i === 0 ? [] : [`t${i % 2}`, 'other'] },
    }));
    const name = await filled('fields', entries);
    await make(name, { neighbors: 5 });
    const order = (await pointsOf(name)).map(({ id }) => entries.findIndex((entry) => entry.id === id));
    const bytes = (values: string): Buffer => Buffer.from(values, 'base64');
    const numbers = (values: string): number[] => [...new Float32Array(Uint8Array.from(bytes(values)).buffer)];
    const kind = await client.mapValues(name, 'kind');
    expect(kind).toMatchObject({ field: 'kind', kind: 'categories', categories: ['a', 'b', 'c'], rest: 0, missing: 0 });
    expect([...bytes(kind.values)]).toEqual(order.map((i) => (i < 30 ? 0 : i < 50 ? 1 : 2)));
    const size = await client.mapValues(name, 'size');
    expect(size).toMatchObject({ kind: 'numbers', min: 0.25, max: 14.75, missing: 9 });
    expect(numbers(size.values)).toEqual(order.map((i) => (i % 7 === 0 ? NaN : i / 4)));
    const time = await client.mapValues(name, 'at');
    expect(time).toMatchObject({ kind: 'times', min: Date.UTC(2024, 0, 1) / 1000, max: Date.UTC(2024, 0, 28) / 1000 });
    expect(numbers(time.values).map((value, n) => Math.abs(value - Date.UTC(2024, 0, (order[n]! % 28) + 1) / 1000) < 200)).toEqual(order.map(() => true));
    expect((await client.mapValues(name, 'odd')).kind).toBe('categories');
    expect((await client.mapValues(name, 'list'))).toMatchObject({ categories: ['t1', 't0'], missing: 1 });
    expect((await client.mapValues(name, '$item.created_at')).kind).toBe('times');
    expect(await client.mapValues(name, 'nothing')).toMatchObject({ kind: 'categories', categories: [], missing: 60 });
    expect(await get(name, '/values?field=$cluster')).toMatchObject({ status: 404, body: { error: { param: 'field' } } });
    await done((await client.makeClusters(name, { count: 3 })).id);
    const { clusters } = await client.clusters(name);
    const clustered = await client.mapValues(name, '$cluster');
    expect(clustered.categories).toEqual(clusters.map((cluster) => cluster.name));
    const members = await Promise.all(clusters.map(async ({ id }) => new Set((await client.cluster(name, id, { limit: 100 })).items.map((item) => item.id))));
    expect([...bytes(clustered.values)]).toEqual(order.map((i) => members.findIndex((ids) => ids.has(entries[i]!.id))));
    const renamed = await client.renameCluster(name, clusters[1]!.id, 'Meine Ferien');
    expect((await client.mapValues(name, '$cluster')).categories![1]).toBe(renamed.name);
  });

  it('has the thumbnail of each point in its place of a sheet', async () => {
    const name = 'sheets';
    await client.createCollection({ name });
    const random = new Random(77);
    const colors = new Map(Array.from({ length: 70 }, (_, i) => [`c${i}`, { r: random.between(0, 255), g: random.between(0, 255), b: random.between(0, 255) }]));
    const files = await Promise.all([...colors].map(async ([id, background], i) => ({ id, name: `${id}.png`, blob: new Blob([new Uint8Array(await sharp({ create: { width: i % 2 ? 90 : 45, height: 45, channels: 3, background } }).png().toBuffer())]) })));
    expect((await client.uploadItems(name, files)).map(({ status }) => status)).toEqual(files.map(() => 'created'));
    await client.addItems(name, [{ id: 'words', text: 'a dog in the snow' }]);
    const map = await make(name, { neighbors: 5 });
    expect(map).toMatchObject({ count: 71, sheets: { count: 2 } });
    const seen = new Map<string, string>();
    for (const { number, id } of await pointsOf(name)) {
      const sheet = await client.mapSheet(name, Math.floor(number / 64), { job: map.job });
      expect(sheet.type).toBe('image/webp');
      const { data, info } = await sharp(Buffer.from(await sheet.arrayBuffer())).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([512, 512]);
      const pixel = (x: number, y: number): number[] => [...data.subarray(4 * ((Math.floor((number % 64) / 8) * 64 + y) * 512 + (number % 8) * 64 + x)).subarray(0, 4)];
      const color = colors.get(id);
      const [r, g, b, a] = pixel(32, 32);
      if (!color) expect(a, id).toBe(0);
      else expect(Math.max(Math.abs(r! - color.r), Math.abs(g! - color.g), Math.abs(b! - color.b), 255 - a!), id).toBeLessThan(16);
      // Twice as wide as high: above it is nothing.
      if (color && Number(id.slice(1)) % 2 === 1) expect(pixel(32, 4)[3], id).toBeLessThan(16);
      seen.set(id, sheet.type);
    }
    expect(seen.size).toBe(71);
    const sheetAt = (n: number, tag = ''): Promise<Response> => fetch(`${server.url}/v1/collections/${name}/map/sheets/${n}?job=${map.job}`, { headers: { 'if-none-match': tag } });
    const sheets = await Promise.all([0, 1].map((n) => sheetAt(n)));
    const tags = sheets.map(({ headers }) => headers.get('etag')!);
    expect(new Set(tags).size).toBe(2);
    for (const { headers } of sheets) expect(headers.get('cache-control')).toBe('private, no-cache');
    for (const n of [0, 1]) expect([(await sheetAt(n, `W/${tags[n]}, "other"`)).status, (await sheetAt(n, tags[1 - n])).status]).toEqual([304, 200]);
    const gone = (await client.mapItems(name, { limit: 1 })).items[0]!;
    await client.deleteItem(name, gone.id);
    const after = await sheetAt(0, tags[0]);
    expect(after.status).toBe(200);
    const { data } = await sharp(Buffer.from(await after.arrayBuffer())).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(data[4 * ((Math.floor((gone.number % 64) / 8) * 64 + 32) * 512 + (gone.number % 8) * 64 + 32) + 3]).toBe(0);
    expect((await sheetAt(1, tags[1])).status).toBe(304);
    expect(await get(name, '/sheets/2')).toMatchObject({ status: 404, body: { error: { param: 'n' } } });
    expect(await get(name, '/sheets/0?job=another')).toMatchObject({ status: 404, body: { error: { param: 'job' } } });
  });

  it('gets new items near their neighbors, moves nothing, and knows what has gone', async () => {
    const centers = directions(3, 6);
    const name = await filled('growing', around(centers, 30));
    const { job, levels } = await make(name);
    const before = await client.mapPoints(name);
    const old = await pointsOf(name);
    await add(name, around(centers, 3, { seed: 99, letter: 'n' }));
    await client.deleteItem(name, old[7]!.id);
    await client.deleteItem(name, old[50]!.id);
    expect((await client.map(name)).stale).toEqual({ added: 18, removed: 2 });
    await done((await client.makeMap(name, { place: true })).id);
    const map = await client.map(name);
    expect(map).toMatchObject({ job, count: 198, levels: [...levels, 198], stale: { added: 0, removed: 2 } });
    const after = await client.mapPoints(name);
    expect([...after.subarray(0, 360)]).toEqual([...before].map((value, i) => ([7, 50].includes(Math.floor(i / 2)) ? NaN : value)));
    const points = await pointsOf(name);
    expect(points).toHaveLength(196);
    for (const point of points.slice(-18)) {
      expect(point.number).toBeGreaterThanOrEqual(180);
      const near = nearestTo(point, points.filter(({ number }) => number < 180), 5);
      expect(near.map(({ id }) => id.split('-')[0])).toEqual(Array.from({ length: 5 }, () => `k${point.id.slice(1).split('-')[0]}`));
    }
    const scores = await client.mapScores(name, { query: { id: 'n0-0' } });
    expect(scores).toHaveLength(198);
    expect([7, 50].map((number) => scores[number])).toEqual([NaN, NaN]);
    expect(scores[points.find(({ id }) => id === 'n0-0')!.number]).toBeCloseTo(1, 4);
    // One that is another by now is scored as what it is.
    await client.addItems(name, [{ id: 'k1-1', embedding: centers[4]!, modality: 'image' }]);
    const [place] = points.flatMap(({ id, number }) => (id === 'k1-1' ? [number] : []));
    expect((await client.mapScores(name, { query: { embedding: centers[4]! } }))[place!]).toBeCloseTo(1, 4);
    // One that comes back under its id is where it was.
    await add(name, [around(centers, 30).find(({ id }) => id === old[7]!.id)!]);
    expect([...(await client.mapPoints(name, { from: 7, to: 8 }))]).toEqual([...before.subarray(14, 16)]);
    await done((await client.makeMap(name, { place: true })).id);
    expect((await client.map(name)).count).toBe(198);
  });

  it('stands after a restart, and one that was being made when the service was killed is made', async () => {
    const own = await startServer();
    let now = own;
    try {
      let by = new MixspaceClient({ url: own.url, retries: 0 });
      const name = await filled('lasting', around(directions(20, 4), 400), by);
      const first = await make(name, { filter: { cluster: 0 } }, by);
      const points = await by.mapPoints(name);
      const job = await by.makeMap(name);
      await expect.poll(async () => (await by.job(job.id)).done, { interval: 5, timeout: 120_000 }).toBeGreaterThan(0);
      expect((await by.job(job.id)).state).toBe('running');
      await now.kill();
      now = await startServer({ indexDir: own.indexDir });
      by = new MixspaceClient({ url: now.url, retries: 0 });
      expect((await by.map(name)).job).toBe(first.job);
      expect([...(await by.mapPoints(name))]).toEqual([...points]);
      // It may have been quicker.
      await by.pauseJob(job.id).then(() => by.resumeJob(job.id), () => undefined);
      await done(job.id, by);
      expect(await by.job(job.id)).toMatchObject({ done: 1_600, total: 1_600, result: { items: 1_600 } });
      expect(await by.map(name)).toMatchObject({ job: job.id, count: 1_600 });
    } finally {
      await now.remove();
      await own.remove();
    }
  });

  it('refuses what is wrong with a request by its field', async () => {
    const wrong: [rest: string, body: object, param: string, message: RegExp][] = [
      ['', { neighbors: 1 }, 'neighbors', /at least 2/],
      ['', { neighbors: 51 }, 'neighbors', /at most 50/],
      ['', { neighbors: 2.5 }, 'neighbors', /./],
      ['', { modality: 'smell' }, 'modality', /./],
      ['', { filter: 3 }, 'filter', /./],
      ['', { place: 'yes' }, 'place', /./],
      ['', { place: true, neighbors: 5 }, 'place', /no other field/],
      ['', { seed: 1 }, 'seed', /seed/],
      ['/items', {}, 'numbers', /one of the two/],
      ['/items', { numbers: [1], ids: ['a'] }, 'numbers', /one of the two/],
      ['/items', { numbers: [-1] }, 'numbers[0]', /0/],
      ['/items', { numbers: [0.5] }, 'numbers[0]', /whole/],
      ['/items', { numbers: Array.from({ length: 1_001 }, (_, i) => i) }, 'numbers', /1000/],
      ['/items', { ids: Array.from({ length: 1_001 }, (_, i) => `${i}`) }, 'ids', /1000/],
      ['/scores', {}, 'query', /missing/],
      ['/scores', { query: { file: true } }, 'query', /multipart/],
      ['/scores', { query: 'a', filter: { $x: 1 } }, 'filter.$x', /./],
      ['/scores', { query: 'a', limit: 3 }, 'limit', /limit/],
      ['/scores', { query: 'a', likes: Array.from({ length: 101 }, () => 'a') }, 'likes', /100/],
    ];
    for (const [rest, body, param, message] of wrong) {
      const answer = await post('apart', rest, body);
      expect([answer.status, answer.body.error.param], JSON.stringify(body).slice(0, 100)).toEqual([400, param]);
      expect(answer.body.error.message).toMatch(message);
    }
    for (const [rest, param] of [
      ['/points?from=x', 'from'], ['/points?to=-1', 'to'], ['/points?step=2', 'step'], ['/items?limit=1001', 'limit'], ['/items?limit=0', 'limit'], ['/items?from=1e3', 'from'],
      ['/sheets/x', 'n'], ['/sheets/99999999999', 'n'], ['/values', 'field'], ['/values?field=$nothing', 'field'], ['/values?field=', 'field'],
    ] as const) expect(await get('apart', rest), rest).toMatchObject({ status: 400, body: { error: { param } } });
    expect(await post('apart', '/scores', { query: { id: 'nobody' } })).toMatchObject({ status: 404, body: { error: { param: 'query.id' } } });
    expect(await post('apart', '/scores', { query: { embedding: [1, 2] } })).toMatchObject({ status: 422 });
    expect(await post('apart', '/scores', { query: 'a', job: 'another' })).toMatchObject({ status: 404, body: { error: { param: 'job' } } });
    expect([...(await client.mapPoints('apart', { from: 100, to: 50 }))]).toEqual([]);
    expect((await client.mapItems('apart', { from: 100_000 })).items).toEqual([]);
  });

  it('is made and told by the command line', async () => {
    const made = await runMixspace(['map', 'apart', '--neighbors', '10', '--url', server.url]);
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^540 points in \d+ levels, trustworthiness 0\.9\d\d, made .*\n$/)]);
    await add('apart', [{ id: 'late', embedding: directions(30, 1)[0]! }]);
    expect((await runMixspace(['map', 'apart', '--last', '--url', server.url])).stdout).toMatch(/1 item came since: mixspace map apart --place places it\./);
    const placed = await runMixspace(['map', 'apart', '--place', '--json', '--url', server.url]);
    expect(JSON.parse(placed.stdout)).toMatchObject({ count: 541, neighbors: 10 });
    expect(await runMixspace(['map', 'nowhere', '--url', server.url])).toMatchObject({ code: 1 });
  });
});
