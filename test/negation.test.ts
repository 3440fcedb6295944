/** What is not to be there, and items that matches are to be like: told from the embeddings that the service itself hands out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { negationOf } from '../src/operations/search/negation/negation.js';
import { call, items, searchIn } from './api.js';
import { bundled, startServer, type RunningServer } from './server.js';

const captions = ['a dog on the beach', 'a dog with a ball', 'a ball on the grass', 'people at the beach', 'an empty beach at sunset', 'a cat on a sofa', 'children playing with a dog', 'a red car in the snow', 'a man throwing a ball', 'a dog asleep', 'ships in a harbour', 'a crowd in the street'];

let server: RunningServer;
const vectors = new Map<string, number[]>();
beforeAll(async () => {
  server = await startServer({ env: { LOG_LEVEL: 'error', ...bundled } });
  await call(server.url, 'POST', items(), { items: captions.map((text, i) => ({ id: `c${i}`, text })) });
  const texts = [...captions, 'a dog', 'ball', 'beach', 'people', 'dogs', 'a dog without a ball'];
  const { body } = await call(server.url, 'POST', '/v1/embeddings', { input: texts });
  texts.forEach((text, i) => vectors.set(text, body.data[i].embedding));
});
afterAll(() => server.remove());

const ask = (body: object) => call(server.url, 'POST', searchIn(), { limit: 100, ...body });
const sum = (parts: [string, number][]): number[] => {
  const added = vectors.get('a dog')!.map((_, at) => parts.reduce((total, [text, weight]) => total + weight * vectors.get(text)![at]!, 0));
  return added.map((value) => value / Math.hypot(...added));
};
/** Ids by score, as they must be. */
function ranked(query: number[], without: string[] = []): [string, number][] {
  return captions
    .map((text, i): [string, number] => [`c${i}`, vectors.get(text)!.reduce((total, value, at) => total + value * query[at]!, 0)])
    .filter(([id]) => !without.includes(id))
    .sort((a, b) => b[1] - a[1]);
}
function expectRanked(matches: { id: string; score: number }[], expected: [string, number][]): void {
  expect(matches.map(({ id }) => id)).toEqual(expected.map(([id]) => id));
  matches.forEach(({ score }, i) => expect(score).toBeCloseTo(expected[i]![1], 5));
}

describe('A search with negation', () => {
  it('takes what is not to be there off what is, with the same weight', async () => {
    const { body } = await ask({ query: 'a dog without a ball', negation: 'auto' });
    expect(body.negated).toEqual(['ball']);
    expectRanked(body.matches, ranked(sum([['a dog', 1], ['ball', -1]])));
  });

  it('lets several things that are missing weigh as much as one, in the length of their sum', async () => {
    const { body } = await ask({ query: { text: 'dogs -people -beach' }, negation: 'auto' });
    expect(body.negated).toEqual(['people', 'beach']);
    expectRanked(body.matches, ranked(sum([['dogs', 1], ['people', -1 / Math.SQRT2], ['beach', -1 / Math.SQRT2]])));
  });

  it('reads nothing out of a sentence unless it is asked to', async () => {
    const plain = await ask({ query: 'a dog without a ball' });
    expect(plain.body).not.toHaveProperty('negated');
    expectRanked(plain.body.matches, ranked(sum([['a dog without a ball', 1]])));
    expect((await ask({ query: 'a dog without a ball', negation: 'off' })).body.matches).toEqual(plain.body.matches);
  });

  it('answers plain words as it does without', async () => {
    const [{ body: auto }, { body: off }] = [await ask({ query: 'a dog', negation: 'auto' }), await ask({ query: 'a dog' })];
    expect(auto.matches).toEqual(off.matches);
    expect(auto).not.toHaveProperty('negated');
  });

  it('keeps the weights of a query in parts, and leaves parts alone that count against it anyway', async () => {
    const { body } = await ask({ query: [{ input: 'a dog without a ball', weight: 2 }, { input: 'beach' }, { input: 'a dog without a ball', weight: -0.5 }], negation: 'auto' });
    expectRanked(body.matches, ranked(sum([['a dog', 2], ['ball', -2], ['beach', 1], ['a dog without a ball', -0.5]])));
  });

  it('hands on cursors that belong to it', async () => {
    const { body } = await ask({ query: 'a dog without a ball', negation: 'auto', limit: 5 });
    const all = (await ask({ query: 'a dog without a ball', negation: 'auto' })).body.matches;
    expect((await ask({ query: 'a dog without a ball', negation: 'auto', cursor: body.next_cursor })).body.matches).toEqual(all.slice(5));
    expect(await ask({ query: 'a dog without a ball', cursor: body.next_cursor })).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
  });
});

describe('What a sentence says is missing', () => {
  it.each<[string, string, string[]]>([
    ['trees with no leaves in the picture', 'trees', ['leaves']],
    ['sea, no boats', 'sea', ['boats']],
    ['a room that has no window at night', 'a room at night', ['window']],
    ['cake without nuts and raisins on a plate', 'cake on a plate', ['nuts', 'raisins']],
    ['girl not wearing shoes', 'girl', ['shoes']],
    ['Katze ohne Schwanz', 'Katze', ['Schwanz']],
    ['Zimmer ohne ein einziges Fenster im Bild', 'Zimmer', ['Fenster']],
    ['une forêt, pas de voitures', 'une forêt', ['voitures']],
    ['gato sin cola', 'gato', ['cola']],
    ['quarto sem gato', 'quarto', ['gato']],
    ['camera senza gatto', 'camera', ['gatto']],
    ['kamer zonder kat', 'kamer', ['kat']],
    ['pokój bez kota', 'pokój', ['kota']],
    ['комната без кошки', 'комната', ['кошки']],
    ['غرفة بدون قطة', 'غرفة', ['قطة']],
    ['没有车的森林', '森林', ['车']],
    ['森林，沒有車', '森林', ['車']],
    ['猫のいない部屋', '部屋', ['猫']],
    ['部屋、猫なし', '部屋', ['猫']],
    ['고양이 없는 방', '방', ['고양이']],
    ['kedi olmayan oda', 'oda', ['kedi']],
    ['ห้องที่ไม่มีแมว', 'ห้อง', ['แมว']],
    ['beach -people -"parked cars"', 'beach', ['people', 'parked cars']],
  ])('is read out of "%s"', (sentence, rest, negated) => {
    expect(negationOf(sentence)).toEqual({ rest, negated });
  });

  it.each(['a man in a red shirt', 'comic sans font', 'sin city poster', 'no smoking sign on a wall', 'not only cats', "no man's land", 'black-and-white cat', 'a no-frills shop', '-people', 'without people', 'Ohnmacht', '', ' - ', `${'a dog without a ball '.repeat(13)}`])('is nothing in "%s"', (sentence) => {
    expect(negationOf(sentence)).toBeUndefined();
  });
});

describe('Items that matches are to be like', () => {
  it("move the query towards them, and away from those disliked, by Rocchio's weights; they are left out", async () => {
    const { body } = await ask({ query: 'a dog', likes: ['c0', 'c3'], dislikes: ['c1'] });
    expectRanked(body.matches, ranked(sum([['a dog', 1], [captions[0]!, 0.375], [captions[3]!, 0.375], [captions[1]!, -0.15]]), ['c0', 'c1', 'c3']));
  });

  it('may stand alone', async () => {
    expectRanked((await ask({ likes: ['c0', 'c3'] })).body.matches, ranked(sum([[captions[0]!, 1], [captions[3]!, 1]]), ['c0', 'c3']));
  });

  it.each<[string, object, number, string]>([
    ['an item that is not there among the likes', { query: 'a dog', likes: ['c0', 'gone'] }, 404, 'likes[1]'],
    ['an item that is not there among the dislikes', { query: 'a dog', dislikes: ['gone'] }, 404, 'dislikes[0]'],
    ['too many of them', { query: 'a dog', likes: Array.from({ length: 101 }, () => 'c0') }, 400, 'likes'],
    ['an id that is none', { query: 'a dog', likes: [''] }, 400, 'likes[0]'],
    ['dislikes alone', { dislikes: ['c0'] }, 400, 'query'],
    ['a negation that there is not', { query: 'a dog', negation: 'on' }, 400, 'negation'],
  ])('are refused: %s', async (_, body, status, param) => {
    expect(await ask(body)).toMatchObject({ status, body: { error: { param } } });
  });
});
