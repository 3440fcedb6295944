/** Full text's own tables are damaged: it is a follower, and made anew. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import Sqlite from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import type { EmbeddedStoreSettings } from '../src/store/embedded/open.js';
import type { Store } from '../src/store/store.js';
import { repository, runMixspace } from './server.js';

const { openEmbeddedStore } = (await import(pathToFileURL(path.join(repository, 'dist/store/embedded/open.js')).href)) as typeof import('../src/store/embedded/open.js');

const count = 400;
const undone: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0).reverse()) await undo();
});

async function directoryOfTexts(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mixspace-words-'));
  undone.push(() => rm(directory, { recursive: true, force: true }));
  const store = await openEmbeddedStore({ directory, log: () => undefined });
  await store.catalog.createCollection({ name: 'notes', model: 'm', fingerprint: 'f', dimension: 4, originals: 'keep' });
  await store.catalog.write('notes', Array.from({ length: count }, (_, i) => ({ id: `n${i}`, content: { modality: 'text' as const, contentHash: String(i).padStart(64, '0'), text: `word${String.fromCharCode(97 + (i % 26))} of all, number ${i}`, embeddings: [Float32Array.from([1, 0, 0, 0])] } })));
  await store.close();
  return directory;
}

async function opened(directory: string, settings: Partial<EmbeddedStoreSettings>, said: string[] = []): Promise<Store> {
  const store = await openEmbeddedStore({ directory, settings, log: (_, sentence) => void said.push(sentence) });
  undone.push(() => store.close());
  return store;
}

function damage(directory: string, sql: string): void {
  const database = new Sqlite(path.join(directory, 'mixspace.db'));
  database.unsafeMode(true);
  database.pragma('writable_schema = ON');
  expect(database.prepare(sql).run().changes).toBeGreaterThan(0);
  database.close();
}

const found = async ({ words }: Store): Promise<number[]> => (await words.countWords('notes', [{ words: ['worda'], prefix: false }, { words: ['all'], prefix: false }, { words: ['number', '7'], prefix: false }], 9_999)).counts;
const right = [Math.ceil(count / 26), count, 1];

describe('What a service knows of words', () => {
  it.each([
    ['with every page of words emptied', 'UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10'],
    ['with pages of words gone', 'DELETE FROM words_data WHERE id > 10'],
    ['with its structure spoilt', "UPDATE words_data SET block = x'ffffffffffffffff' WHERE id = 10"],
    ['with lengths gone', 'DELETE FROM words_docsize WHERE id % 3 = 0'],
  ])('%s is made anew, and told, where the database is read as a whole and where it is too large for that', { timeout: 60_000 }, async (_, sql) => {
    for (const checkedBytes of [1e9, 0]) {
      const directory = await directoryOfTexts();
      damage(directory, sql);
      const said: string[] = [];
      const store = await opened(directory, { checkedBytes }, said);
      await found(store);
      await expect.poll(() => found(store), { interval: 20, timeout: 10_000 }).toEqual(right);
      expect(said.filter((sentence) => sentence.startsWith('Full text was damaged'))).toHaveLength(1);
      await store.catalog.write('notes', [{ id: 'new', content: { modality: 'text', contentHash: 'f'.repeat(64), text: 'worda', embeddings: [Float32Array.from([1, 0, 0, 0])] } }]);
      expect(await found(store)).toEqual([right[0]! + 1, right[1], right[2]]);
      await store.close();
      const { code, stdout } = await runMixspace(['check', '--index-dir', directory]);
      expect([code, stdout]).toEqual([0, expect.stringContaining('All is as it was written')]);
    }
  });
});
