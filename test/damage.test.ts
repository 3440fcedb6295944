import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sqlite } from '../src/store/embedded/database.js';
import { base64, call, items } from './api.js';
import { checkDirectory } from '../src/store/embedded/check.js';
import { Random } from './crash/random.js';
import { env, fill, judge, openStore, originalsIn, type Contents, type Judgement } from './damage/contents.js';
import { repository, runMixspace, startServer } from './server.js';
import { search } from './store-search.js';

const flips = Number(process.env.DAMAGE_FLIPS ?? 50);
const seed = Number(process.env.DAMAGE_SEED ?? Date.now() % 1e6);

let base: string;
let contents: Contents;
let originals: Map<string, number>;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'mixspace-damage-'));
  base = path.join(root, 'base');
  contents = await fill(base);
  originals = originalsIn(base);
  expect(originals.size).toBe([...contents.sent.values()].filter(({ picture }) => picture).length);
  expect(statSync(path.join(base, 'mixspace.db-wal')).size).toBeGreaterThan(0);
}, 180_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy with something done to it; what is left of its originals is looked at afterwards. */
async function damaged(spoil: (directory: string) => void): Promise<Judgement> {
  const directory = mkdtempSync(path.join(root, 'copy-'));
  try {
    cpSync(base, directory, { recursive: true });
    spoil(directory);
    const before = originalsIn(directory);
    const checked = await checkDirectory(directory, () => undefined).then(({ problems }) => problems, (error: Error) => [error.message]);
    const judgement = await judge(directory, contents);
    expect(originalsIn(directory)).toEqual(before);
    // Whatever a service meets, a check has named.
    if (judgement.refused !== undefined || judgement.named.length > 0) expect({ ...judgement, checked }).not.toEqual({ ...judgement, checked: [] });
    return judgement;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const database = (directory: string): string => path.join(directory, 'mixspace.db');
const wal = (directory: string): string => path.join(directory, 'mixspace.db-wal');

function flip(file: string, at: number, random: Random): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1 << Math.floor(random.next() * 8);
  writeFileSync(file, bytes);
}

/** Without the -wal file: all pages lie in the database. */
function settle(directory: string): void {
  const opened = new Sqlite(database(directory));
  opened.pragma('wal_checkpoint(TRUNCATE)');
  opened.close();
}

describe(`A directory that a killed service left (DAMAGE_SEED=${seed})`, () => {
  it('is whole, and says so of everything', async () => {
    const judgement = await damaged(() => {});
    expect(judgement).toMatchObject({ named: [], wrong: [] });
    expect(judgement.refused).toBeUndefined();
  });

  it.each<[string, (directory: string) => void]>([
    ['emptied', (directory) => truncateSync(database(directory), 0)],
    ['emptied, its -wal file gone', (directory) => (truncateSync(database(directory), 0), rmSync(wal(directory)))],
    ['deleted', (directory) => rmSync(database(directory))],
    ['deleted with its -wal file', (directory) => (rmSync(database(directory)), rmSync(wal(directory)))],
    ['deleted with everything that says what it held', (directory) => (rmSync(database(directory)), rmSync(wal(directory)), rmSync(path.join(directory, 'mixspace.mark')))],
    ['without its -wal file', (directory) => rmSync(wal(directory))],
    ['with an emptied -wal file', (directory) => truncateSync(wal(directory), 0)],
    ['that of another directory', (directory) => (rmSync(wal(directory)), copyFileSync(path.join(other, 'mixspace.db'), database(directory)))],
  ])('with its database %s is refused by name with the way out, and left as it is', async (_, spoil) => {
    const files: string[][] = [];
    const { refused, wrong } = await damaged((directory) => {
      spoil(directory);
      files.push(readdirSync(directory).filter((name) => name.startsWith('mixspace.db')));
    });
    expect(wrong).toEqual([]);
    expect(refused).toMatch(/mixspace\.db.*Restore it from a backup/s);
  });

  let other: string;
  beforeAll(async () => {
    other = path.join(root, 'other');
    const store = await openStore(other);
    await store.createCollection({ name: 'default', model: 'm', fingerprint: 'f', dimension: 8, originals: 'keep' });
    await store.close();
  });

  it('with its database cut at any of 20 places is right, or refused by name', async () => {
    const random = new Random(seed);
    const outcomes: Judgement[] = [];
    for (let i = 0; i < 20; i++) {
      outcomes.push(
        await damaged((directory) => {
          if (i % 2 === 0) settle(directory);
          truncateSync(database(directory), Math.floor(((i + random.next()) / 20) * statSync(database(directory)).size));
        }),
      );
    }
    expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(outcomes.filter(({ refused }) => refused).length).toBeGreaterThan(15);
  });

  it(`with a byte of its database flipped at any of ${flips} places is right, or refused by name`, { timeout: 600_000 }, async () => {
    const random = new Random(seed);
    const outcomes: (Judgement & { at: number })[] = [];
    for (let i = 0; i < flips; i++) {
      let at = 0;
      const outcome = await damaged((directory) => {
        if (i % 2 === 0) settle(directory);
        // The first lies in the 16 bytes by which SQLite knows its files.
        at = i === 0 ? Math.floor(random.next() * 16) : Math.floor(((i + random.next()) / flips) * statSync(database(directory)).size);
        flip(database(directory), at, random);
      });
      outcomes.push({ ...outcome, at });
    }
    expect(outcomes.filter(({ wrong }) => wrong.length > 0).map(({ at, wrong }) => ({ at, wrong }))).toEqual([]);
    const refused = outcomes.filter((outcome) => outcome.refused).length;
    const named = outcomes.filter((outcome) => outcome.named.length > 0).length;
    console.log(`${flips} flips: ${refused} starts refused, ${named} times answers were, ${flips - refused - named} times all was right`);
    expect(refused).toBeGreaterThan(0);
    expect(named).toBeGreaterThan(0);
  });

  it('with its -wal file cut or flipped anywhere is right, or refused by name', async () => {
    const random = new Random(seed);
    const outcomes: Judgement[] = [];
    for (let i = 0; i < 16; i++) {
      outcomes.push(
        await damaged((directory) => {
          const at = Math.floor(((i + random.next()) / 16) * statSync(wal(directory)).size);
          if (i % 2 === 0) truncateSync(wal(directory), at);
          else flip(wal(directory), at, random);
        }),
      );
    }
    expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(outcomes.filter(({ refused }) => /holds less than it held/.test(refused ?? '')).length).toBeGreaterThan(8);
  });

  it('with an older copy of its database is refused, goes on with it when the mark is removed, and sets aside what no item names', async () => {
    const directory = path.join(root, 'older');
    cpSync(base, directory, { recursive: true });
    const backup = path.join(root, 'backup.db');
    settle(directory);
    copyFileSync(database(directory), backup);
    const store = await openStore(directory);
    await store.deleteItems('default', { kind: 'embedding' });
    for (let i = 0; i < 10; i++) {
      const picture = Buffer.from(`later ${i}`);
      const contentHash = hashOf(picture);
      await store.write('default', [{ id: `later_${i}`, content: { modality: 'image', contentHash, embeddings: [new Float32Array(contents.dimension).fill(contents.dimension ** -0.5)], original: picture } }]);
    }
    await store.close();
    const before = originalsIn(directory);
    const newer = path.join(root, 'newer.db');
    copyFileSync(database(directory), newer);
    copyFileSync(backup, database(directory));
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringMatching(/holds less than it held.*remove .*mixspace\.mark/s) });

    rmSync(path.join(directory, 'mixspace.mark'));
    const log: string[] = [];
    const again = await openStore(directory, log);
    expect((await again.describeCollection('default')).counts.image).toBeGreaterThan(60);
    await expect.poll(() => log.join('\n')).toMatch(/set aside in originals\/unclaimed.*10/);
    await again.close();
    expect(readdirSync(path.join(directory, 'originals/unclaimed'))).toHaveLength(10);
    expect(originalsIn(directory)).toEqual(before);

    // The newer one turns up: its pictures have their names again.
    copyFileSync(newer, database(directory));
    rmSync(path.join(directory, 'mixspace.mark'));
    const restored = await openStore(directory);
    await expect.poll(() => readdirSync(path.join(directory, 'originals/unclaimed'))).toEqual([]);
    expect(Buffer.from((await restored.getPicture('default', 'later_3', 'original')).bytes).toString()).toBe('later 3');
    await restored.close();
    expect(originalsIn(directory)).toEqual(before);
  });

  it('without a mark, as version 0.3 left it, is taken as it is', async () => {
    const { wrong, named, refused } = await damaged((directory) => rmSync(path.join(directory, 'mixspace.mark')));
    expect({ wrong, named, refused }).toEqual({ wrong: [], named: [], refused: undefined });
  });

  it.each([0, 100, 511, 600])('with its mark cut at %i bytes or flipped there is right, or refused by name', async (at) => {
    const random = new Random(seed);
    for (const spoil of [(file: string) => truncateSync(file, at), (file: string) => flip(file, at, random)]) {
      const { wrong } = await damaged((directory) => spoil(path.join(directory, 'mixspace.mark')));
      expect(wrong).toEqual([]);
    }
  });
});

describe('A row that is not what it was', () => {
  /** Changes it behind the store's back. */
  function spoil(directory: string, sql: string): void {
    const opened = new Sqlite(database(directory));
    expect(opened.prepare(sql).run().changes).toBe(1);
    opened.close();
  }

  it.each([
    ['items that have an embedding', 'UPDATE space_tallies SET items = items - 1 WHERE embeddings > 0'],
    ['embeddings', 'UPDATE space_tallies SET embeddings = embeddings + 1 WHERE embeddings > 0'],
    ['items without an embedding', 'UPDATE space_tallies SET unembedded = unembedded + 1 WHERE embeddings > 0'],
  ])('that counts %s, and counts wrong, is made anew', async (_, sql) => {
    const directory = mkdtempSync(path.join(root, 'count-'));
    cpSync(base, directory, { recursive: true });
    settle(directory);
    const tallies = (): unknown => {
      const opened = new Sqlite(database(directory));
      const rows = opened.prepare('SELECT space, modality, items, embeddings, bytes, unembedded FROM space_tallies WHERE embeddings + unembedded > 0 ORDER BY space, modality').all();
      opened.close();
      return rows;
    };
    const before = tallies();
    const opened = new Sqlite(database(directory));
    expect(opened.prepare(sql).run().changes).toBeGreaterThan(0);
    opened.close();
    for (const told of [1, 0]) {
      const log: string[] = [];
      await (await openStore(directory, log)).close();
      expect(tallies()).toEqual(before);
      expect(log.filter((line) => line.includes('counted anew'))).toHaveLength(told);
    }
  });

  it.each([
    ['text', "UPDATE items SET text = 'Another text.' WHERE id = 'text_10_0'"],
    ['sources', `UPDATE items SET sources = '["x"' WHERE id = 'text_10_0'`],
    ['time', "UPDATE items SET created_at = '1999-01-01T00:00:00.000Z' WHERE id = 'text_10_0'"],
    ['width', "UPDATE items SET width = 7 WHERE id = 'text_10_0'"],
    ['metadata', "UPDATE items SET metadata = '{\"life\":1,\"kind\":\"tex\"}' WHERE id = 'text_10_0'"],
    ['metadata, which are no JSON any more,', "UPDATE items SET metadata = '{' WHERE id = 'text_10_0'"],
  ])('in its %s is refused by name, searches by filter leave it out or name it, and it is mended when it is sent again', async (what, sql) => {
    const directory = mkdtempSync(path.join(root, 'row-'));
    cpSync(base, directory, { recursive: true });
    settle(directory);
    spoil(directory, sql);
    const log: string[] = [];
    const store = await openStore(directory, log);
    const refusal = { code: 'not_ready', message: expect.stringMatching(/"text_10_0" is damaged. Send the item again, or delete it/) };
    await expect(store.getItem('default', 'text_10_0')).rejects.toMatchObject(refusal);
    await expect(store.listItems('default', { limit: 1_000 })).rejects.toMatchObject(refusal);
    const embedding = Float32Array.from(contents.embeddings.get('text_10_0')!);
    const found = (): Promise<string[]> => search(store, 'default', { embedding, limit: 3, filter: { kind: 'text' } }).then(({ matches }) => matches.map(({ item }) => item.id));
    if (what.startsWith('metadata')) expect(await found()).not.toContain('text_10_0');
    else await expect(found()).rejects.toMatchObject(refusal);
    expect(log.join('\n')).toMatch(/The row of an item does not match its checksum.*text_10_0/);
    expect((await store.present('default', ['text_10_0'], 'whole'))[0]).toMatchObject({ embedded: false });

    const { text, metadata } = contents.sent.get('text_10_0')!;
    expect(await store.write('default', [{ id: 'text_10_0', metadata, content: { modality: 'text', contentHash: hashOf(Buffer.from(text!)), text: text!, embeddings: [embedding] } }])).toEqual(['updated']);
    expect(await store.getItem('default', 'text_10_0')).toMatchObject({ text, metadata });
    expect((await found())[0]).toBe('text_10_0');
    expect((await store.listItems('default', { limit: 1_000 })).items).toHaveLength(contents.sent.size);
    await store.close();
  });

  it('because its page cannot be read makes the store not ready, with the file and the way out, and the rest is still answered', async () => {
    const directory = path.join(root, 'page');
    cpSync(base, directory, { recursive: true });
    settle(directory);
    const opened = new Sqlite(database(directory));
    const leaf = opened.prepare("SELECT pageno FROM dbstat WHERE name = 'items' AND pagetype = 'leaf' ORDER BY pageno").pluck().get() as number;
    const pageBytes = opened.pragma('page_size', { simple: true }) as number;
    opened.close();
    const bytes = readFileSync(database(directory));
    bytes[(leaf - 1) * pageBytes] = 0xff;
    writeFileSync(database(directory), bytes);
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('Restore it from a backup') });

    // As when the file is damaged while the service runs.
    const store = await openStore(directory, [], { checkedBytes: 0 });
    const outcomes = await Promise.allSettled([...contents.sent.keys()].map((id) => store.getItem('default', id)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(outcomes.length / 2);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'not_ready', message: expect.stringMatching(/mixspace\.db is damaged .*Restore it from a backup/) });
    await expect(store.check()).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('is damaged') });
    await store.close();
  });

  it('is seen in rows that are older than their checksums, once they were given them', async () => {
    const directory = path.join(root, 'legacy');
    mkdirSync(directory);
    const opened = new Sqlite(database(directory));
    const migrations = path.join(repository, 'migrations', 'sqlite');
    for (const name of readdirSync(migrations).sort().slice(0, 2)) opened.exec(readFileSync(path.join(migrations, name), 'utf8'));
    opened.pragma('user_version = 2');
    opened.exec("INSERT INTO collections (name, model, fingerprint, dimension, originals, created_at) VALUES ('c', 'm', 'f', 2, 'keep', '2026')");
    const insert = opened.prepare("INSERT INTO items (collection, id, modality, content_hash, metadata, sources, created_at, updated_at, embedding) VALUES (1, ?, 'text', '', '{}', '[]', '2026', '2026', ?)");
    for (let i = 0; i < 200; i++) insert.run(`i${i}`, Buffer.from(Float32Array.of(1, 0).buffer));
    opened.close();
    const unsealed = (): number => {
      const looked = new Sqlite(database(directory), { readonly: true });
      const count = looked.prepare('SELECT (SELECT count(*) FROM items WHERE checksum IS NULL) + (SELECT count(*) FROM collections WHERE checksum IS NULL)').pluck().get() as number;
      looked.close();
      return count;
    };
    await expect.poll(async () => {
      const store = await openStore(directory);
      expect((await store.listItems('c', { limit: 1_000 })).items).toHaveLength(200);
      await store.close();
      return unsealed();
    }, { timeout: 60_000 }).toBe(0);
    spoil(directory, "UPDATE items SET text = 'x' WHERE id = 'i7'");
    const store = await openStore(directory);
    await expect(store.getItem('c', 'i7')).rejects.toMatchObject({ code: 'not_ready' });
    await store.close();
    spoil(directory, "UPDATE spaces SET fingerprint = 'g'");
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringMatching(/collection "c" does not match its checksum/) });
  });
});

describe('Pictures that are not what they were', () => {
  const kinds: [string, (file: string) => void][] = [
    ['flipped', (file) => flip(file, statSync(file).size >> 1, new Random(seed))],
    ['cut', (file) => truncateSync(file, statSync(file).size >> 1)],
    ['emptied', (file) => truncateSync(file, 0)],
    ['deleted', (file) => rmSync(file)],
    ['replaced by a link to the same bytes', (file) => (renameSync(file, `${file}.away`), symlinkSync(`${file}.away`, file))],
    ['replaced by a link to another file', (file) => (rmSync(file), symlinkSync('/etc/hostname', file))],
    ['replaced by a folder', (file) => (rmSync(file), mkdirSync(file))],
    ['replaced by a pipe', (file) => (rmSync(file), spawnNow('mkfifo', [file]))],
  ];
  const spawnNow = (command: string, args: string[]): void => {
    const { status } = spawnSync(command, args);
    if (status !== 0) throw new Error(`${command} failed.`);
  };

  it('are not found, with a sentence, told in the log, and mended when they are sent again', { timeout: 120_000 }, async () => {
    const directory = path.join(root, 'pictures');
    cpSync(base, directory, { recursive: true });
    const pictures = [...contents.sent.values()].filter(({ picture }) => picture);
    const fileOf = (i: number): string => {
      const hash = [...originals.keys()].find((each) => each === hashOf(pictures[i]!.picture!))!;
      return path.join(directory, 'originals', hash.slice(0, 2), hash);
    };
    kinds.forEach(([, spoil], i) => spoil(fileOf(i)));
    const thumbnailed = kinds.length;
    settle(directory);
    const opened = new Sqlite(database(directory));
    opened.exec(`UPDATE thumbnails SET webp = zeroblob(length(webp)) WHERE item = (SELECT key FROM items WHERE id = '${pictures[thumbnailed]!.id}')`);
    opened.close();

    const server = await startServer({ env, indexDir: directory });
    try {
      const image = (i: number, size: string): Promise<Response> => fetch(`${server.url}${items()}/${pictures[i]!.id}/image?size=${size}`, { signal: AbortSignal.timeout(5_000) });
      for (const [i, [kind]] of kinds.entries()) {
        const answer = await image(i, 'original');
        expect([kind, answer.status, ((await answer.json()) as any).error.message]).toEqual([kind, 404, expect.stringMatching(/original of .* cannot be shown: .*Send the picture again/)]);
        expect((await image(i, 'thumbnail')).status, kind).toBe(200);
      }
      const answer = await image(thumbnailed, 'thumbnail');
      expect([answer.status, ((await answer.json()) as any).error.message]).toEqual([404, expect.stringMatching(/thumbnail of .* is damaged. Send the picture again/)]);
      await expect.poll(() => server.logs()).toMatch(/An original is not what it was[^]*A thumbnail does not match its checksum/);

      const sentAgain = pictures.slice(0, thumbnailed + 1).map(({ id, picture }) => ({ id, image: base64(picture!) }));
      const { body } = await call(server.url, 'POST', items(), { items: sentAgain });
      expect(body.items.map(({ status }: { status: string }) => status).every((status: string) => ['unchanged', 'updated'].includes(status)), JSON.stringify(body)).toBe(true);
      for (let i = 0; i <= thumbnailed; i++) {
        const mended = await image(i, 'original');
        expect(mended.status).toBe(200);
        expect(pictures[i]!.picture!.equals(Buffer.from(await mended.arrayBuffer()))).toBe(true);
        expect((await image(i, 'thumbnail')).status).toBe(200);
      }
      // The metadata that was not sent again is kept.
      expect((await call(server.url, 'GET', `${items()}/${pictures[thumbnailed]!.id}`)).body.metadata).toEqual(pictures[thumbnailed]!.metadata);
    } finally {
      await server.remove();
    }
  });

  it('have their embeddings checked: a damaged one is found by no search, says so, and is mended when its item is sent again', { timeout: 120_000 }, async () => {
    const directory = path.join(root, 'embeddings');
    cpSync(base, directory, { recursive: true });
    settle(directory);
    const opened = new Sqlite(database(directory));
    const spoiled = ['picture_10_1', 'text_10_1', 'embedding_10_1'];
    for (const id of spoiled) {
      const { key, vector } = opened.prepare('SELECT embeddings.key, vector FROM embeddings JOIN items ON items.key = item WHERE id = ?').get(id) as { key: number; vector: Buffer };
      vector[7]! ^= 1;
      opened.prepare('UPDATE embeddings SET vector = ? WHERE key = ?').run(vector, key);
    }
    // Of no space that the collection was in.
    spoiled.push('embedding_10_2');
    opened.exec("PRAGMA foreign_keys = OFF; UPDATE embeddings SET space = 1000 WHERE item = (SELECT key FROM items WHERE id = 'embedding_10_2')");
    opened.close();
    const server = await startServer({ env, indexDir: directory });
    try {
      const search = async (): Promise<{ id: string; score: number }[]> =>
        (await call(server.url, 'POST', '/v1/collections/default/search', { query: { embedding: contents.embeddings.get('embedding_10_1') }, limit: 200 })).body.matches;
      const found = await search();
      expect(found.filter(({ id }) => spoiled.includes(id))).toEqual([]);
      expect(found).toHaveLength(contents.sent.size - spoiled.length);
      await expect.poll(async () => (await call(server.url, 'GET', '/v1/collections/default')).body.not_embedded).toBe(spoiled.length);
      for (const id of spoiled) {
        expect((await call(server.url, 'GET', `${items()}/${id}`)).body.not_embedded).toMatch(/damaged; send the item again/);
        expect(await call(server.url, 'POST', '/v1/collections/default/search', { query: { id } })).toMatchObject({ status: 409, body: { error: { message: expect.stringMatching(/damaged; send the item again/) } } });
      }
      await expect.poll(() => server.logs()).toMatch(/An embedding does not match its checksum/);

      const again = spoiled.map((id) => contents.sent.get(id)!).map(({ id, picture, text, embedding }) => ({ id, ...(picture ? { image: base64(picture) } : text ? { text } : { embedding, modality: 'image' }) }));
      expect((await call(server.url, 'POST', items(), { items: again })).body.items.map(({ status }: { status: string }) => status)).toEqual(spoiled.map(() => 'updated'));
      expect((await search())[0]).toMatchObject({ id: 'embedding_10_1', score: expect.closeTo(1, 4) });
    } finally {
      await server.stop();
    }
    const store = await openStore(directory);
    for (const id of spoiled) {
      const before = contents.embeddings.get(id)!;
      const cosine = (await store.getEmbedding('default', id)).reduce((sum, value, i) => sum + value * before[i]!, 0);
      expect(cosine, id).toBeCloseTo(1, 4);
    }
    await store.close();
  });
});

describe('A start that cannot be', () => {
  /** As a user who owns nothing, where the tests run as root. */
  async function start(indexDir: string): Promise<{ code: number | null; stderr: string }> {
    const isRoot = process.getuid?.() === 0;
    const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'serve', '--index-dir', indexDir], {
      env: { PATH: process.env.PATH, PORT: '0', MIXSPACE_WORKERS: '1', LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stderr };
  }

  const another = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT); PRAGMA user_version = 2;';
  it.each<[string, RegExp, (directory: string) => void]>([
    ['a folder that may not be written to', /may not write there/, (directory) => (mkdirSync(directory), chmodSync(directory, 0o555))],
    ['a folder that may not be entered', /may not write there/, (directory) => (mkdirSync(directory), chmodSync(directory, 0o000))],
    ['a folder in one that may not be written to', /may not write there/, (directory) => (mkdirSync(path.dirname(directory), { recursive: true }), chmodSync(path.dirname(directory), 0o555))],
    ['a file', /there is a file where a folder is needed/, (directory) => writeFileSync(directory, 'x')],
    ['a link that leads nowhere', /a link to a folder that is not there/, (directory) => symlinkSync(`${directory}.gone`, directory)],
    ['a folder whose database is a folder', /mixspace\.db is no file/, (directory) => mkdirSync(path.join(directory, 'mixspace.db'), { recursive: true })],
    ['a folder whose database is a dangling link', /mixspace\.db is a link that leads nowhere/, (directory) => (mkdirSync(directory), symlinkSync('gone', path.join(directory, 'mixspace.db')))],
    ['a folder whose originals are a file', /originals cannot be used: there is a file/, (directory) => (mkdirSync(directory), writeFileSync(path.join(directory, 'originals'), ''))],
    ['a folder with a database that is none', /mixspace\.db is damaged \(file is not a database\)/, (directory) => (mkdirSync(directory), writeFileSync(path.join(directory, 'mixspace.db'), 'x'.repeat(10_000)))],
    [
      "another program's database",
      /is no database of mixspace, or a damaged one; it was left as it is/,
      (directory) => {
        mkdirSync(directory);
        const opened = new Sqlite(database(directory));
        opened.exec(another);
        opened.close();
      },
    ],
  ])('in %s is one sentence with the path, and exit code 2', async (title, reason, make) => {
    const place = mkdtempSync(path.join(root, 'start-'));
    chmodSync(root, 0o755);
    chmodSync(place, 0o777);
    const directory = path.join(place, title.startsWith('a folder in') ? 'closed/index' : 'index');
    make(directory);
    const isTheirs = statSync(directory, { throwIfNoEntry: false })?.isDirectory() && !title.includes('entered');
    if (process.getuid?.() === 0 && isTheirs) for (const name of ['.', ...readdirSync(directory)]) if (existsSync(path.join(directory, name))) chownSync(path.join(directory, name), 65534, 65534);
    const { code, stderr } = await start(directory);
    expect(stderr).toMatch(reason);
    expect(stderr).toContain(directory);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
    if (title.startsWith('another')) expect(readdirSync(directory)).toEqual(['mixspace.db']);
  });

  it("with a lost database is one sentence through the command line, too", async () => {
    const directory = path.join(root, 'lost');
    cpSync(base, directory, { recursive: true });
    truncateSync(database(directory), 0);
    const { code, stderr } = await runMixspace(['serve', '--index-dir', directory], { PORT: '0' });
    expect(stderr).toMatch(/^mixspace: .*mixspace\.db, which held \d+ items, is missing or empty\. Restore it from a backup.*\n$/);
    expect(code).toBe(2);
    expect(originalsIn(directory)).toEqual(originals);
  });
});
