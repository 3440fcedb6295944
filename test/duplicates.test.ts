/** Near-duplicates through the front door: who is found with whom, which is to be kept, and that it lasts. */
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { DuplicateGroup } from '../src/contract/duplicates.js';
import { call, type Answer } from './api.js';
import { Random } from './crash/random.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

let server: RunningServer;
let client: MixspaceClient;
beforeAll(async () => {
  server = await startServer();
  client = new MixspaceClient({ url: server.url, retries: 0 });
});
afterAll(() => server.remove());

const post = (name: string, body: unknown): Promise<Answer> => call(server.url, 'POST', `/v1/collections/${name}/duplicates`, body);
const get = (name: string, rest = ''): Promise<Answer> => call(server.url, 'GET', `/v1/collections/${name}/duplicates${rest}`);

/** A scene of shapes that no other seed draws, with nothing of a mirror image in it. */
function scene(seed: number, width = 400, height = 300): Sharp {
  const random = new Random(seed);
  const shapes = Array.from({ length: 24 }, () => {
    const color = `hsl(${random.between(0, 359)},${random.between(30, 90)}%,${random.between(15, 85)}%)`;
    const [x, y, w, h] = [random.between(-20, 400), random.between(-20, 300), random.between(20, 160), random.between(20, 120)];
    return random.next() < 0.5 ? `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${color}"/>` : `<ellipse cx="${x}" cy="${y}" rx="${w / 2}" ry="${h / 2}" fill="${color}"/>`;
  });
  return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 400 300"><rect width="400" height="300" fill="#888"/>${shapes.join('')}</svg>`)).flatten({ background: 'white' });
}

async function collection(name: string, pictures: Record<string, Buffer | Promise<Buffer>>): Promise<string> {
  await client.createCollection({ name });
  const files = await Promise.all(Object.entries(pictures).map(async ([id, bytes]) => ({ id, name: id, blob: new Blob([new Uint8Array(await bytes)]) })));
  expect((await client.uploadItems(name, files)).map(({ status }) => status)).toEqual(files.map(() => 'created'));
  return name;
}

async function look(name: string, body: object = {}, at = client): Promise<DuplicateGroup[]> {
  const job = await at.findDuplicates(name, body);
  await expect.poll(async () => (await at.job(job.id)).state, { interval: 100 }).toBe('done');
  const groups: DuplicateGroup[] = [];
  for await (const group of at.duplicateGroups(name)) groups.push(group);
  return groups;
}

const idsOf = ({ items }: DuplicateGroup): string[] => items.map(({ id }) => id).sort();
const png = (picture: Sharp): Promise<Buffer> => picture.png().toBuffer();
const rendered = async (seed: number): Promise<Sharp> => sharp(await png(scene(seed)));

describe('Duplicates', () => {
  it('are a 404 with the way there until somebody has looked', async () => {
    await client.createCollection({ name: 'fresh' });
    expect(await get('fresh')).toMatchObject({ status: 404, body: { error: { code: 'not_found', message: expect.stringMatching(/yet.*POST/) } } });
    expect(await get('nowhere')).toMatchObject({ status: 404 });
    expect(await post('nowhere', {})).toMatchObject({ status: 404 });
    expect(await look('fresh')).toEqual([]);
    expect(await get('fresh')).toMatchObject({ status: 200, body: { groups: [], total: 0, superfluous: 0, items: 0, keep: 'largest' } });
  });

  it('are found when encoded again, resized or cut, and mirror images are told apart', async () => {
    const name = await collection('scenes', {
      ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`alone-${i}`, png(scene(100 + i))])),
      'a-whole': png(scene(1)),
      'a-jpeg': scene(1).jpeg({ quality: 35 }).toBuffer(),
      'a-small': (await rendered(1)).resize(200).png().toBuffer(),
      'a-large': png(scene(1, 800, 600)),
      'b-whole': png(scene(2)),
      'b-cut': (await rendered(2)).extract({ left: 0, top: 15, width: 380, height: 285 }).jpeg().toBuffer(),
      'b-mirrored': (await rendered(2)).flop().jpeg().toBuffer(),
      'c-whole': png(scene(3)),
      'c-mirrored': (await rendered(3)).flop().png().toBuffer(),
    });
    const started = await post(name, {});
    expect(started).toMatchObject({ status: 202, body: { job: { kind: 'duplicates', collection: name } } });
    const groups = await look(name);
    expect(groups.map((group) => [idsOf(group), group.mirrored])).toEqual([
      [['a-jpeg', 'a-large', 'a-small', 'a-whole'], false],
      [['b-cut', 'b-whole'], false],
      [['b-mirrored', 'b-whole'], true],
      [['c-mirrored', 'c-whole'], true],
    ]);
    const [first, second, third] = groups as [DuplicateGroup, DuplicateGroup, DuplicateGroup];
    expect(first.items.map(({ keep }) => keep)).toEqual([true, false, false, false]);
    expect([first.items[0]!.id, first.reason, first.items[0]!.width, first.items[0]!.height]).toEqual(['a-large', 'size', 800, 600]);
    expect([second.items[0]!.id, second.items.map(({ evidence }) => evidence)]).toEqual(['b-whole', ['pixels', 'pixels']]);
    expect(third.items.map(({ keep }) => keep)).toEqual([true, true]);
    for (const { similarity } of groups.flatMap(({ items }) => items)) expect(similarity).toBeGreaterThan(0.9);
    expect((await get(name)).body).toMatchObject({ items: 29, total: 2, superfluous: 4, mirrored: 2 });
    // What has gone since is not told, and a group of one is none.
    await client.deleteItem(name, 'b-cut');
    const left = await client.duplicates(name);
    expect(left.groups.map(idsOf)).toEqual([idsOf(first), idsOf(third), ['c-mirrored', 'c-whole']]);
  });

  it('keep what is sharper where the sizes are equal, or as the rule says', async () => {
    const name = await collection('rules', { 'z-sharp': png(scene(7)), 'a-soft': (await rendered(7)).blur(2).png().toBuffer(), 'b-small': (await rendered(7)).resize(300).png().toBuffer() });
    const kept = async (body: object): Promise<[string, string]> => {
      const [group] = await look(name, { threshold: 0.85, ...body });
      expect(group!.size).toBe(3);
      return [group!.items[0]!.id, group!.reason];
    };
    expect(await kept({})).toEqual(['z-sharp', 'sharpness']);
    const { groups } = await client.duplicates(name);
    const sharpness = new Map(groups[0]!.items.map((item) => [item.id, item.sharpness!]));
    expect(sharpness.get('z-sharp')! / sharpness.get('a-soft')!).toBeGreaterThan(3);
    expect((await kept({ keep: 'sharpest' }))[1]).toBe('sharpness');
    await client.addItems(name, [{ id: 'late', image: (await png(scene(7, 401, 300))).toString('base64') }]);
    const late = async (keep: 'oldest' | 'newest'): Promise<string> => (await look(name, { keep }))[0]!.items[0]!.id;
    const items = await Promise.all(['z-sharp', 'a-soft', 'b-small', 'late'].map((id) => client.getItem(name, id)));
    const [oldest] = items.sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at) || (a.id < b.id ? -1 : 1));
    expect([await late('newest'), await late('oldest')]).toEqual(['late', oldest!.id]);
  });

  it('are looked for among what the filter and the modality let through', async () => {
    const name = await collection('some', { one: png(scene(11)), two: scene(11).jpeg().toBuffer(), three: scene(11).jpeg({ quality: 50 }).toBuffer() });
    await client.setMetadata(name, 'one', { year: 2020 });
    await client.setMetadata(name, 'three', { year: 2020 });
    await client.addItems(name, [{ id: 'text', text: 'a red house' }, { id: 'again', text: 'a red house' }, { id: 'other', text: 'nothing of the kind, at all, ever' }]);
    expect((await look(name)).map(idsOf)).toEqual([['one', 'three', 'two'], ['again', 'text']]);
    expect((await look(name, { filter: { year: 2020 } })).map(idsOf)).toEqual([['one', 'three']]);
    const [texts] = await look(name, { modality: 'text' });
    expect([idsOf(texts!), texts!.items.map(({ evidence }) => evidence)]).toEqual([['again', 'text'], ['content', 'content']]);
  });

  it('by thousands of equal embeddings are one group, told page by page', async () => {
    await client.createCollection({ name: 'crowd' });
    const many = 1_500;
    const { dimensions } = await client.collection('crowd');
    const embedding = Array.from({ length: dimensions }, (_, i) => (i % 7) - 3);
    const other = embedding.map((value, i) => (i % 2 === 0 ? value : -value));
    const entries = [...Array.from({ length: many }, (_, i) => ({ id: `same-${i}`, embedding, modality: 'text' as const })), { id: 'other', embedding: other, modality: 'text' as const }];
    for (let from = 0; from < entries.length; from += 1_000) await client.addItems('crowd', entries.slice(from, from + 1_000));
    const groups = await look('crowd');
    expect(groups.map(({ size, items }) => [size, items.length])).toEqual([[many, 20]]);
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await client.duplicateGroup('crowd', groups[0]!.id, { limit: 400, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
      if (cursor === undefined) break;
    }
    expect(seen.sort()).toEqual(entries.slice(0, many).map(({ id }) => id).sort());
    expect(await get('crowd', '/g2')).toMatchObject({ status: 404 });
  });

  it('are the same when the job was paused, and the service killed, on the way; and are still there afterwards', async () => {
    const own = await startServer();
    let now = own;
    try {
      let at = new MixspaceClient({ url: own.url, retries: 0 });
      await at.createCollection({ name: 'pairs' });
      const { dimensions } = await at.collection('pairs');
      const random = new Random(3);
      const pairs = 400;
      const entries = Array.from({ length: pairs }, (_, i) => {
        const embedding = Array.from({ length: dimensions }, () => random.normal());
        return [`first-${i}`, `second-${i}`].map((id, part) => ({ id, embedding: embedding.map((value) => value + part * 0.02 * random.normal()), modality: 'text' as const }));
      }).flat();
      for (let from = 0; from < entries.length; from += 1_000) await at.addItems('pairs', entries.slice(from, from + 1_000));
      const { id } = await at.findDuplicates('pairs');
      await expect.poll(async () => (await at.job(id)).done, { interval: 1 }).toBeGreaterThan(0);
      const paused = await at.pauseJob(id).catch(() => undefined);
      if (paused) await at.resumeJob(id);
      await own.kill();
      now = await startServer({ indexDir: own.indexDir });
      at = new MixspaceClient({ url: now.url, retries: 0 });
      await expect.poll(async () => (await at.job(id)).state, { interval: 100 }).toBe('done');
      const groups: string[][] = [];
      for await (const group of at.duplicateGroups('pairs')) groups.push(idsOf(group));
      const wanted = Array.from({ length: pairs }, (_, i) => [`first-${i}`, `second-${i}`]);
      expect(groups.map(String).sort()).toEqual(wanted.map(String).sort());
      expect(await at.job(id)).toMatchObject({ done: 2 * pairs, total: 2 * pairs, failed: 0, result: { groups: pairs, superfluous: pairs, mirrored: 0 } });
      await now.stop();
      now = await startServer({ indexDir: own.indexDir });
      at = new MixspaceClient({ url: now.url, retries: 0 });
      expect(await at.duplicates('pairs', { limit: 1 })).toMatchObject({ total: pairs, job: id, next_cursor: expect.any(String) });
      await at.deleteCollection('pairs');
      expect(await call(now.url, 'GET', '/v1/collections/pairs/duplicates')).toMatchObject({ status: 404 });
      await at.createCollection({ name: 'pairs' });
      expect(await call(now.url, 'GET', '/v1/collections/pairs/duplicates')).toMatchObject({ status: 404, body: { error: { message: expect.stringMatching(/yet/) } } });
    } finally {
      await now.remove();
      await own.remove();
    }
  });

  it('refuse what is wrong with a request by its field', async () => {
    const wrong: [object, string, RegExp][] = [
      [{ threshold: 0.4 }, 'threshold', /0\.5/],
      [{ threshold: 1.1 }, 'threshold', /at most 1/],
      [{ threshold: 'high' }, 'threshold', /./],
      [{ keep: 'best' }, 'keep', /largest/],
      [{ modality: 'smell' }, 'modality', /./],
      [{ filter: { $nonsense: 1 } }, 'filter', /./],
      [{ limit: 3 }, 'limit', /limit/],
    ];
    for (const [body, param, message] of wrong) {
      const answer = await post('fresh', body);
      expect([answer.status, answer.body.error.param], JSON.stringify(body)).toEqual([400, expect.stringContaining(param)]);
      expect(answer.body.error.message).toMatch(message);
    }
    for (const query of ['limit=0', 'limit=1001', 'cursor=nonsense', 'keep=largest']) expect(await get('fresh', `?${query}`), query).toMatchObject({ status: 400, body: { error: { param: query.split('=')[0] } } });
    expect(await get('fresh', `/${'x'.repeat(200)}`)).toMatchObject({ status: 400 });
  });

  it('are told by the command line', async () => {
    const name = await collection('told', { large: png(scene(21, 800, 600)), small: png(scene(21)), mirrored: (await rendered(21)).flop().png().toBuffer() });
    const { code, stdout } = await runMixspace(['duplicates', name, '--url', server.url]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/it is larger\n {2}keep {2}800 x 600 .* large\n.*400 x 300 .* small\nm1: mirror images[^]*1 group among 3 items: 1 could go, 1 pair of mirror images\.\n$/)]);
    const asJson = await runMixspace(['duplicates', name, '--last', '--json', '--url', server.url]);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ total: 1, groups: [{ size: 2 }, { mirrored: true }] });
    expect((await runMixspace(['duplicates', 'nowhere', '--url', server.url])).code).toBe(1);
  });
});
