/** What each operator of a filter lets through, at its boundary: through listings, searches and deletions alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, searchIn } from './api.js';
import { readsTexts, startSmall, type SmallService } from './small-service.js';

/** By id, each with the field `v`. */
const values: Record<string, unknown> = {
  'minus one': -1,
  zero: 0,
  one: 1,
  'one and a half': 1.5,
  two: 2,
  'text one': '1',
  'text a': 'a',
  'text aa': 'aa',
  'text b': 'b',
  'text B': 'B',
  empty: '',
  'emoji': '\u{1f600}',
  'last of the BMP': '\uffee',
  'one and three': [1, 3],
  'a and c': ['a', 'c'],
  'one and a': [1, 'a'],
  nothing: [],
  'a list in a list': [[1]],
  yes: true,
  no: false,
  'null': null,
  'an object': { w: 1 },
};
const missing = 'missing';

let service: SmallService;
beforeAll(async () => {
  service = await startSmall({ small: readsTexts });
  const entries = Object.entries(values).map(([id, v], i) => ({ id, embedding: [1, i, 0, 0], modality: i % 2 ? 'image' : 'text', metadata: { v } }));
  await service.add('default', [...entries, { id: missing, embedding: [0, 0, 1, 0], modality: 'text', metadata: { other: 1 } }]);
});
afterAll(() => service.remove());

const everything = [...Object.keys(values), missing];
const but = (...left: string[]): string[] => everything.filter((id) => !left.includes(id));

describe('A filter', () => {
  it.each<[object, string[]]>([
    [{ v: 1 }, ['one', 'one and three', 'one and a']],
    [{ v: { $eq: 1 } }, ['one', 'one and three', 'one and a']],
    [{ v: { $ne: 1 } }, but('one', 'one and three', 'one and a')],
    [{ v: { $gt: 1 } }, ['one and a half', 'two', 'one and three']],
    [{ v: { $gte: 1 } }, ['one', 'one and a half', 'two', 'one and three', 'one and a']],
    [{ v: { $lt: 1 } }, ['minus one', 'zero']],
    [{ v: { $lte: 1 } }, ['minus one', 'zero', 'one', 'one and three', 'one and a']],
    [{ v: { $gte: 1, $lte: 1 } }, ['one', 'one and three', 'one and a']],
    // Of an array, one element may meet one bound and another the other.
    [{ v: { $gt: 1, $lt: 2 } }, ['one and a half', 'one and three']],
    [{ v: { $lte: 1, $gte: 3 } }, ['one and three']],
    [{ v: { $lt: 0 } }, ['minus one']],
    [{ v: { $lte: 0 } }, ['minus one', 'zero']],
    [{ v: { $gte: 2 } }, ['two', 'one and three']],
    [{ v: { $gt: 2 } }, ['one and three']],

    [{ v: 'a' }, ['text a', 'a and c', 'one and a']],
    [{ v: { $ne: 'a' } }, but('text a', 'a and c', 'one and a')],
    [{ v: { $gt: 'a' } }, ['text aa', 'text b', 'emoji', 'last of the BMP', 'a and c']],
    [{ v: { $gte: 'a' } }, ['text a', 'text aa', 'text b', 'emoji', 'last of the BMP', 'a and c', 'one and a']],
    [{ v: { $lt: 'a' } }, ['text one', 'text B', 'empty']],
    [{ v: { $lte: 'a' } }, ['text one', 'text a', 'text B', 'empty', 'a and c', 'one and a']],
    [{ v: { $gte: '' } }, Object.keys(values).filter((id) => typeof values[id] === 'string' || id === 'a and c' || id === 'one and a')],
    [{ v: { $lt: '' } }, []],
    [{ v: { $lte: '' } }, ['empty']],
    [{ v: { $gt: '\uffee' } }, ['emoji']],
    [{ v: { $gte: '\u{1f600}' } }, ['emoji']],

    [{ v: { $in: [1, 'b', null] } }, ['one', 'one and three', 'one and a', 'text b', 'null']],
    [{ v: { $in: [true] } }, ['yes']],
    [{ v: { $in: [] } }, []],
    [{ v: { $nin: [1, 'b', null] } }, but('one', 'one and three', 'one and a', 'text b', 'null')],
    [{ v: { $nin: [] } }, everything],
    [{ v: { $exists: true } }, Object.keys(values)],
    [{ v: { $exists: false } }, [missing]],
    [{ v: null }, ['null']],
    [{ v: { $ne: null } }, but('null')],
    [{ v: true }, ['yes']],
    [{ v: false }, ['no']],
    [{ v: 0 }, ['zero']],
    [{ v: '' }, ['empty']],
    [{ 'v.w': 1 }, ['an object']],
    [{ 'v.w': { $exists: false } }, but('an object')],

    [{ v: { $not: { $lte: 1 } } }, but('minus one', 'zero', 'one', 'one and three', 'one and a')],
    [{ v: { $not: { $not: { $gt: 1 } } } }, ['one and a half', 'two', 'one and three']],
    [{ $not: { v: { $exists: true } } }, [missing]],
    [{ $and: [{ v: { $gte: 0 } }, { v: { $lt: 1 } }] }, ['zero']],
    [{ $or: [{ v: 'b' }, { v: 2 }, { other: 1 }] }, ['text b', 'two', missing]],
    [{ $or: [{ v: 'b' }, { v: 2 }], v: 2 }, ['two']],
    [{ other: 1, v: 1 }, []],
  ])('%j lets through what it says, wherever it is used', async (filter, expected) => {
    const listed = (await service.get(`${items()}?${new URLSearchParams({ filter: JSON.stringify(filter) }).toString()}`)).body;
    expect(listed.items.map(({ id }: any) => id)).toEqual([...expected].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const exact of [true, false]) {
      const found = await service.search('default', { query: { embedding: [1, 1, 1, 1] }, filter, limit: 100, exact });
      expect(found.map(([id]) => id).sort()).toEqual([...expected].sort());
    }
  });

  it('deletes what it lets through and nothing else', async () => {
    await service.collection('deleted');
    await service.add('deleted', [-1, 0, 1, 2].map((v) => ({ id: String(v), embedding: [1, v, 0, 0], modality: v % 2 ? 'image' : 'text', metadata: { v } })));
    const remove = (filter: object): Promise<any> => call(service.server.url, 'DELETE', `${items('deleted')}?${new URLSearchParams({ filter: JSON.stringify(filter) }).toString()}`);
    expect((await remove({ v: { $lt: 0 } })).body).toEqual({ deleted: 1 });
    expect((await remove({ v: { $gt: 1 } })).body).toEqual({ deleted: 1 });
    expect((await remove({ v: { $lte: -1 } })).body).toEqual({ deleted: 0 });
    expect((await service.get(items('deleted'))).body.items.map(({ id }: any) => id)).toEqual(['0', '1']);
    expect((await remove({ v: { $gte: 1 } })).body).toEqual({ deleted: 1 });
    expect((await service.get(items('deleted'))).body.items.map(({ id }: any) => id)).toEqual(['0']);
  });

  it('sees metadata as it is now', async () => {
    await service.collection('marked');
    await service.add('marked', [{ id: 'a', embedding: [1, 0, 0, 0], modality: 'text', metadata: { v: 1 } }, { id: 'b', embedding: [0, 1, 0, 0], modality: 'image', metadata: { v: 1 } }]);
    const found = async (filter: object): Promise<string[]> => (await service.search('marked', { query: { embedding: [1, 0, 0, 0] }, filter })).map(([id]) => id);
    expect(await found({ v: 1 })).toEqual(['a', 'b']);
    await call(service.server.url, 'PATCH', `${items('marked')}/b`, { metadata: { v: 2 } });
    expect([await found({ v: 1 }), await found({ v: 2 })]).toEqual([['a'], ['b']]);
    await service.add('marked', [{ id: 'c', embedding: [0, 0, 1, 0], modality: 'text', metadata: { v: 2 } }, { id: 'a', embedding: [1, 0, 0, 0], modality: 'text', metadata: { v: 2 } }]);
    expect([await found({ v: 1 }), (await found({ v: 2 })).sort()]).toEqual([[], ['a', 'b', 'c']]);
  });
});

describe('A filter may', () => {
  const nested = (depth: number): object => Array.from({ length: depth - 1 }).reduce<object>((inner) => ({ $not: inner }), { v: 1 });
  const wide = (clauses: number): object => Object.fromEntries(Array.from({ length: clauses }, (_, i) => [`f${i}`, { $exists: false }]));
  const among = (count: number): object => ({ v: { $in: Array.from({ length: count }, (_, i) => i) } });
  it.each<[string, object, number]>([
    ['8 levels deep be', nested(8), 200],
    ['not be 9 levels deep', nested(9), 400],
    ['hold 64 clauses', wide(64), 200],
    ['not hold 65 clauses', wide(65), 400],
    ['name 1,000 values', among(1000), 200],
    ['not name 1,001 values', among(1001), 400],
  ])('%s', async (_what, filter, status) => {
    expect((await service.post(searchIn(), { query: { embedding: [1, 0, 0, 0] }, filter })).status).toBe(status);
  });
});
