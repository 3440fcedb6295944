/** Searches that say nothing where nothing matches, and lists of both kinds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, searchIn } from './api.js';
import { bundled, startServer, type RunningServer } from './server.js';
import { readsTexts, startSmall, type SmallService } from './small-service.js';

describe('A list of both kinds', () => {
  let service: SmallService;
  const query = [1, 0, 0, 0];
  const cosines = {
    text: Array.from({ length: 40 }, (_, i) => 0.6 + 0.005 * i),
    // Far below every text, but for one that stands out among its kind.
    image: [...Array.from({ length: 39 }, (_, i) => 0.1 + 0.002 * i), 0.4],
  };
  const entries = (['text', 'image'] as const).flatMap((modality) =>
    cosines[modality].map((cosine, i) => ({ id: `${modality}-${String(i).padStart(2, '0')}`, modality, embedding: [cosine, Math.sqrt(1 - cosine ** 2), 0, 0] })),
  );
  beforeAll(async () => {
    service = await startSmall({ small: readsTexts });
    await service.collection('both');
    await service.add('both', entries);
  });
  afterAll(() => service.remove());

  const search = async (more: object): Promise<any> => (await service.post(searchIn('both'), { query: { embedding: query }, ...more })).body;
  const idsOf = ({ matches }: any): string[] => matches.map(({ id }: any) => id);

  /** Mean and deviation of each kind, drawn by 16 of 56 towards those of both together. */
  function expectedOrder(): string[] {
    const mean = (of: number[]): number => of.reduce((a, b) => a + b) / of.length;
    const variance = (of: number[]): number => mean(of.map((x) => (x - mean(of)) ** 2));
    const all = [...cosines.text, ...cosines.image];
    const own = 40 / 56;
    const standard = ({ modality, embedding }: (typeof entries)[number]): number => {
      const kind = cosines[modality];
      return (embedding[0]! - (own * mean(kind) + (1 - own) * mean(all))) / Math.sqrt(own * variance(kind) + (1 - own) * variance(all));
    };
    return [...entries].sort((a, b) => standard(b) - standard(a) || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  }

  it('is ordered by how far each match stands out among its kind, with the cosine as its score', async () => {
    const whole = await search({ limit: 80 });
    expect(idsOf(whole)).toEqual(expectedOrder());
    expect(idsOf(whole)).not.toEqual(idsOf(await search({ limit: 80, fusion: 'raw' })));
    expect(whole.matches[idsOf(whole).indexOf('image-39')].score).toBeCloseTo(0.4, 5);
    expect(whole).toMatchObject({ exact: true });
  });

  it('is ordered by the cosine alone when asked to be', async () => {
    expect(idsOf(await search({ limit: 80, fusion: 'raw' }))).toEqual([...entries].sort((a, b) => b.embedding[0]! - a.embedding[0]!).map(({ id }) => id));
  });

  it.each([1, 3, 7, 50])('comes page by page, %d at a time, without a gap or a second coming', async (limit) => {
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search({ limit, ...(cursor && { cursor }) });
      paged.push(...idsOf(page));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(paged).toEqual(expectedOrder());
  });

  it('keeps to the order of its first page while others are added', async () => {
    const first = await search({ limit: 30 });
    await service.add('both', Array.from({ length: 20 }, (_, i) => ({ id: `late-${i}`, modality: 'image', embedding: [-0.5, 0.5, i / 20, 0] })));
    const rest = await search({ limit: 100, cursor: first.next_cursor });
    expect([...idsOf(first), ...idsOf(rest)].filter((id) => !id.startsWith('late'))).toEqual(expectedOrder());
    for (let i = 0; i < 20; i++) await call(service.server.url, 'DELETE', `${items('both')}/late-${i}`);
  });

  it.each([
    [{ cutoff: 'sometimes' }, 'cutoff'],
    [{ cutoff: 1 }, 'cutoff'],
    [{ fusion: 'both' }, 'fusion'],
    [{ sort: 'n' }, 'sort'],
    [{ sort: 'n', cutoff: 'none' }, 'sort'],
    [{ sort: '', cutoff: 'auto' }, 'sort'],
    [{ sort: '$item.nothing', cutoff: 'auto' }, 'sort'],
    [{ sort: 'x'.repeat(10_000), cutoff: 'auto' }, 'sort'],
  ])('is refused with %j', async (more, param) => {
    const answer = await service.post(searchIn('both'), { query: { embedding: query }, ...more });
    expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
  });
});

describe('A search with a cut-off', () => {
  let server: RunningServer;
  const subjects = ['a dog runs on the beach', 'two dogs play in the sand', 'a puppy sleeps', 'a red sports car', 'an old truck', 'a plate of pasta', 'a bowl of soup', 'a violin', 'children play football', 'a snowy mountain', 'a sailing boat', 'a church tower', 'a laptop on a desk', 'a bunch of tulips', 'a horse in a field', 'people at a concert', 'a kitchen with a stove', 'a woman reads a book', 'an airplane in the sky', 'a bicycle at a wall'];
  beforeAll(async () => {
    server = await startServer({ env: { ...bundled } });
    const added = await call(server.url, 'POST', items(), { items: subjects.map((text, i) => ({ id: `s${String(i).padStart(2, '0')}`, text, metadata: { year: 2000 + ((i * 7) % 20) } })) });
    expect(added.status).toBe(200);
  });
  afterAll(() => server.remove());
  const search = async (more: object): Promise<any> => {
    const answer = await call(server.url, 'POST', searchIn(), { limit: 20, ...more });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  };

  it('gives the best of the uncut list, each with a relevance that falls with its score, and says how many it cut off', async () => {
    const uncut = await search({ query: 'a dog' });
    const cut = await search({ query: 'a dog', cutoff: 'auto' });
    expect(uncut.matches).toHaveLength(20);
    expect(uncut.matches[0]).not.toHaveProperty('relevance');
    expect(cut.matches.length).toBeGreaterThan(0);
    expect(cut.matches.length).toBeLessThan(20);
    expect(cut.matches.map(({ id }: any) => id)).toEqual(uncut.matches.slice(0, cut.matches.length).map(({ id }: any) => id));
    expect(['s00', 's01', 's02']).toContain(cut.matches[0].id);
    const relevances: number[] = cut.matches.map(({ relevance }: any) => relevance);
    expect(relevances).toEqual([...relevances].sort((a, b) => b - a));
    expect(relevances.every((relevance) => relevance > 0 && relevance <= 1)).toBe(true);
    expect(cut.cut).toEqual({ relevance: expect.any(Number), left_out: 20 - cut.matches.length });
    expect(relevances[0]).toBeGreaterThanOrEqual(cut.cut.relevance);
  });

  it.each(['asdfghjkl', 'gxbtqz qkxzvbn', 'xkqzjvw', 'hjkhjk', 'zzzzzz', '🦖'])('gives nothing for %s, and says that no word of it is known', async (query) => {
    const answer = await search({ query, cutoff: 'auto' });
    expect(answer).toMatchObject({ matches: [], cut: { left_out: 20 }, unknown: query.split(' ') });
    expect(answer).not.toHaveProperty('next_cursor');
  });

  it('names one unknown word among others, and finds what is clearly there all the same', async () => {
    const answer = await search({ query: 'a dog qkxzvbn', cutoff: 'auto' });
    const plain = await search({ query: 'a dog', cutoff: 'auto' });
    expect(answer.unknown).toEqual(['qkxzvbn']);
    expect(plain).not.toHaveProperty('unknown');
    expect(answer.cut.relevance).toBeGreaterThan(plain.cut.relevance);
    expect(['s00', 's01', 's02']).toContain(answer.matches[0].id);
    expect(answer.matches[0].relevance).toBeGreaterThanOrEqual(answer.cut.relevance);
  });

  it('gives nothing where one word is unknown and the other only sounds like one', async () => {
    expect(await search({ query: 'wqpz flurbnix', cutoff: 'auto' })).toMatchObject({ matches: [], unknown: ['wqpz'] });
  });

  it('takes rare words with letters that seldom stand together for what they are', async () => {
    for (const query of ['a lynx', 'kiwi', 'an axolotl', 'Glühwürmchen', 'szczypce', 'ein Umzug', 'rhythm', 'a fjord']) expect(await search({ query, cutoff: 'auto' }), query).not.toHaveProperty('unknown');
  });

  it('goes on where its page ended, up to the cut', async () => {
    const whole = await search({ query: 'a dog', cutoff: 'auto' });
    const paged: any[] = [];
    let cursor: string | undefined;
    do {
      const page = await search({ query: 'a dog', cutoff: 'auto', limit: 1, ...(cursor && { cursor }) });
      paged.push(...page.matches);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(paged.map(({ id }) => id)).toEqual(whole.matches.map(({ id }: any) => id));
    paged.forEach(({ relevance }, i) => expect(relevance).toBeCloseTo(whole.matches[i].relevance, 1));
  });

  it('sorts the relevant alone by a field, page by page', async () => {
    const relevant: any[] = (await search({ query: 'a dog', cutoff: 'auto' })).matches;
    const newest = [...relevant].sort((a, b) => b.metadata.year - a.metadata.year).map(({ id }) => id);
    const first = await search({ query: 'a dog', cutoff: 'auto', sort: '-year', limit: 1 });
    const rest = first.next_cursor ? await search({ query: 'a dog', cutoff: 'auto', sort: '-year', limit: 19, cursor: first.next_cursor }) : { matches: [] };
    expect([...first.matches, ...rest.matches].map(({ id }: any) => id)).toEqual(newest);
  });

  it('cuts what is searched for by an item too', async () => {
    const { matches, cut } = await search({ query: { id: 's00' }, cutoff: 'auto' });
    expect(matches[0]).toMatchObject({ id: 's01', relevance: expect.any(Number) });
    expect(matches.length + cut.left_out).toBe(19);
  });
});
