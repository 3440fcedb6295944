import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Filter } from '../src/domain/filter.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { Random } from './crash/random.js';
import { direction, sha256, space } from './port-contracts/oracle.js';
import { drawn, rotatedByExif } from './pictures.js';
import { startServer, type RunningServer } from './server.js';
import { bothPorts, type BothPorts } from './store-ports.js';

const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

/** Boats by place, one of them without, in years and with times as people write them. */
const boats = [
  { id: 'a', text: 'a red boat', metadata: { place: 'Oslo', year: 2021, tags: ['sea', 'red'], at: '2024-05-01T02:00+02:00' } },
  { id: 'b', text: 'a blue boat', metadata: { place: 'Ostend', year: 2023, tags: ['sea', 'sea'], at: '2024-05-01T00:00:00Z' } },
  { id: 'c', text: 'an old boat', metadata: { place: 'Bergen', year: 2023, tags: [], at: '2024-04-30' } },
  { id: 'd', text: 'a boat somewhere', metadata: { year: '2023', tags: ['red'], note: 'x'.repeat(300) } },
  { id: 'e', text: 'a boat sunk', metadata: { place: 'Oslo', year: 1999, deep: { at: { last: 4 } }, at: 'yesterday' } },
];

describe('filters, orders and facets of a service', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
    await call(server.url, 'POST', items(), { items: boats });
  });
  afterAll(() => server.remove());

  const list = async (query: Record<string, string>): Promise<Answer> => call(server.url, 'GET', `${items()}?${new URLSearchParams(query).toString()}`);
  const ids = async (query: Record<string, string>): Promise<string> => (await list(query)).body.items.map(({ id }: { id: string }) => id).join('');
  const matching = (filter: object): Promise<string> => ids({ filter: JSON.stringify(filter) });
  const found = async (filter: object): Promise<string> => {
    const { body } = await call(server.url, 'POST', searchIn(), { query: 'a boat', filter, limit: 10 });
    return body.matches.map(({ id }: { id: string }) => id).sort().join('');
  };

  it.each<[filter: object, expected: string]>([
    [{ place: { $prefix: 'Os' } }, 'abe'],
    [{ tags: { $prefix: 're' } }, 'ad'],
    [{ note: { $prefix: 'xxx' } }, 'd'],
    [{ note: { $not: { $prefix: 'y' } } }, 'abcde'],
    [{ year: { $prefix: '2' } }, 'd'],
    // The first two are the same moment, the third is midnight before it, the last is no time and stands behind by its letters.
    [{ at: { $gte: '2024-05-01' } }, 'abe'],
    [{ at: { $lt: '2024-05-01' } }, 'c'],
    [{ at: { $lte: '2024-05-01T01:00+01:00' } }, 'abc'],
    [{ at: { $gt: '2024-04-30T23:59:59.9995Z', $lt: '2024-05-01T00:00:00.5' } }, 'ab'],
    [{ at: '2024-05-01T00:00:00Z' }, 'b'],
    [{ 'deep.at.last': { $gte: 4 } }, 'e'],
    [{ deep: { $exists: true } }, 'e'],
    [{ '$item.modality': 'text' }, 'abcde'],
    [{ '$item.modality': { $ne: 'text' } }, ''],
    [{ '$item.created_at': { $gte: '2020-01-01' }, year: 2023 }, 'bc'],
    [{ '$item.width': { $exists: false }, 'tags': 'sea' }, 'ab'],
  ])('lists and finds what %j matches', async (filter, expected) => {
    expect([await matching(filter), await found(filter)]).toEqual([expected, expected]);
  });

  it('knows when and how a picture was taken, and where it came from', async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'pictures' });
    const sent = [
      { id: 'tall', image: base64(await rotatedByExif()), source: 'camera/1.jpg' },
      { id: 'small', image: base64(await drawn(5)), source: 'scans/2.png' },
    ];
    await call(server.url, 'POST', items('pictures'), { items: sent });
    const { body } = await call(server.url, 'GET', items('pictures'));
    const [small, tall] = body.items as { width: number; taken_at?: string }[];
    const where = async (filter: object): Promise<string[]> => (await call(server.url, 'GET', `${items('pictures')}?filter=${encodeURIComponent(JSON.stringify(filter))}`)).body.items.map(({ id }: { id: string }) => id);
    expect(await where({ '$item.width': small!.width, '$item.media_type': 'image/png' })).toEqual(['small']);
    expect(await where({ '$item.source': { $prefix: 'camera/' } })).toEqual(['tall']);
    // A picture found in a second place is one item with two sources.
    await call(server.url, 'POST', items('pictures'), { items: [{ ...sent[1], source: 'camera/3.png' }] });
    expect(await where({ '$item.source': { $prefix: 'camera/' } })).toEqual(['small', 'tall']);
    expect(tall!.width).not.toBe(small!.width);
    expect((await call(server.url, 'GET', `${items('pictures')}?sort=-$item.width`)).body.items.map(({ width }: { width: number }) => width)).toEqual([tall!.width, small!.width].sort((a, b) => b - a));
  });

  it('lists by a field in both directions, page by page, those without it last', async () => {
    expect(await ids({ sort: 'place' })).toBe('caebd');
    expect(await ids({ sort: '-place' })).toBe('beacd');
    // Numbers before strings.
    expect(await ids({ sort: 'year' })).toBe('eabcd');
    expect(await ids({ sort: '-year', filter: '{"tags": "sea"}' })).toBe('ba');
    expect(await ids({ sort: '-$item.created_at' })).toBe('edcba');
    let paged = '';
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const { body } = await list({ sort: 'year', limit: '2', ...(cursor ? { cursor } : {}) });
      paged += body.items.map(({ id }: { id: string }) => id).join('');
      cursor = body.next_cursor as string | undefined;
    }
    expect(paged).toBe('eabcd');
    const { body } = await list({ sort: 'year', limit: '2' });
    expect((await list({ sort: '-year', limit: '2', cursor: body.next_cursor })).body.error).toMatchObject({ code: 'invalid_request', param: 'cursor' });
    expect((await list({ limit: '2', cursor: body.next_cursor })).status).toBe(400);
  });

  it('goes on behind a value of any length, as in one go', async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'long' });
    const values = ['ü'.repeat(5_000), `${'ü'.repeat(5_000)}a`, 'z'.repeat(20_000), 'b', 'ü'.repeat(100), '\u0001'.repeat(300)];
    await call(server.url, 'POST', items('long'), { items: values.map((value, i) => ({ id: `${i}`, text: `text ${i}`, metadata: { value } })) });
    for (const [sort, expected] of [['value', '532401'], ['-value', '104235']]) {
      let paged = '';
      for (let cursor = ''; ; ) {
        const { status, body } = await call(server.url, 'GET', `${items('long')}?sort=${sort}&limit=1${cursor}`);
        expect(status).toBe(200);
        paged += body.items[0].id;
        if (!body.next_cursor) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      expect([sort, paged]).toEqual([sort, expected]);
    }
  });

  it('tells times apart to the nanosecond, whatever else a filter says', async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'times' });
    await call(server.url, 'POST', items('times'), { items: Array.from({ length: 6 }, (_, i) => ({ id: `${i}`, text: `text ${i}`, metadata: { t: `2024-05-01T00:00:00.00000000${i}Z` } })) });
    const where = async (filter: object): Promise<string> => (await call(server.url, 'GET', `${items('times')}?filter=${encodeURIComponent(JSON.stringify(filter))}`)).body.items.map(({ id }: { id: string }) => id).join('');
    const bound = '2024-05-01T00:00:00.000000002Z';
    expect([await where({ t: { $gt: bound } }), await where({ t: { $lt: bound } }), await where({ t: { $lt: bound, $exists: true } }), await where({ t: { $gte: bound, $lte: bound } })]).toEqual(['345', '01', '01', '2']);
  });

  it('orders a collection of its own alone: the cursor of one that was deleted is refused', async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'anew' });
    await call(server.url, 'POST', items('anew'), { items: [1, 2, 3].map((s) => ({ id: `a${s}`, text: `a${s}`, metadata: { s } })) });
    const { next_cursor: cursor } = (await call(server.url, 'GET', `${items('anew')}?sort=s&limit=1`)).body;
    await call(server.url, 'DELETE', '/v1/collections/anew');
    await call(server.url, 'POST', '/v1/collections', { name: 'anew' });
    expect((await call(server.url, 'GET', `${items('anew')}?sort=s&limit=1&cursor=${cursor}`)).status).toBe(400);
  });

  it('counts how many items have which value, in all or in those that match', async () => {
    const facets = async (query: Record<string, string>): Promise<any> => (await call(server.url, 'GET', `/v1/collections/default/facets?${new URLSearchParams(query).toString()}`)).body.facets;
    expect(await facets({ fields: 'place,year,tags,note,deep,never' })).toEqual({
      place: { values: [{ value: 'Oslo', count: 2 }, { value: 'Bergen', count: 1 }, { value: 'Ostend', count: 1 }], other: 0, missing: 1 },
      year: { values: [{ value: 2023, count: 2 }, { value: 1999, count: 1 }, { value: 2021, count: 1 }, { value: '2023', count: 1 }], other: 0, missing: 0 },
      tags: { values: [{ value: 'red', count: 2 }, { value: 'sea', count: 2 }], other: 1, missing: 1 },
      note: { values: [], other: 1, missing: 4 },
      deep: { values: [], other: 1, missing: 4 },
      never: { values: [], other: 0, missing: 5 },
    });
    expect(await facets({ fields: 'place', limit: '1', filter: '{"year": {"$gt": 2000}}' })).toEqual({ place: { values: [{ value: 'Bergen', count: 1 }], other: 2, missing: 0 } });
    expect(await facets({ fields: '$item.modality' })).toEqual({ '$item.modality': { values: [{ value: 'text', count: 5 }], other: 0, missing: 0 } });
  });

  it.each<[at: string, param: string, says: RegExp]>([
    [`${items()}?sort=`, 'sort', /no field/],
    [`${items()}?sort=-`, 'sort', /no field/],
    [`${items()}?sort=$item.exposure`, 'sort', /\$item\.taken_at/],
    ['/v1/collections/default/facets', 'fields', /./],
    ['/v1/collections/default/facets?fields=a,,b', 'fields', /no field/],
    [`/v1/collections/default/facets?fields=${Array.from({ length: 21 }, (_, i) => i).join()}`, 'fields', /At most 20/],
    ['/v1/collections/default/facets?fields=a&limit=1001', 'limit', /1000/],
    [`${items()}?filter=${encodeURIComponent('{"$item.exposure": 1}')}`, 'filter.$item.exposure', /\$item\.taken_at/],
    [`${items()}?filter=${encodeURIComponent('{"a": {"$prefix": 1}}')}`, 'filter.a.$prefix', /string/],
  ])('refuses %s by field', async (at, param, says) => {
    const { status, body } = await call(server.url, 'GET', at);
    expect([status, body.error.param]).toEqual([400, param]);
    expect(body.error.message).toMatch(says);
  });
});

describe('fields of many items that come, change and go', () => {
  it('are those of the rows after each thousand of deletions and changes, and after a restart', { timeout: 120_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mixspace-fields-'));
    const open = async (): Promise<BothPorts> => bothPorts(await openEmbeddedStore({ directory, log: () => undefined }));
    let store = await open();
    try {
      const random = new Random(3);
      const kept = new Map<string, { group: number; life: number }>();
      const write = async (from: number, to: number): Promise<void> => {
        const writes = Array.from({ length: to - from }, (_, i) => {
          const id = `n${from + i}`;
          kept.set(id, { group: random.between(0, 9), life: 0 });
          return { id, metadata: kept.get(id)!, content: { modality: 'text' as const, contentHash: sha256(id), text: id, embeddings: [direction(random)] } };
        });
        await store.write('c', writes);
      };
      await store.createCollection({ name: 'c', ...space, originals: 'keep' });
      await write(0, 4_500);
      const expectRight = async (): Promise<void> => {
        for (const filter of [{ group: { $lt: 3 }, life: 0 }, { $not: { life: { $lt: 1 } } }] as Filter[]) {
          const expected = [...kept].filter(([, { group, life }]) => ('group' in filter ? group < 3 && life === 0 : life >= 1)).map(([id]) => id).sort();
          const listed: string[] = [];
          for (let page = await store.listItems('c', { filter, limit: 1_000 }); ; page = await store.listItems('c', { filter, limit: 1_000, after: page.next })) {
            listed.push(...page.items.map(({ id }) => id));
            if (!page.next) break;
          }
          expect(listed.sort()).toEqual(expected);
          const [leaf] = await store.nearest('c', { embedding: direction(random), filter, leaves: [{ modality: 'text', limit: 1_000 }] });
          expect(leaf!.neighbors).toHaveLength(Math.min(1_000, expected.length));
          expect(leaf!.neighbors.filter(({ id }) => !expected.includes(id))).toEqual([]);
        }
        const { group } = await store.countValues('c', { fields: ['group'], limit: 100 });
        const counts = new Map<number, number>();
        for (const each of kept.values()) counts.set(each.group, (counts.get(each.group) ?? 0) + 1);
        expect(new Map(group!.values.map(({ value, count }) => [value, count]))).toEqual(counts);
      };
      await expectRight();
      for (let round = 0; round < 4; round++) {
        const there = [...kept.keys()];
        for (const id of there.slice(0, 400)) {
          kept.set(id, { ...kept.get(id)!, life: round + 1 });
          await store.setMetadata('c', id, kept.get(id)!);
        }
        await expectRight();
        const low = round * 3;
        for (const [id, { group }] of kept) if (group >= low && group < low + 3) kept.delete(id);
        await store.deleteItems('c', { group: { $gte: low, $lt: low + 3 } });
        await write(4_500 + round * 300, 4_800 + round * 300);
        await expectRight();
      }
      await store.close();
      store = await open();
      await expectRight();
    } finally {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('are all there for who asks in the moment in which they have to be read anew', { timeout: 120_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mixspace-fields-'));
    const store = bothPorts(await openEmbeddedStore({ directory, log: () => undefined }));
    try {
      const random = new Random(4);
      const embedding = direction(random);
      await store.createCollection({ name: 'c', ...space, originals: 'keep' });
      const most = 6_000;
      for (let from = 0; from < most; from += 1_000) {
        await store.write('c', Array.from({ length: 1_000 }, (_, i) => ({ id: `n${from + i}`, metadata: { n: from + i }, content: { modality: 'image' as const, contentHash: sha256(`${from + i}`), embeddings: [embedding] } })));
      }
      const filter = { n: { $gte: most - 40 } };
      const last = Array.from({ length: 40 }, (_, i) => `n${most - 40 + i}`);
      const listed = async (): Promise<string[]> => (await store.listItems('c', { filter, limit: 1_000 })).items.map(({ id }) => id);
      const found = async (): Promise<number> => (await store.nearest('c', { embedding, filter, exact: true, leaves: [{ modality: 'image', limit: 100 }] }))[0]!.neighbors.length;
      expect([await listed(), await found()]).toEqual([last, 40]);
      // Nobody has asked for the items' own fields before.
      const [before, searched] = await Promise.all([listed(), found(), store.countValues('c', { fields: ['$item.created_at'], limit: 1 })]);
      expect([before, searched]).toEqual([last, 40]);
      // With one more, more than a third of what was read has gone.
      expect(await store.deleteItems('c', { n: { $lt: most / 3 } })).toBe(most / 3);
      const [after, matches] = await Promise.all([listed(), found(), store.deleteItem('c', `n${most / 3}`)]);
      expect([after, matches]).toEqual([last, 40]);
      expect([await listed(), await found()]).toEqual([last, 40]);
    } finally {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
