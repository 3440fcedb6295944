/** Clusters through the front door: what lies together, what it is called, and that names last. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { Clusters } from '../src/contract/clusters.js';
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

const at = (name: string, rest = ''): string => `/v1/collections/${name}/clusters${rest}`;
const get = (name: string, rest = ''): Promise<Answer> => call(server.url, 'GET', at(name, rest));
const post = (name: string, body: unknown): Promise<Answer> => call(server.url, 'POST', at(name), body);
const patch = (name: string, id: string, body: unknown): Promise<Answer> => call(server.url, 'PATCH', at(name, `/${id}`), body);

async function make(name: string, body: object = {}, by = client): Promise<Clusters> {
  const job = await by.makeClusters(name, body);
  await expect.poll(async () => (await by.job(job.id)).state, { interval: 100 }).toBe('done');
  return by.clusters(name);
}

/** Around each direction so many items, given as embeddings; ids tell which. */
async function around(name: string, directions: Record<string, number[]>, sizes: number[], { spread = 0.05, by = client } = {}): Promise<string> {
  await by.createCollection({ name });
  const random = Random.named(name);
  const entries = Object.entries(directions).flatMap(([word, direction], place) =>
    Array.from({ length: sizes[place]! }, (_, i) => ({ id: `${word}-${i}`, modality: 'image' as const, embedding: direction.map((value) => value + (spread * random.normal()) / Math.sqrt(dimensions)) })),
  );
  for (let from = 0; from < entries.length; from += 1_000) await by.addItems(name, entries.slice(from, from + 1_000));
  return name;
}

const anyDirections = (seed: number, count: number): number[][] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => Array.from({ length: dimensions }, () => random.normal() / Math.sqrt(dimensions)));
};
const named = (directions: number[][]): Record<string, number[]> => Object.fromEntries(directions.map((direction, i) => [`k${i}`, direction]));

async function membersOf(name: string, id: string, limit = 1_000): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.cluster(name, id, { limit, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.items.map(({ score }) => score)).toEqual(page.items.map(({ score }) => score).sort((a, b) => b - a));
    seen.push(...page.items.map((item) => item.id));
    cursor = page.next_cursor;
    if (cursor === undefined) return seen;
  }
}

describe('Clusters', () => {
  it('are a 404 with the way there until they were made, and need two items', async () => {
    await client.createCollection({ name: 'fresh' });
    expect(await get('fresh')).toMatchObject({ status: 404, body: { error: { message: expect.stringMatching(/yet.*POST/) } } });
    expect(await get('nowhere')).toMatchObject({ status: 404 });
    expect(await post('fresh', {})).toMatchObject({ status: 422, body: { error: { message: expect.stringMatching(/two items/) } } });
    await around('few', named(anyDirections(1, 2)), [1, 1]);
    expect(await post('few', { filter: { a: 1 } })).toMatchObject({ status: 422, body: { error: { param: 'filter' } } });
    expect(await post('few', { modality: 'text' })).toMatchObject({ status: 422, body: { error: { param: 'modality' } } });
    expect((await make('few')).clusters.map(({ size }) => size)).toEqual([1, 1]);
  });

  it('hold what lies together, each item in one of them, the nearest to the center first', async () => {
    const sizes = [90, 60, 30, 15];
    const name = await around('apart', named(anyDirections(2, 4)), sizes);
    const made = await make(name, { count: 4 });
    expect(made).toMatchObject({ items: 195, modality: 'image', language: 'en' });
    expect(made.clusters.map(({ size }) => size)).toEqual(sizes);
    for (const [place, { id, examples }] of made.clusters.entries()) {
      const members = await membersOf(name, id, 25);
      expect([...members].sort()).toEqual(Array.from({ length: sizes[place]! }, (_, i) => `k${place}-${i}`).sort());
      expect(examples.map((example) => example.id)).toEqual(members.slice(0, 9));
    }
    expect(new Set(made.clusters.map((cluster) => cluster.name)).size).toBe(4);
    // Nobody says how many: more are begun with, and those that are near to each other become one.
    const free = await make(name);
    expect(free.clusters.map(({ size }) => size)).toEqual(sizes);
    await client.deleteItem(name, 'k0-0');
    expect(await membersOf(name, free.clusters[0]!.id)).not.toContain('k0-0');
  });

  it('are called by what they show, in the language asked for', async () => {
    const words = ['guitar', 'lighthouse', 'strawberry', 'penguin', 'bicycle'];
    const prompts = await client.embeddings({ input: words.flatMap((word) => [word, `a photo of ${word}`]) });
    // Pictures lie elsewhere than words: all are moved by the same.
    const away = anyDirections(9, 1)[0]!;
    const directions = Object.fromEntries(words.map((word, i) => [word, Array.from(prompts[2 * i]!, (value, j) => value + prompts[2 * i + 1]![j]! + away[j]!)]));
    const name = await around('shown', directions, [50, 40, 30, 20, 10], { spread: 0.1 });
    const german = ['Gitarre', 'Leuchtturm', 'Erdbeere', 'Pinguin', 'Fahrrad'];
    const chinese = ['吉他', '灯塔', '草莓', '企鹅', '自行车'];
    for (const [language, wanted] of Object.entries({ en: words, de: german, zh: chinese })) {
      const made = await make(name, { count: 5, language });
      expect(made.language).toBe(language);
      expect(made.clusters.map((cluster) => cluster.name)).toEqual(wanted);
      expect(made.clusters.map((cluster) => cluster.words.length)).toEqual([5, 5, 5, 5, 5]);
    }
  });

  it('keep their ids, and names that were given, when they are made anew and when the service starts again', async () => {
    const own = await startServer();
    let now = own;
    try {
      let by = new MixspaceClient({ url: own.url, retries: 0 });
      const name = await around('lasting', named(anyDirections(4, 3)), [30, 20, 10], { by });
      const made = await make(name, { count: 3 }, by);
      const renamed = await by.renameCluster(name, made.clusters[1]!.id, '  Ferien 2021 🏖 ');
      expect(renamed).toMatchObject({ id: made.clusters[1]!.id, name: 'Ferien 2021 🏖', renamed: true, size: 20 });
      await now.stop();
      now = await startServer({ indexDir: own.indexDir });
      by = new MixspaceClient({ url: now.url, retries: 0 });
      expect((await by.clusters(name)).clusters.map((cluster) => cluster.name)).toEqual([made.clusters[0]!.name, 'Ferien 2021 🏖', made.clusters[2]!.name]);
      await by.deleteItem(name, 'k0-3');
      const again = await make(name, { count: 3, language: 'zh' }, by);
      expect(again.clusters.map(({ id, renamed: isRenamed }) => [id, isRenamed])).toEqual(made.clusters.map(({ id }, i) => [id, i === 1]));
      expect(again.clusters.map((cluster) => cluster.name)).toEqual([expect.stringMatching(/\p{Script=Han}/u), 'Ferien 2021 🏖', expect.stringMatching(/\p{Script=Han}/u)]);
      let isMade = false;
      const making = make(name, { count: 3 }, by).finally(() => (isMade = true));
      let given = '';
      for (let n = 0; !isMade; n++) given = (await by.renameCluster(name, again.clusters[2]!.id, `Name ${n}`)).name;
      await making;
      expect((await by.clusters(name)).clusters.find(({ id }) => id === again.clusters[2]!.id)!.name).toBe(given);
      const more = await make(name, { count: 8 }, by);
      expect(new Set(more.clusters.map(({ id }) => id)).size).toBe(more.clusters.length);
    } finally {
      await now.remove();
      await own.remove();
    }
  });

  it('are one where all items are the same, and are not more than they can be', async () => {
    await client.createCollection({ name: 'same' });
    const embedding = anyDirections(5, 1)[0]!;
    await client.addItems('same', Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, embedding, modality: 'text' as const })));
    expect((await make('same', { count: 500 })).clusters.map(({ size }) => size)).toEqual([300]);
    expect((await make('same')).clusters.map(({ size }) => size)).toEqual([300]);
  });

  it('refuse what is wrong with a request by its field', async () => {
    const wrong: [object, string, RegExp][] = [
      [{ count: 1 }, 'count', /at least 2/],
      [{ count: 501 }, 'count', /at most 500/],
      [{ count: 2.5 }, 'count', /./],
      [{ language: 'xx' }, 'language', /en/],
      [{ modality: 'smell' }, 'modality', /./],
      [{ filter: 3 }, 'filter', /./],
      [{ names: [] }, 'names', /names/],
    ];
    for (const [body, param, message] of wrong) {
      const answer = await post('same', body);
      expect([answer.status, answer.body.error.param], JSON.stringify(body)).toEqual([400, param]);
      expect(answer.body.error.message).toMatch(message);
    }
    const { id } = (await client.clusters('same')).clusters[0]!;
    for (const name of ['', '   ', 'x'.repeat(201), 'a\u0000b', 3, undefined]) expect(await patch('same', id, { name }), String(name)).toMatchObject({ status: 400, body: { error: { param: 'name' } } });
    expect(await patch('same', 'c999', { name: 'a' })).toMatchObject({ status: 404 });
    expect(await get('same', '/c999')).toMatchObject({ status: 404 });
    expect(await get('same', `/${id}?cursor=nonsense`)).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
    const [one, two] = (await client.clusters('apart')).clusters;
    expect(await patch('apart', one!.id, { name: two!.name })).toMatchObject({ status: 409, body: { error: { param: 'name' } } });
  });

  it('are told and renamed by the command line', async () => {
    const made = await runMixspace(['clusters', 'shown', '--count', '5', '--language', 'de', '--url', server.url]);
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/50 {2}Gitarre[^]*10 {2}Fahrrad[^]*5 clusters of 150 items\.\n$/)]);
    const { id } = (await client.clusters('shown')).clusters[0]!;
    expect(await runMixspace(['clusters', 'shown', '--rename', id, 'Meine', 'Gitarren', '--url', server.url])).toMatchObject({ code: 0, stdout: `${id} is called Meine Gitarren.\n` });
    const told = await runMixspace(['clusters', 'shown', '--last', '--json', '--url', server.url]);
    expect(JSON.parse(told.stdout).clusters[0]).toMatchObject({ name: 'Meine Gitarren', renamed: true });
  });

  it('are named in another language than they were made in, but for names that somebody gave', async () => {
    const { clusters: german, language } = await client.clusters('shown');
    expect([language, german.map(({ name }) => name)]).toEqual(['de', expect.arrayContaining(['Meine Gitarren', 'Fahrrad'])]);
    const english = await client.clusters('shown', { language: 'en' });
    expect([english.language, english.clusters.map(({ name }) => name)]).toEqual(['en', expect.arrayContaining(['Meine Gitarren', 'bicycle'])]);
    expect((await client.clusters('shown', { language: 'zh' })).clusters.map(({ name }) => name)).toEqual(expect.arrayContaining(['Meine Gitarren', '自行车']));
    expect(english.clusters.find(({ name }) => name === 'Meine Gitarren')!.words).toContain('guitar');
    expect(new Set(english.clusters.map(({ name }) => name)).size).toBe(5);
    expect(await get('shown', '?language=fr')).toMatchObject({ status: 400, body: { error: { param: 'language' } } });
    expect((await runMixspace(['clusters', 'shown', '--last', '--language', 'en', '--url', server.url])).stdout).toMatch(/ bicycle /);
  });
});
