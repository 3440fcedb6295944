/** What is found, and what is kept, while others write. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ItemWrite } from '../src/store/catalog.js';
import { Random } from './crash/random.js';
import { direction } from './port-contracts/oracle.js';
import { bothPorts, type BothPorts } from './store-ports.js';
import { search } from './store-search.js';

const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

const dimension = 256;
let folder: string;
let store: BothPorts;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mixspace-beside-'));
  store = bothPorts(await openEmbeddedStore({ directory: folder, log: () => undefined }));
  await store.createCollection({ name: 'photos', model: 'm', fingerprint: 'f', dimension, originals: 'keep' });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const embeddingOf = (name: string): Float32Array => direction(Random.named(name), dimension);

describe('An item that is replaced again and again', () => {
  it.each([
    ['all', {}],
    ['a filter', { filter: { kind: 'wanted' } }],
  ])('is found by each search among %s that compares with everything', { timeout: 60_000 }, async (_, more) => {
    const write = (id: string, content: string, embedding: Float32Array, kind = 'wanted'): ItemWrite => ({ id, metadata: { kind }, content: { modality: 'image', contentHash: sha256(content), embeddings: [embedding] } });
    for (let at = 0; at < 20_000; at += 1_000) {
      await store.write('photos', Array.from({ length: 1_000 }, (_, i) => write(`item ${at + i}`, `item ${at + i}`, embeddingOf(`item ${at + i}`))));
    }
    const query = embeddingOf('what is asked');
    await store.write('photos', [write('nearest', 'at first', query)]);
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++) await store.write('photos', [write('nearest', `again ${n}`, query)]);
    })();
    const firsts: (string | undefined)[] = [];
    for (let n = 0; n < 100; n++) firsts.push((await search(store, 'photos', { embedding: query, limit: 3, exact: true, ...more })).matches[0]?.item.id);
    isOver = true;
    await writing;
    expect(firsts.filter((id) => id !== 'nearest')).toEqual([]);
  });
});

describe('An original that items share', () => {
  it('stays as long as one names it, although the others are deleted while it is being added again', async () => {
    const originals = Array.from({ length: 64 }, (_, i) => Buffer.from(`picture ${i}`));
    const large = Array.from({ length: 12 }, () => randomBytes(4e6));
    const picture = (id: string, original: Buffer): ItemWrite => ({ id, content: { modality: 'image', contentHash: sha256(original), embeddings: [embeddingOf(id)], original, mediaType: 'image/png' } });
    await store.write('photos', originals.map((original, i) => picture(`first ${i}`, original)));
    // The large ones take long to flush; the small ones were looked up by then, and are there.
    const again = store.write('photos', [...originals.map((original, i) => picture(`again ${i}`, original)), ...large.map((original, i) => picture(`large ${i}`, original))]);
    for (let i = 63; i >= 0; i--) await store.deleteItem('photos', `first ${i}`);
    await again;
    for (const [i, original] of originals.entries()) {
      const { bytes } = await store.getPicture('photos', `again ${i}`, 'original');
      expect(Buffer.from(bytes).equals(original), `picture ${i}`).toBe(true);
    }
  });
});
