/** Matches that are unlike each other, and one match of each value of a field: beside orders that are reckoned here from the embeddings alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { searchIn } from './api.js';
import { dot, readsTexts, startSmall, unit, type SmallService } from './small-service.js';

/** Numbers between -1 and 1 (Park and Miller's generator). */
function drawn(seed: number): () => number {
  let state = seed;
  return () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) * 2 - 1;
}

const draw = drawn(11);
const query = [1, 0.2, -0.1, 0.3];
interface Entry {
  id: string;
  embedding: number[];
  modality: 'image' | 'text';
  metadata: Record<string, unknown>;
}
const entries: Entry[] = Array.from({ length: 230 }, (_, i) => ({
  id: `e${String(i).padStart(3, '0')}`,
  embedding: Array.from({ length: 4 }, draw),
  modality: 'image',
  metadata: i % 5 === 0 ? {} : { folder: [`f${i % 7}`, 1, null, i % 14 === 3 ? '1' : true, { a: 1 }, [[], `f${i % 7}`, 'z'], `f${i % 7}`][i % 7], place: { town: `t${i % 3}` } },
}));

let service: SmallService;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts });
  await service.collection('all');
  await service.add('all', entries);
}, 60_000);
afterAll(() => service.remove());

const ask = async (request: object, collection = 'all'): Promise<any> => {
  const { status, body } = await service.post(searchIn(collection), { query: { embedding: query }, limit: 1000, exact: true, ...request });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const idsOf = ({ matches }: { matches: { id: string }[] }): string[] => matches.map(({ id }) => id);
async function allPages(request: object, limit: number): Promise<any[]> {
  const matches: any[] = [];
  for (let cursor: string | undefined, pages = 0; ; pages++) {
    expect(pages).toBeLessThan(100);
    const page = await ask({ ...request, limit, ...(cursor === undefined ? {} : { cursor }) });
    matches.push(...page.matches);
    if ((cursor = page.next_cursor) === undefined) return matches;
    expect(page.matches).toHaveLength(limit);
  }
}

/** By cosine. */
const plain = (of: Entry[] = entries): { entry: Entry; vector: number[]; score: number }[] =>
  of.map((entry) => ({ entry, vector: unit(entry.embedding), score: dot(unit(entry.embedding), unit(query)) })).sort((a, b) => b.score - a.score);

/** Carbonell and Goldstein's formula as it is written, over every pair. */
function marginal(from: ReturnType<typeof plain>, diversity: number): string[] {
  const pool = from.slice(0, 200);
  const [low, high] = [pool.at(-1)!.score, pool[0]!.score];
  let [sum, pairs] = [0, 0];
  pool.forEach((a, i) => pool.slice(0, i).forEach((b) => ((sum += dot(a.vector, b.vector)), pairs++)));
  const mean = sum / pairs;
  const likeness = (a: number[], b: number[]): number => Math.max(0, (dot(a, b) - mean) / (1 - mean));
  const chosen: typeof pool = [];
  while (chosen.length < pool.length) {
    const gains = pool.map((each) => (chosen.includes(each) ? -Infinity : (1 - diversity) * ((each.score - low) / (high - low)) - diversity * Math.max(0, ...chosen.map(({ vector }) => likeness(vector, each.vector)))));
    chosen.push(pool[gains.indexOf(Math.max(...gains))]!);
  }
  return [...chosen, ...from.slice(200)].map(({ entry }) => entry.id);
}

describe('A search with `diversity`', () => {
  it.each([0.2, 0.5, 0.9])('of %d orders the first 200 by maximal marginal relevance, and leaves the others behind them', async (diversity) => {
    const { matches, next_cursor: next } = await ask({ diversity });
    expect(idsOf({ matches })).toEqual(marginal(plain(), diversity));
    expect(next).toBeUndefined();
    const scores = new Map(plain().map(({ entry, score }) => [entry.id, score]));
    for (const { id, score } of matches) expect(score).toBeCloseTo(scores.get(id)!, 5);
  });

  it('gives the same order in pages of any size', async () => {
    const whole = idsOf(await ask({ diversity: 0.5 }));
    for (const limit of [7, 40, 199, 200]) expect(idsOf({ matches: await allPages({ diversity: 0.5 }, limit) })).toEqual(whole);
  });

  it('of 0 changes nothing', async () => {
    expect(idsOf(await ask({ diversity: 0 }))).toEqual(idsOf(await ask({})));
  });

  it('puts one of many that are the same first, and the others behind what is like nothing else', async () => {
    await service.collection('burst');
    const same = Array.from({ length: 5 }, (_, i) => ({ id: `same${i}`, embedding: [1, 0.1, 0, i / 1e4], modality: 'image' }));
    await service.add('burst', [...same, { id: 'other', embedding: [1, -0.4, 0.1, 0], modality: 'image' }, { id: 'far', embedding: [0.3, 0.1, 1, 0], modality: 'text' }]);
    const near = { query: { embedding: [1, 0.1, 0, 0] }, fusion: 'raw' };
    expect(idsOf(await ask({ ...near, limit: 3 }, 'burst'))).toEqual(['same0', 'same1', 'same2']);
    expect(idsOf(await ask({ ...near, limit: 3, diversity: 0.6 }, 'burst'))).toEqual(['same0', 'other', 'far']);
    expect(idsOf(await ask({ ...near, filter: { none: 1 }, diversity: 0.5 }, 'burst'))).toEqual([]);
  });

  it('gives each match once beside both kinds, words, a filter and the cut', async () => {
    const texts = ['number 4711 on a wall', 'a wall', 'a dog', 'dogs at number 4711'].map((text, i) => ({ id: `t${i}`, text, metadata: { place: { town: 't1' } } }));
    await service.collection('mixed');
    await service.add('mixed', [...entries.slice(0, 60), ...texts]);
    const request = { query: 'number 4711', lexical: 'auto', diversity: 0.6, exact: false, filter: { 'place.town': 't1' } };
    const without = idsOf(await ask({ ...request, diversity: 0 }, 'mixed'));
    const matches: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page: any = await ask({ ...request, limit: 3, ...(cursor === undefined ? {} : { cursor }) }, 'mixed');
      matches.push(...idsOf(page));
      if ((cursor = page.next_cursor) === undefined) break;
    }
    expect([...matches].sort()).toEqual([...without].sort());
    const relevant = await ask({ query: 'number 4711', cutoff: 'auto', exact: false }, 'mixed');
    const diverse = await ask({ query: 'number 4711', cutoff: 'auto', exact: false, diversity: 0.6 }, 'mixed');
    expect(idsOf(diverse).sort()).toEqual(idsOf(relevant).sort());
    expect(diverse.cut).toEqual(relevant.cut);
  });
});

/** Of the first match of each value, as the contract says it. */
function heads(field: (metadata: any) => unknown): { id: string; value?: unknown; more?: number }[] {
  const found: { id: string; value?: unknown; more?: number }[] = [];
  for (const { entry } of plain()) {
    const value = [field(entry.metadata)].flat().find((each) => each === null || ['string', 'number', 'boolean'].includes(typeof each));
    const known = value === undefined ? undefined : found.find((each) => each.value === value);
    if (known) known.more!++;
    else found.push(value === undefined ? { id: entry.id } : { id: entry.id, value, more: 0 });
  }
  return found;
}
const toldOf = (matches: any[]) => matches.map(({ id, group }) => ({ id, ...group }));

describe('A search with `group_by`', () => {
  it.each([
    ['folder', (metadata: any) => metadata.folder],
    ['place.town', (metadata: any) => metadata.place?.town],
    ['$item.modality', () => 'image'],
    ['nothing', () => undefined],
  ] as const)('gives the best match of each value of %s, and counts the others', async (group_by, field) => {
    const answer = await ask({ group_by });
    expect(toldOf(answer.matches)).toEqual(heads(field));
    expect(answer.groups).toEqual({ looked: 230, complete: true });
    expect(answer.next_cursor).toBeUndefined();
  });

  it('goes on page by page', async () => {
    const all = heads(({ folder }) => folder).map(({ id }) => id);
    expect(all.length).toBeGreaterThan(40);
    expect(idsOf({ matches: await allPages({ group_by: 'folder' }, 4) })).toEqual(all);
  });

  it('groups before it makes diverse', async () => {
    const first = new Set(heads(({ place }) => place?.town).map(({ id }) => id));
    const pool = plain().filter(({ entry }) => first.has(entry.id));
    expect(idsOf(await ask({ group_by: 'place.town', diversity: 0.4 }))).toEqual(marginal(pool, 0.4));
  });

  it('looks as deep as it needs to for as many groups as were asked for, and no deeper than 5,000', { timeout: 60_000 }, async () => {
    await service.collection('deep');
    const rows = Array.from({ length: 5_200 }, (_, i) => ({ id: `d${i}`, embedding: [1, i / 5_200, 0, 0], modality: 'image', metadata: { folder: i < 2_500 ? 'a' : i < 2_600 ? 'b' : i < 5_100 ? 'c' : 'd' } }));
    for (let from = 0; from < rows.length; from += 1_000) await service.add('deep', rows.slice(from, from + 1_000));
    const near = { query: { embedding: [1, 0, 0, 0] }, group_by: 'folder' };
    const three = await ask({ ...near, limit: 3 }, 'deep');
    expect(toldOf(three.matches).map(({ id, value }) => [id, value])).toEqual([['d0', 'a'], ['d2500', 'b'], ['d2600', 'c']]);
    expect(three.groups.looked).toBeLessThanOrEqual(3_100);
    expect(three.groups.looked).toBe(three.matches.reduce((sum: number, { group }: any) => sum + 1 + group.more, 0));
    const four = await ask({ ...near, limit: 4 }, 'deep');
    expect([four.matches.length, four.groups, four.next_cursor]).toEqual([3, { looked: 5_000, complete: false }, undefined]);
  });

  it('groups what is sorted, and what is listed', async () => {
    const listed = await ask({ query: '', understand: true, group_by: 'place.town', sort: 'place.town', limit: 3 });
    expect(toldOf(listed.matches).map(({ value, more }) => [value, more > 50])).toEqual([['t0', true], ['t1', true], ['t2', true]]);
    const request = { query: { embedding: query }, cutoff: 'auto', sort: '-place.town' };
    const sorted = await ask(request);
    expect(sorted.matches.length).toBeGreaterThan(3);
    const towns = [...new Set(sorted.matches.map(({ metadata }: any) => metadata.place?.town).filter(Boolean))];
    const grouped = await ask({ ...request, group_by: 'place.town' });
    expect(grouped.matches.flatMap(({ group }: any) => group?.value ?? [])).toEqual(towns);
  });
});

it.each([
  [{ diversity: -0.1 }, 'diversity'],
  [{ diversity: 1.5 }, 'diversity'],
  [{ diversity: '0.5' }, 'diversity'],
  [{ diversity: 0.5, sort: 'a', cutoff: 'auto' }, 'sort'],
  [{ group_by: '' }, 'group_by'],
  [{ group_by: '$item.nothing' }, 'group_by'],
  [{ group_by: '$and' }, 'group_by'],
    [{ group_by: ['a'] }, 'group_by'],
  [{ group_by: 'a'.repeat(1_001) }, 'group_by'],
])('refuses what is out of bounds by name (%#)', async (more, param) => {
  const { status, body } = await service.post(searchIn('all'), { query: { embedding: query }, ...more });
  expect([status, body.error.param]).toEqual([400, param]);
});

it('takes a cursor for the diversity and the field alone that it came with', async () => {
  const { next_cursor: cursor } = await ask({ group_by: 'folder', diversity: 0.5, limit: 2 });
  for (const other of [{ group_by: 'folder' }, { diversity: 0.5 }, { group_by: 'place', diversity: 0.5 }, { group_by: 'folder', diversity: 0.6 }]) {
    const { status, body } = await service.post(searchIn('all'), { query: { embedding: query }, exact: true, limit: 2, cursor, ...other });
    expect([status, body.error.param]).toEqual([400, 'cursor']);
  }
});
