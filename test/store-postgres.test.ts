/** What is the PostgreSQL store's own in how it writes items. */
import { afterEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import type { Catalog, ItemWrite } from '../src/store/catalog.js';
import { openPostgresStore } from '../src/store/postgres/open.js';
import type { Store } from '../src/store/store.js';
import { Random } from './crash/random.js';
import { testServer } from './port-contracts/postgres.js';
import { direction, otherSpace, sha256, space } from './port-contracts/oracle.js';

const photos = { name: 'photos', ...space, originals: 'keep' as const };
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function begin(): Promise<{ store: Store; catalog: Catalog; url: string }> {
  const server = await testServer();
  const url = await server.newUrl();
  const store = await openPostgresStore({ url, settings: { connections: server.connections }, log: () => undefined });
  ends.push(async () => {
    await store.close();
    await server.drop(url);
  });
  await store.catalog.createCollection(photos);
  return { store, catalog: store.catalog, url };
}

/** Rows of a statement, over a connection of its own; the store is idle meanwhile. */
async function rowsOf<Row extends object>({ store, url }: { store: Store; url: string }, sql: string): Promise<Row[]> {
  await store.close();
  ends.splice(0, 1, async () => (await testServer()).drop(url));
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema')!;
  parsed.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: parsed.href });
  await client.connect();
  try {
    await client.query(`SET search_path TO "${schema}", public`);
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Statements that connections send while `work` runs. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  const query = Object.getOwnPropertyDescriptor(pg.Client.prototype, 'query')!;
  let statements = 0;
  Object.defineProperty(pg.Client.prototype, 'query', {
    ...query,
    value: function (this: pg.Client, ...given: unknown[]): unknown {
      statements++;
      return (query.value as (...given: unknown[]) => unknown).apply(this, given);
    },
  });
  try {
    await work();
    return statements;
  } finally {
    Object.defineProperty(pg.Client.prototype, 'query', query);
  }
}

function text(id: string, content: string, rest: Omit<ItemWrite, 'id' | 'content'> = {}): ItemWrite {
  return { id, content: { modality: 'text', contentHash: sha256(content), text: content, embeddings: [direction(Random.named(content))] }, ...rest };
}

function picture(id: string, content: string, tiles = 0): ItemWrite {
  const of = (name: string): Float32Array => direction(Random.named(name));
  return {
    id,
    content: {
      modality: 'image',
      contentHash: sha256(content),
      embeddings: [of(content), ...Array.from({ length: tiles }, (_, n) => of(`${content} ${n}`))],
      boxes: Array.from({ length: tiles }, (_, n) => [n / 10, 0, 0.1, 1] as const),
      thumbnail: Buffer.from(`thumbnail of ${content}`),
      original: Buffer.from(content),
    },
  };
}

describe('A store over PostgreSQL', () => {
  it('writes many items with as few statements as some, and those that stay the same with fewer', { timeout: 60_000 }, async () => {
    const { catalog } = await begin();
    const writes = (from: number, count: number): ItemWrite[] => Array.from({ length: count }, (_, n) => (n % 2 ? text(`i${from + n}`, `words ${from + n}`) : picture(`i${from + n}`, `pixels ${from + n}`, 2)));
    const few = await statementsOf(() => catalog.write('photos', writes(0, 2)));
    const many = await statementsOf(() => catalog.write('photos', writes(2, 256)));
    const same = await statementsOf(() => catalog.write('photos', writes(2, 256)));
    expect([many, many < 20, same < many]).toEqual([few, true, true]);
    expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { text: 129, image: 129 }, parts: 129 * 4 });
  });

  it('takes an item several times in one call as one after the other, and keeps of it what came last', async () => {
    const { catalog } = await begin();
    const statuses = await catalog.write('photos', [
      picture('a', 'one', 2),
      text('b', 'words', { metadata: { n: 1 }, source: 's' }),
      { id: 'b', metadata: { n: 2 }, source: 't' },
      picture('a', 'one', 1),
      text('a', 'other'),
      { ...picture('c', 'bare'), content: { ...picture('c', 'bare').content!, embeddings: [], boxes: [] } },
      picture('a', 'two', 3),
      picture('c', 'bare', 1),
      { id: 'a', source: 'u' },
    ]);
    expect(statuses).toEqual(['created', 'created', 'updated', 'updated', 'updated', 'created', 'updated', 'updated', 'updated']);
    expect(await catalog.getItem('photos', 'b')).toMatchObject({ metadata: { n: 2 }, sources: ['s', 't'] });
    expect(await catalog.getItem('photos', 'a')).toMatchObject({ modality: 'image', contentHash: sha256('two'), sources: ['u'] });
    const found = new Map((await catalog.getEmbeddings('photos', ['a', 'nobody', 'c', 'b', 'a'])).items.map((item) => [item.id, item]));
    expect([found.get('a')!.parts, found.get('c')!.boxes]).toEqual([picture('a', 'two', 3).content!.embeddings, [undefined, [0, 0, 0.1, 1]]]);
    const bytes = ['two', 'bare'].reduce((sum, content) => sum + content.length + `thumbnail of ${content}`.length + 2, 'words'.length + '{"n":2}'.length) + 7 * space.dimension * 4;
    expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { image: 2, text: 1 }, parts: 7, unembedded: 0, bytes });
  });

  it('cuts anew what came with other tiles, and counts what it holds by what is there', async () => {
    const life = await begin();
    const { catalog } = life;
    await catalog.write('photos', [picture('a', 'one', 3), picture('b', 'two', 1)]);
    expect(await catalog.write('photos', [picture('a', 'one', 1), picture('b', 'two', 1), { ...picture('a', 'one', 2), source: 's' }])).toEqual(['updated', 'unchanged', 'updated']);
    expect((await catalog.getEmbeddings('photos', ['a'])).items[0]!.parts).toEqual(picture('a', 'one', 2).content!.embeddings);
    await catalog.startReembedding('photos', { ...otherSpace, fromThumbnails: false, skipImpossible: true });
    const [first, second] = await catalog.nextToReembed('photos', { limit: 2 });
    await catalog.putReembedded('photos', otherSpace.fingerprint, [{ key: first!.key, embedding: direction(Random.named('a'), otherSpace.dimension) }, { key: second!.key, impossible: 'Not today.' }]);
    await catalog.deleteItem('photos', 'a');
    await catalog.write('photos', [picture('b', 'three', 2)]);
    const counted = await rowsOf<{ key: number; fingerprint: string; items: string; embeddings: string; unembedded: string }>(
      life,
      "SELECT key, fingerprint, items, embeddings, unembedded FROM space_tallies JOIN spaces ON spaces.key = space WHERE modality = 'image' ORDER BY key",
    );
    expect(counted.map(({ fingerprint, items, embeddings, unembedded }) => [fingerprint, items, embeddings, unembedded].join(' '))).toEqual([`${space.fingerprint} 1 3 0`, `${otherSpace.fingerprint} 0 0 0`]);
  });

  it('holds texts with any character, and each word once for full text', async () => {
    const life = await begin();
    const odd = 'Zero\u0000 one\u0001 two\u0002, half \ud800 Zürich zero';
    await life.catalog.write('photos', [text('odd', odd, { metadata: { 'a\u0000': '\u0000' }, source: "/Drop'; TABLE/items \\ \"x\".jpg" })]);
    const item = await life.catalog.getItem('photos', 'odd');
    expect([item.text, item.metadata, item.sources]).toEqual([odd.toWellFormed(), { 'a\u0000': '\u0000' }, ["/Drop'; TABLE/items \\ \"x\".jpg"]]);
    const [row] = await rowsOf<{ content: string; words: string; unread: boolean; fields: object }>(life, 'SELECT content, words::text AS words, unread, fields FROM items_1');
    expect(row).toMatchObject({ content: ' zero one two half zurich zero \uE000 drop table items x jpg ', unread: false });
    expect(row!.words.split(' ').sort()).toEqual(["'drop'", "'half'", "'items'", "'jpg'", "'one'", "'table'", "'two'", "'x'", "'zero'", "'zurich'"]);
  });

  it('keeps the first words of an item of which full text cannot hold all', { timeout: 60_000 }, async () => {
    const life = await begin();
    const values = Array.from({ length: 24 }, (_, list) => Array.from({ length: 1_400 }, (_, n) => 'x'.repeat(54) + String.fromCharCode(97 + (n % 26), 97 + (Math.floor(n / 26) % 26), 97 + Math.floor(n / 676), 97 + list)).join(' '));
    await life.catalog.setTextFields('photos', ['words']);
    await life.catalog.write('photos', [text('a', 'first words', { metadata: { words: values } })]);
    const [row] = await rowsOf<{ lexemes: number; first: boolean; all: number }>(life, "SELECT length(words) AS lexemes, words @@ 'first'::tsquery AS first, array_length(string_to_array(content, ' '), 1) AS all FROM items_1");
    expect(row!.all).toBeGreaterThan(24 * 1_400);
    expect(row!.first).toBe(true);
    expect(row!.lexemes).toBeGreaterThan(15_000);
    expect(row!.lexemes).toBeLessThan(18_500);
  });

  it('brings writes of one collection into an order, so that none of them is lost', { timeout: 60_000 }, async () => {
    const { catalog } = await begin();
    await catalog.write('photos', [text('a', 'a')]);
    const sources = Array.from({ length: 12 }, (_, n) => `s${n}`);
    await Promise.all(sources.map((source, n) => catalog.write('photos', [{ id: 'a', source }, text(`t${n % 3}`, `words ${n}`)])));
    expect((await catalog.getItem('photos', 'a')).sources.sort()).toEqual([...sources].sort());
    expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { text: 4 }, parts: 4 });
  });

  it('gives out an original only as it came', async () => {
    const life = await begin();
    await life.catalog.write('photos', [picture('a', 'pixels')]);
    const wrong: ItemWrite = { ...picture('b', 'others'), content: { ...picture('b', 'others').content!, original: Buffer.from('damaged') } };
    await life.catalog.write('photos', [wrong]);
    expect(Buffer.from((await life.catalog.getPicture('photos', 'a', 'original')).bytes).toString()).toBe('pixels');
    await expect(life.catalog.getPicture('photos', 'b', 'original')).rejects.toMatchObject({ code: 'not_found', message: expect.stringMatching(/damaged/) as string });
  });
});
