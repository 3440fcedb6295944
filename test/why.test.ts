/** Why a match stands where it does: beside what is reckoned here from embeddings that the service hands out, of texts without a word and of pictures with a part hidden. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items, searchIn } from './api.js';
import { bundled, runMixspace, startServer, type RunningServer } from './server.js';
import { dot } from './small-service.js';

const cells = 7;
const grey = { r: 128, g: 128, b: 128 };
const side = 210;
const cell = side / cells;

let server: RunningServer;
const post = (at: string, body: unknown) => call(server.url, 'POST', at, body);
const ask = async (body: object, collection = 'default'): Promise<any> => {
  const answer = await post(searchIn(collection), body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};
const embed = async (input: unknown[]): Promise<number[][]> => (await post('/v1/embeddings', { input })).body.data.map(({ embedding }: any) => embedding);
const square = (row: number, column: number): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: grey } })
    .composite([{ input: { create: { width: cell, height: cell, channels: 3, background: { r: 230, g: 0, b: 0 } } }, left: column * cell, top: row * cell }])
    .png()
    .toBuffer();
async function stored(id: string): Promise<number[]> {
  return (await post(`${items()}/embeddings`, { ids: [id] })).body.data[0].embedding;
}

beforeAll(async () => {
  server = await startServer({ env: { LOG_LEVEL: 'error', ...bundled } });
  const entries = [
    { id: 'square', image: base64(await square(1, 5)) },
    { id: 'note', text: 'a small red square, number 4711', metadata: { year: 2020 } },
    { id: 'file', text: 'holiday notes', source: '/letters/4711.txt', metadata: { year: 2021 } },
    { id: 'vector', embedding: (await embed(['a red thing']))[0], modality: 'image' },
  ];
  expect((await post(items(), { items: entries })).body.items.map(({ status }: any) => status)).toEqual(entries.map(() => 'created'));
}, 120_000);
afterAll(() => server.remove());

describe('The map over a picture', () => {
  it('shows the greatest fall where the red square is, and falls as an oracle that hides each cell itself', { timeout: 120_000 }, async () => {
    const { matches } = await ask({ query: 'a red square', modality: 'image', explain: true });
    const { score, falls, png, width, height } = matches.find(({ id }: any) => id === 'square').why.heat;
    const flat: number[] = falls.flat();
    expect([falls.length, falls[0].length, flat.indexOf(Math.max(...flat))]).toEqual([cells, cells, cells + 5]);

    const thumbnail = Buffer.from(await (await fetch(`${server.url}${items()}/square/image?size=thumbnail`)).arrayBuffer());
    const { channels } = await sharp(thumbnail).stats();
    const mean = channels.map((each) => Math.round(each.mean));
    const hide = (left: number, top: number): Promise<Buffer> => sharp(thumbnail).composite([{ input: { create: { width: cell, height: cell, channels: 3, background: { r: mean[0]!, g: mean[1]!, b: mean[2]! } } }, left, top }]).png().toBuffer();
    const places = [[5, 1], [0, 0], [6, 6], [3, 4]] as const;
    const hidden = await Promise.all(places.map(([column, row]) => hide(column * cell, row * cell)));
    const [text, whole, ...others] = await embed([{ text: 'a red square' }, { image: base64(thumbnail) }, ...hidden.map((picture) => ({ image: base64(picture) }))]);
    expect(score).toBeCloseTo(dot(text!, whole!), 4);
    places.forEach(([column, row], i) => expect(falls[row][column]).toBeCloseTo(dot(text!, whole!) - dot(text!, others[i]!), 4));

    const map = await sharp(Buffer.from(png, 'base64')).raw().toBuffer({ resolveWithObject: true });
    expect([map.info.width, map.info.height, map.info.channels]).toEqual([width, height, 4]);
    expect(width).toBe(height);
    const alphaAt = (row: number, column: number): number => map.data[(Math.round(((row + 0.5) * height) / cells) * width + Math.round(((column + 0.5) * width) / cells)) * 4 + 3]!;
    expect(alphaAt(1, 5)).toBeGreaterThan(150);
    expect(alphaAt(1, 5)).toBeGreaterThan(alphaAt(5, 1));
  });

  it('is made for a query that is a picture or an item too, without words, and for three pictures at most', { timeout: 120_000 }, async () => {
    await post('/v1/collections', { name: 'four' });
    const four = await Promise.all([0, 1, 2, 3].map(async (i) => ({ id: `s${i}`, image: base64(await square(i, i)) })));
    await post(items('four'), { items: four });
    const { matches } = await ask({ query: { id: 's0' }, explain: { ids: ['s1'] } }, 'four');
    const { why } = matches.find(({ id }: any) => id === 's1');
    expect([why.heat.falls.length, why.words]).toEqual([cells, undefined]);
    const byPicture = await ask({ query: { image: four[0]!.image }, explain: true, limit: 4 }, 'four');
    expect(byPicture.matches.map(({ why }: any) => why.heat !== undefined)).toEqual([true, true, true, false]);
    expect(byPicture.matches[0].why.heat.score).toBeGreaterThan(0.95);
  });
});

describe('The words of a query', () => {
  it.each([
    ['a red square', [['a', 'red square'], ['red', 'a square'], ['square', 'a red']]],
    ['红色的狗', [['红色', '的狗'], ['的', '红色狗'], ['狗', '红色的']]],
    ['🐶 red', [['🐶', 'red'], ['red', '🐶']]],
    ['square', [['square', '']]],
  ])('%s weigh as much as the score falls without each', { timeout: 30_000 }, async (query, words) => {
    const { matches } = await ask({ query, explain: true });
    const [whole, ...without] = await embed([query, ...words.map(([, rest]) => rest)]);
    for (const { id, why } of matches) {
      const own = await stored(id);
      expect(why.words.map(({ text }: any) => text)).toEqual(words.map(([word]) => word));
      why.words.forEach(({ weight }: any, i: number) => expect(weight).toBeCloseTo(dot(whole!, own) - dot(without[i]!, own), 4));
    }
  });

  it('are told of weighted and of negated parts', async () => {
    const query = [{ input: 'red square', weight: 2 }, { input: { id: 'file' }, weight: 0.5 }];
    const { matches } = await ask({ query, explain: true });
    const [whole, square, red] = await embed(['red square', 'square', 'red']);
    const file = await stored('file');
    const sum = (text: number[]): number[] => {
      const added = text.map((value, i) => 2 * value + 0.5 * file[i]!);
      return added.map((value) => value / Math.hypot(...added));
    };
    for (const { id, why } of matches) {
      const own = await stored(id);
      expect(why.words.map(({ text }: any) => text)).toEqual(['red', 'square']);
      [square, red].forEach((rest, i) => expect(why.words[i].weight).toBeCloseTo(dot(sum(whole!), own) - dot(sum(rest!), own), 4));
    }
    const negated = await ask({ query: 'a square without red', negation: 'auto', explain: true });
    expect(negated.matches[0].why.words.map(({ text }: any) => text)).toEqual(['a', 'square', 'red']);
    expect(negated.matches.find(({ id }: any) => id === 'note').why.words[2].weight).toBeLessThan(0);
  });

  it('of a long text go together, and of a very long one are left out', async () => {
    const { matches } = await ask({ query: Array.from({ length: 60 }, (_, i) => `word${i}`).join(' '), explain: true });
    expect(matches[0].why.words).toHaveLength(24);
    expect(matches[0].why.words.map(({ text }: any) => text).join(' ').split(' ')).toHaveLength(60);
    expect((await ask({ query: 'red '.repeat(300), explain: true })).matches[0].why).not.toHaveProperty('words');
  });
});

describe('An explanation', () => {
  it('tells where words stand, and the places in both lists', async () => {
    const { matches } = await ask({ query: 'square 4711', lexical: 'auto', explain: true });
    const by = new Map<string, any>(matches.map(({ id, why }: any) => [id, why]));
    expect(by.get('note').terms).toEqual([{ text: 'square', in: ['text'] }, { text: '4711', in: ['text'] }]);
    expect(by.get('file').terms).toEqual([{ text: 'square', in: [] }, { text: '4711', in: ['source'] }]);
    expect(by.get('square').ranks).not.toHaveProperty('words');
    expect([by.get('note').ranks.words, by.get('file').ranks.words].sort()).toEqual([1, 2]);
    const near = (await ask({ query: 'square 4711' })).matches.map(({ id }: any) => id);
    for (const [id, { ranks }] of by) expect(near[ranks.near - 1]).toBe(id);
  });

  it('counts what the filter and the cut left out', { timeout: 120_000 }, async () => {
    const { explained } = await ask({ query: 'x', explain: true, filter: { year: 2020 } });
    expect(explained).toEqual({ items: 4, let_through: 1 });
    expect((await ask({ query: 'x', explain: true, modality: 'image' })).explained).toEqual({ items: 4, let_through: 2 });
    expect((await ask({ query: '', understand: true, explain: true })).explained).toEqual({ items: 4, let_through: 4 });
    const all = await ask({ query: 'a red square', modality: 'text' });
    const cut = await ask({ query: 'a red square', modality: 'text', cutoff: 'auto', explain: true });
    const gone = all.matches.slice(cut.matches.length);
    expect(cut.explained.left_out.count).toBe(gone.length);
    if (gone.length > 0) expect(cut.explained.left_out.best).toMatchObject({ id: gone[0].id, score: gone[0].score });
    for (const { score, why, relevance } of cut.matches) {
      expect(why.relevance.count).toBe(2);
      expect(score).toBeGreaterThanOrEqual(why.relevance.least_score);
      const mean = (all.matches[0].score + all.matches[1].score) / 2;
      const deviation = Math.abs(all.matches[0].score - all.matches[1].score) / 2;
      expect(why.relevance.list).toBeCloseTo((score - mean) / deviation, 2);
      expect(relevance).toBeGreaterThan(0);
    }
  });

  it('is given of chosen matches alone, on a page of any length', async () => {
    const { matches, explained } = await ask({ query: 'a red square', explain: { ids: ['note', 'nobody'] }, limit: 100 });
    expect(matches.map(({ id, why }: any) => [id, why !== undefined])).toEqual(expect.arrayContaining([['note', true], ['square', false], ['file', false]]));
    expect(explained.items).toBe(4);
  });

  it('is not given unless it is asked for, nor of more than 20 matches', async () => {
    const plain = await ask({ query: 'a red square', explain: false });
    expect(plain).not.toHaveProperty('explained');
    for (const match of plain.matches) expect(match).not.toHaveProperty('why');
    const explained = await ask({ query: 'a red square', explain: true, limit: 20 });
    expect(explained.matches.map(({ id, score }: any) => [id, score])).toEqual(plain.matches.map(({ id, score }: any) => [id, score]));
    for (const [body, param] of [[{ explain: true, limit: 21 }, 'limit'], [{ explain: 'yes' }, 'explain'], [{ explain: 1 }, 'explain'], [{ explain: { ids: Array.from({ length: 21 }, String) } }, 'explain.ids']] as const) {
      const answer = await post(searchIn(), { query: 'x', ...body });
      expect([answer.status, answer.body.error.param]).toEqual([400, param]);
    }
  });

  it('is printed for people by the command line', { timeout: 120_000 }, async () => {
    const { code, stdout } = await runMixspace(['search', 'red', 'square', '--explain', '--all', '--plain', '--group-by', 'year', '--diversity', '0.2', '--url', server.url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/words: red [+-]0\.\d{3}, square [+-]0\.\d{3}/);
    expect(stdout).toMatch(/where in the picture:\n( +\|[ .:+*#]{14}\|\n){7}/);
    expect(stdout).toContain('(2020, 0 more)');
    expect(stdout).toContain('Looked at 4 items.');
  });

  it('of a picture searched for from the command line has no map of what has no picture', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-why-'));
    try {
      const file = path.join(folder, 'query.png');
      await writeFile(file, await square(1, 5));
      const { code, stdout } = await runMixspace(['search', '--image', file, '--explain', '--json', '--all', '--url', server.url]);
      expect(code).toBe(0);
      const { matches } = JSON.parse(stdout);
      expect(matches.find(({ id }: any) => id === 'vector').why).not.toHaveProperty('heat');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
