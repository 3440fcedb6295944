/** Pages, counts and surveys over PostgreSQL of rows that the test writes itself, beside oracles. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Catalog, ListPlace, ListRequest } from '../src/store/catalog.js';
import type { Filter } from '../src/domain/filter.js';
import type { Modality } from '../src/domain/modality.js';
import { readMigrations } from '../src/store/migrations.js';
import { fieldsOf, type FieldColumns } from '../src/store/stored-item.js';
import { collectionCatalogOf } from '../src/store/postgres/collection-catalog.js';
import { findCollection } from '../src/store/postgres/collections.js';
import { Database, type Session } from '../src/store/postgres/database.js';
import { insertParts } from '../src/store/postgres/embeddings.js';
import { newKeys } from '../src/store/postgres/items.js';
import { listingOf } from '../src/store/postgres/listing.js';
import { migrate } from '../src/store/postgres/migrations.js';
import type { Parts } from '../src/store/postgres/parts.js';
import { defaultSettings } from '../src/store/postgres/settings.js';
import { toStoredJson } from '../src/store/postgres/stored-text.js';
import { surveyOf } from '../src/store/postgres/survey.js';
import { itemsOf } from '../src/store/postgres/tables.js';
import { Random } from './crash/random.js';
import { drawFilter, drawMetadata, fieldPath, type Json } from './model-based/metadata.js';
import { dimension, direction, idOf, ShelfOfItems, space } from './port-contracts/oracle.js';
import { serverName, testServer } from './port-contracts/postgres.js';

interface Row {
  id: string;
  modality: Modality;
  metadata: Json;
  taken_at?: string;
  width?: number;
}

let url: string;
let database: Database;
let parts: Parts;
let catalog: Pick<Catalog, 'listItems' | 'countValues'> & ReturnType<typeof surveyOf>;
let collections = 0;
let name: string;

beforeAll(async () => {
  const server = await testServer();
  url = await server.newUrl();
  database = new Database({ url, most: 1, connectWithinMs: 10_000, onProblem: () => undefined });
  await migrate(database, readMigrations(fileURLToPath(new URL('../migrations/postgres', import.meta.url))));
  parts = { database, settings: defaultSettings, log: () => undefined };
  catalog = { ...listingOf(parts), ...surveyOf(parts) };
}, 60_000);

beforeEach(async () => {
  name = `c${collections++}`;
  await collectionCatalogOf(parts).createCollection({ name, originals: 'thumbnail', ...space });
});

afterAll(async () => {
  await database.close();
  await (await testServer()).drop(url);
});

/** Their keys, in the order of the rows. */
async function write(rows: Row[]): Promise<number[]> {
  return database.write(async (session) => {
    const { key: collection } = await findCollection(session, name);
    const keys = await newKeys(session, 'item', rows.length);
    const at = '2024-05-01T00:00:00.000Z';
    const columns = rows.map(({ id, modality, metadata, taken_at = null, width = null }, i) => {
      const fields: FieldColumns = { modality, metadata: JSON.stringify(metadata), sources: '[]', width, height: null, taken_at, media_type: null, created_at: at, updated_at: at, exif: null };
      return { ...fields, key: keys[i], id, fields: toStoredJson(fieldsOf(fields)) };
    });
    await session.write(
      `INSERT INTO ${itemsOf(collection)} (key, id, modality, content_hash, metadata, sources, width, taken_at, created_at, updated_at, fields, content, words)
       SELECT key, id, modality, '', metadata, '[]', width, taken_at, '${at}', '${at}', fields::jsonb, '', ''
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[]) AS rows (key, id, modality, metadata, width, taken_at, fields)`,
      (['key', 'id', 'modality', 'metadata', 'width', 'taken_at', 'fields'] as const).map((column) => columns.map((row) => row[column])),
    );
    return keys;
  });
}

async function listed(request: Omit<ListRequest, 'after'>): Promise<string[]> {
  const seen: string[] = [];
  for (let after: ListPlace | undefined; ; ) {
    const { items, next } = await catalog.listItems(name, { ...request, ...(after === undefined ? {} : { after }) });
    seen.push(...items.map(({ id }) => id));
    if (!next) return seen;
    expect(items).toHaveLength(request.limit);
    // As cursors carry it.
    after = JSON.parse(JSON.stringify(next)) as ListPlace;
  }
}

const texts = (values: unknown[]): Row[] => values.map((v, i) => ({ id: `i${String(i).padStart(4, '0')}`, modality: 'text', metadata: v === undefined ? {} : { v } }));

describe(`Pages and counts over ${serverName}`, () => {
  it('list what matches by id and by any field, page by page, none twice and none left out', async () => {
    const random = Random.named('listing over PostgreSQL');
    const shelf = new ShelfOfItems();
    const rows = Array.from({ length: 100 }, (_, n): Row => ({ id: idOf(n), modality: random.pick(['image', 'text']), metadata: drawMetadata(random) }));
    await write(rows);
    for (const { id, modality, metadata } of rows) shelf.take({ id, metadata, content: { modality, contentHash: id, embeddings: [] } });
    for (let times = 0; times < 60; times++) {
      const drawn = random.next() < 0.4 ? drawFilter(random) : undefined;
      const filter = drawn ? { filter: drawn as Filter } : {};
      const limit = random.pick([9, 40, 1_000]);
      if (times % 10 === 0) expect(await listed({ limit, ...filter })).toEqual(shelf.ids(drawn));
      const sort = { field: fieldPath(random), descending: random.next() < 0.5 };
      const seen = await listed({ limit, sort, ...filter });
      expect(seen).toEqual(await listed({ limit: 1_000, sort, ...filter }));
      let from = 0;
      for (const ids of shelf.sorted(sort.field, sort.descending, drawn)) expect([sort, drawn, seen.slice(from, (from += ids.length)).sort()]).toEqual([sort, drawn, ids]);
      expect(seen).toHaveLength(from);
    }
  }, 120_000);

  it('count what matches by its values, each list once for each value in it', async () => {
    const random = Random.named('facets over PostgreSQL');
    const shelf = new ShelfOfItems();
    const rows = Array.from({ length: 150 }, (_, n): Row => ({ id: idOf(n), modality: random.pick(['image', 'text']), metadata: drawMetadata(random) }));
    await write(rows);
    for (const { id, modality, metadata } of rows) shelf.take({ id, metadata, content: { modality, contentHash: id, embeddings: [] } });
    for (let times = 0; times < 60; times++) {
      const filter = random.next() < 0.5 ? drawFilter(random) : undefined;
      const fields = Array.from({ length: random.between(1, 4) }, () => fieldPath(random));
      const limit = random.pick([1, 3, 100]);
      const counted = await catalog.countValues(name, { fields, limit, ...(filter ? { filter: filter as Filter } : {}) });
      expect(Object.keys(counted)).toEqual([...new Set(fields)]);
      for (const field of fields) {
        const expected = shelf.valueCounts(field, filter);
        const all = [...expected.values.values()].sort((a, b) => b - a);
        const { values, other, missing } = counted[field]!;
        expect(values.map(({ count }) => count)).toEqual(all.slice(0, limit));
        for (const { value, count } of values) expect([value, count]).toEqual([value, expected.values.get(JSON.stringify(value))]);
        expect({ field, other, missing }).toEqual({ field, other: expected.other + all.slice(limit).reduce((sum, count) => sum + count, 0), missing: expected.missing });
      }
    }
  }, 120_000);

  it('order equal values by when they came, booleans before numbers before strings, and those without one last either way', async () => {
    await write(texts(['b', 2, undefined, true, 'a', -1, false, 'a', null, {}, 1e21, 5e-324, -5e-324, 0, 'B', '😀', '\uFFEE', '\u0000', '\u0001', 'a\u0000', [], ['z', 3], [[0], 'c'], -1e308, 'é']));
    const up = [6, 3, 23, 5, 12, 13, 11, 1, 21, 10, 17, 18, 14, 4, 7, 19, 0, 22, 24, 16, 15, 2, 8, 9, 20];
    // Of ['z', 3] the 'z' comes first, the other way round.
    const down = [15, 16, 24, 21, 22, 0, 19, 7, 4, 14, 18, 17, 10, 1, 11, 13, 12, 5, 23, 3, 6, 20, 9, 8, 2];
    const places = (ids: string[]): number[] => ids.map((id) => Number(id.slice(1)));
    for (const limit of [1, 2, 100]) {
      expect(places(await listed({ limit, sort: { field: 'v', descending: false } }))).toEqual(up);
      expect(places(await listed({ limit, sort: { field: 'v', descending: true } }))).toEqual(down);
    }
    const { v } = await catalog.countValues(name, { fields: ['v'], limit: 100 });
    expect(v!.values.slice(0, 5)).toEqual([{ value: 'a', count: 2 }, { value: false, count: 1 }, { value: true, count: 1 }, { value: -1e308, count: 1 }, { value: -1, count: 1 }]);
    expect(v!.values.at(-1)).toEqual({ value: null, count: 1 });
    expect(v!.values.map(({ value }) => value)).toContain('a\u0000');
  }, 60_000);

  it("order by an item's own fields as by others", async () => {
    const rows = Array.from({ length: 30 }, (_, n): Row => ({ id: `i${n}`, modality: n % 2 ? 'image' : 'text', metadata: {}, ...(n % 3 ? { taken_at: `20${10 + (n % 7)}-01-01T00:00:00`, width: (n * 37) % 11 } : {}) }));
    await write(rows);
    for (const field of ['taken_at', 'width', 'modality', 'created_at'] as const) {
      for (const descending of [false, true]) {
        const sign = descending ? -1 : 1;
        const value = (row: Row): string | number | undefined => (field === 'created_at' ? '' : row[field]);
        const places = rows.map((_, n) => n).sort((a, b) => {
          const [first, second] = [value(rows[a]!), value(rows[b]!)];
          if ((first === undefined) !== (second === undefined)) return first === undefined ? 1 : -1;
          return sign * ((first! < second! ? -1 : first! > second! ? 1 : 0) || a - b);
        });
        for (const limit of [4, 100]) expect(await listed({ limit, sort: { field: `$item.${field}`, descending } })).toEqual(places.map((n) => `i${n}`));
      }
    }
  }, 60_000);

  it('count strings of 256 characters by themselves, as UTF-16 has them, and no longer ones', async () => {
    await write(texts(['x'.repeat(256), 'x'.repeat(257), '😀'.repeat(128), '😀'.repeat(129), '\u0000'.repeat(256), '\u0001'.repeat(257), ['y'.repeat(257), 'y'], ['y'.repeat(257)]]));
    const { v } = await catalog.countValues(name, { fields: ['v'], limit: 100 });
    expect(v).toEqual({ values: [...['\u0000'.repeat(256), 'x'.repeat(256), 'y', '😀'.repeat(128)].map((value) => ({ value, count: 1 }))], other: 4, missing: 0 });
  });

  it('refuse a place that is none of theirs', async () => {
    await write(texts([1, 2]));
    for (const after of [['a', 'b'], [1], [], ['1', 'x', 1], [null]]) {
      await expect(catalog.listItems(name, { limit: 1, after })).rejects.toMatchObject({ code: 'invalid_request', param: 'cursor' });
      if (after.length !== 1 || after[0] === null) await expect(catalog.listItems(name, { limit: 1, after, sort: { field: 'v', descending: false } })).rejects.toMatchObject({ code: 'invalid_request', param: 'cursor' });
    }
  });
});

describe(`All of a collection by its keys over ${serverName}`, () => {
  const put = (work: (session: Session, space: number) => Promise<void>): Promise<void> => database.write(async (session) => work(session, (await findCollection(session, name)).space));

  it('tells which items match, ascending, of each kind', async () => {
    const rows = Array.from({ length: 500 }, (_, n): Row => ({ id: `i${n}`, modality: n % 3 ? 'image' : 'text', metadata: { n } }));
    const keys = await write(rows);
    const of = (modality: Modality, least: number): number[] => keys.filter((_, n) => rows[n]!.modality === modality && n >= least);
    const all = await catalog.matchingKeys(name);
    expect(all.image).toBeInstanceOf(Uint32Array);
    expect([[...all.image], [...all.text]]).toEqual([of('image', 0), of('text', 0)]);
    const some = await catalog.matchingKeys(name, { n: { $gte: 400 } });
    expect([[...some.image], [...some.text]]).toEqual([of('image', 400), of('text', 400)]);
    expect(await catalog.matchingKeys(name, { n: -1 })).toEqual({ image: new Uint32Array(0), text: new Uint32Array(0) });
  });

  it('reads the embeddings of wholes and says which are not there', async () => {
    const random = Random.named('survey over PostgreSQL');
    const keys = await write(Array.from({ length: 40 }, (_, n): Row => ({ id: `i${n}`, modality: 'image', metadata: {} })));
    const embeddings = keys.map(() => [direction(random), direction(random)]);
    // The last item has none, and tiles stand before wholes.
    await put((session, key) => insertParts(session, { space: key, modality: 'image' }, keys.slice(0, -1).flatMap((item, i) => [1, 0].map((part) => ({ item, part, embedding: embeddings[i]![part]! })))));
    const { fingerprint, image, text } = await catalog.wholeEmbeddings(name);
    expect([fingerprint, [...image.items], text]).toEqual([space.fingerprint, keys.slice(0, -1), { items: new Uint32Array(0), embeddings: new Uint32Array(0) }]);
    const asked = Uint32Array.from([image.embeddings[5]!, 4_294_967_295, image.embeddings[0]!, image.embeddings[5]!]);
    const { values, found } = await catalog.readEmbeddings(name, space.fingerprint, asked);
    expect([...found]).toEqual([1, 0, 1, 1]);
    expect([0, 1, 2, 3].map((i) => values.slice(i * dimension, (i + 1) * dimension))).toEqual([embeddings[5]![0], new Float32Array(dimension), embeddings[0]![0], embeddings[5]![0]]);
    await expect(catalog.readEmbeddings(name, 'another', asked)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('finds keys by ids, ids by keys, and values by keys, of lists the first scalar', async () => {
    const long = '😀'.repeat(300);
    const values = [1, 'a\u0000', null, undefined, {}, [], [[], {}, null, 3], [{}, 'x'], true, false, long, '\u0000'.repeat(300), 1e21, -5e-324];
    const keys = await write(texts(values));
    const ids = texts(values).map(({ id }) => id);
    expect([...(await catalog.keysOfIds(name, [ids[3]!, 'gone', ids[0]!, ids[3]!]))]).toEqual([keys[3], 0, keys[0], keys[3]]);
    expect(await catalog.idsOfKeys(name, Uint32Array.from([keys[2]!, 4_294_967_295, keys[0]!]))).toEqual([ids[2], '', ids[0]]);
    const expected = [1, 'a\u0000', null, undefined, undefined, undefined, null, 'x', true, false, long.slice(0, 257), '\u0000'.repeat(257), 1e21, -5e-324];
    expect(await catalog.valuesOfKeys(name, 'v', Uint32Array.from([...keys, 4_294_967_295]))).toEqual([...expected, undefined]);
    expect(await catalog.valuesOfKeys(name, '$item.modality', Uint32Array.from([keys[1]!]))).toEqual(['text']);
  });
});
