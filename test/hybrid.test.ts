/** Searches that find words, and sentences that say filters, through the front door. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, searchIn, type Answer } from './api.js';
import { startServer, type RunningServer } from './server.js';

const names = ['Rome 2019/IMG_2041.jpg', 'Rome 2019/IMG_2042.jpg', '北京大学/秋天的银杏.jpg', 'Kowalski/beach sunset.jpg', 'scans/INV-2021-0042.png', 'Ünïcode/straße.jpg'];
const unit = (angle: number): number[] => Array.from({ length: 512 }, (_, i) => (i === 0 ? Math.cos(angle) : i === 1 ? Math.sin(angle) : 0));

let server: RunningServer;
let dimensions: number;
const post = (path: string, body: unknown): Promise<Answer> => call(server.url, 'POST', path, body);
const search = async (body: object, collection = 'default'): Promise<any> => {
  const answer = await post(searchIn(collection), body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};
const ids = ({ matches }: { matches: { id: string }[] }): string[] => matches.map(({ id }) => id);
const direction = (place: number): number[] => unit(0.1 * place).slice(0, dimensions);

async function fill(collection: string): Promise<void> {
  const entries = names.map((name, i) => ({ id: `p${i}`, source: `/photos/${name}`, embedding: direction(i), modality: 'image', metadata: { title: `balloon number ${7000 + i}`, camera: i % 2 ? 'Nikon' : 'Canon' } }));
  const answer = await post(items(collection), { items: entries });
  expect(answer.body.items.every(({ status }: { status: string }) => status === 'created')).toBe(true);
}

beforeAll(async () => {
  server = await startServer();
  dimensions = (await call(server.url, 'GET', '/v1/collections/default')).body.dimensions;
  await fill('default');
}, 60_000);
afterAll(() => server.remove());

describe('A search with `lexical`', () => {
  it.each([
    ['IMG_2041', 'p0'], ['img2042', 'p1'], ['the photo img 2042 please', 'p1'], ['北京', 'p2'], ['京大学', 'p2'], ['银杏', 'p2'], ['Kowalski', 'p3'], ['INV-2021-0042', 'p4'], ['strasse', 'p5'],
  ])('finds %s first, with its cosine', async (query, id) => {
    const { data } = (await post('/v1/embeddings', { input: query })).body;
    const { matches } = await search({ query, lexical: 'auto' });
    expect(matches[0].id).toBe(id);
    const own = direction(Number(id.slice(1)));
    const norm = Math.hypot(...own);
    expect(matches[0].score).toBeCloseTo(data[0].embedding.reduce((sum: number, value: number, i: number) => sum + value * (own[i]! / norm), 0), 4);
  });

  it('answers as before without it', async () => {
    const { matches } = await search({ query: 'Kowalski' });
    const scores = matches.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it('finds what stands in quotation marks alone', async () => {
    expect(ids(await search({ query: 'something "beach sunset"', lexical: 'auto' }))).toEqual(['p3']);
    expect(ids(await search({ query: '"sunset beach"', lexical: 'auto' }))).toEqual([]);
    expect(ids(await search({ query: '"Rome"', lexical: 'auto' })).sort()).toEqual(['p0', 'p1']);
  });

  it('keeps to the filter, to min_score, and to the items that the query names', async () => {
    expect(ids(await search({ query: 'Kowalski', lexical: 'auto', filter: { camera: 'Canon' } }))).not.toContain('p3');
    const { matches } = await search({ query: 'Kowalski', lexical: 'auto' });
    expect(ids(await search({ query: 'Kowalski', lexical: 'auto', min_score: Math.min(0.99, matches[0].score + 0.001) }))).not.toContain('p3');
    expect(ids(await search({ query: [{ input: 'Kowalski' }, { input: { id: 'p3' } }], lexical: 'auto' }))).not.toContain('p3');
  });

  it('gives each match once over all pages', async () => {
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await search({ query: 'Kowalski', lexical: 'auto', limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...ids(page));
      if (!(cursor = page.next_cursor)) break;
    }
    expect(seen[0]).toBe('p3');
    expect([...seen].sort()).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
  });

  it('follows items that change, go, and outlive a kill, and the fields that a collection chooses', { timeout: 60_000 }, async () => {
    const name = 'changing';
    await post('/v1/collections', { name, text_fields: ['title'] });
    await fill(name);
    expect(ids(await search({ query: '"7003"', lexical: 'auto' }, name))).toEqual(['p3']);
    await call(server.url, 'PATCH', `${items(name)}/p3`, { metadata: { title: 'zeppelin' } });
    expect(ids(await search({ query: '"7003"', lexical: 'auto' }, name))).toEqual([]);
    expect(ids(await search({ query: '"zeppelin"', lexical: 'auto' }, name))).toEqual(['p3']);
    await call(server.url, 'DELETE', `${items(name)}/p3`);
    expect(ids(await search({ query: '"zeppelin"', lexical: 'auto' }, name))).toEqual([]);
    await server.kill();
    const { indexDir } = server;
    server = await startServer({ indexDir });
    expect(ids(await search({ query: '"7004"', lexical: 'auto' }, name))).toEqual(['p4']);
    const patched = await call(server.url, 'PATCH', `/v1/collections/${name}`, { text_fields: [] });
    expect(patched.body.text_fields).toEqual([]);
    await expect.poll(async () => (await call(server.url, 'GET', `/v1/collections/${name}`)).body.full_text).toEqual({ state: 'ready', waiting: 0 });
    expect(ids(await search({ query: '"7004"', lexical: 'auto' }, name))).toEqual([]);
    expect(ids(await search({ query: '"INV"', lexical: 'auto' }, name))).toEqual(['p4']);
  });
});

describe('A search with `understand`', () => {
  it.each([
    ['Hunde am Strand, Sommer 2021', [['Sommer 2021', { '$item.taken_at': { $gte: '2021-06-01', $lt: '2021-09-01' } }]]],
    ['chats entre juin 2020 et août 2020', [['entre juin 2020 et août 2020', { '$item.taken_at': { $gte: '2020-06-01', $lt: '2020-09-01' } }]]],
    ['2021年夏天在海滩的狗', [['2021年夏天', { '$item.taken_at': { $gte: '2021-06-01', $lt: '2021-09-01' } }]]],
    ['кошки в 2020 году', [['2020 году', { '$item.taken_at': { $gte: '2020-01-01', $lt: '2021-01-01' } }]]],
    ['sunset in folder "rome 2019"', [['in folder "rome 2019"', { '$item.source': { $prefix: '/photos/Rome 2019/' } }]]],
    ['sunset, camera: Nikon', [['camera: Nikon', { camera: 'Nikon' }]]],
    ['notes about a budget since 2020', [['notes', { '$item.modality': 'text' }], ['since 2020', { '$item.taken_at': { $gte: '2020-01-01' } }]]],
    ['Krippe 24.12.2018', [['24.12.2018', { '$item.taken_at': { $gte: '2018-12-24', $lt: '2018-12-25' } }]]],
    ['台风过后 2019/8/16', [['2019/8/16', { '$item.taken_at': { $gte: '2019-08-16', $lt: '2019-08-17' } }]]],
    ['turrón, Navidad de 2022', [['Navidad de 2022', { '$item.taken_at': { $gte: '2022-12-24', $lt: '2022-12-27' } }]]],
    ['vendanges mi-septembre 2019', [['mi-septembre 2019', { '$item.taken_at': { $gte: '2019-09-11', $lt: '2019-09-21' } }]]],
    ['жара в конце июля 2018', [['конце июля 2018', { '$item.taken_at': { $gte: '2018-07-21', $lt: '2018-08-01' } }]]],
    ['Kirmes aus den Neunzigern', [['aus den Neunzigern', { '$item.taken_at': { $gte: '1990-01-01', $lt: '2000-01-01' } }]]],
    ['令和3年8月の盆踊り', [['令和3年8月', { '$item.taken_at': { $gte: '2021-08-01', $lt: '2021-09-01' } }]]],
    ['sailing from 3 to 8 August 2021', [['from 3 to 8 August 2021', { '$item.taken_at': { $gte: '2021-08-03', $lt: '2021-08-09' } }]]],
    ['barcos en 2019 y 2020', [['2019 y 2020', { '$item.taken_at': { $gte: '2019-01-01', $lt: '2021-01-01' } }]]],
    ['Segelboot mit der Kamera Nikon', [['Kamera Nikon', { camera: 'Nikon' }]]], ['カメラはCanonの夕日', [['カメラはCanon', { camera: 'Canon' }]]],
    ['2016 garage band pics', [['2016', { '$item.taken_at': { $gte: '2016-01-01', $lt: '2017-01-01' } }], ['pics', { '$item.modality': 'image' }]]],
    ['party on 03/04/2021', []], ['a 1967 Mustang', []], ['a coin from 1985', []], ['a race of 2000 metres', []], ['memorial 1914-1918', []], ['the last week of school', []],
    ['a Nikon on a desk', []], ['rue du 8 mai 1945', []], ['2019年初雪', [['2019年', { '$item.taken_at': { $gte: '2019-01-01', $lt: '2020-01-01' } }]]],
    ['a woman in a summer dress', []], ['1984 book', []], ['may the force be with you', []], ['soldiers march in the street', []], ['der Hund hier', []],
  ])('understands of "%s" what it says', async (query, understood) => {
    expect((await search({ query, understand: true })).understood.map(({ text, filter }: { text: string; filter: object }) => [text, filter])).toEqual(understood);
  });

  it('filters by what it understood, with the request\'s own filter, and takes back what it is told to', async () => {
    expect(ids(await search({ query: 'sunset, camera: Nikon', understand: true })).sort()).toEqual(['p1', 'p3', 'p5']);
    expect(ids(await search({ query: 'sunset, camera: Nikon', understand: true, filter: { title: 'balloon number 7001' } }))).toEqual(['p1']);
    const taken = await search({ query: 'sunset, camera: Nikon', understand: { except: ['camera: Nikon'] } });
    expect([taken.understood, taken.matches.length]).toEqual([[], 6]);
  });

  it('takes a weekday of last week from the week before this one', async () => {
    const { understood } = await search({ query: '上周六的足球赛', understand: true });
    const { $gte, $lt } = understood[0].filter['$item.taken_at'];
    const monday = (at: number): number => at - ((Math.floor(at / 86_400_000) + 3) % 7) * 86_400_000;
    expect([new Date($gte).getUTCDay(), Date.parse($lt) - Date.parse($gte)]).toEqual([6, 86_400_000]);
    expect(monday(Date.parse($gte))).toBe(monday(Math.floor(Date.now() / 86_400_000) * 86_400_000) - 7 * 86_400_000);
  });

  it('lists without scores where there is nothing to search for, page by page', async () => {
    const first = await search({ query: 'camera: Nikon', understand: true, sort: '-title', limit: 2 });
    expect(ids(first)).toEqual(['p5', 'p3']);
    expect(first.matches[0]).not.toHaveProperty('score');
    expect(ids(await search({ query: 'camera: Nikon', understand: true, sort: '-title', limit: 2, cursor: first.next_cursor }))).toEqual(['p1']);
    expect((await search({ query: ' ', understand: true })).matches).toHaveLength(6);
  });
});

it.each([
  [{ query: 'x', lexical: 'on' }, 'lexical'],
  [{ query: 'x', understand: 'yes' }, 'understand'],
  [{ query: 'x', understand: { except: Array.from({ length: 33 }, String) } }, 'understand'],
  [{ query: 'x', understand: true, sort: '$item.nothing' }, 'sort'],
])('refuses %o by name', async (body, field) => {
  const answer = await post(searchIn(), body);
  expect(answer.status).toBe(400);
  expect(answer.body.error.param).toMatch(new RegExp(`^${field}`));
});

it.each([[['a', 'a']], [Array.from({ length: 21 }, String)], [['$item.source']], [['']]])('refuses the text_fields %o', async (fields) => {
  const answer = await call(server.url, 'PATCH', '/v1/collections/default', { text_fields: fields });
  expect([answer.status, answer.body.error.param]).toEqual([400, expect.stringMatching(/^text_fields/)]);
});

it('answers the worst text in bounded time', { timeout: 20_000 }, async () => {
  for (const query of ['"a" '.repeat(5_000), 'last '.repeat(60), '北'.repeat(20_000), 'in folder '.repeat(29), '2020-'.repeat(59), '5月'.repeat(150), '1.1.2020 and '.repeat(23)]) await search({ query, lexical: 'auto', understand: true });
});
