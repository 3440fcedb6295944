/** What is added while a collection is about to go over to another space is embedded again too. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Encoder, ModelDescription } from '../src/encoder/encoder.js';
import { openEncoder } from '../src/encoder/index.js';
import { startWorkerFrom } from '../src/encoder/workers/worker-process.js';
import type { Context } from '../src/operations/context.js';
import { embedAgain } from '../src/operations/embed-again.js';
import { Run } from '../src/operations/reembedding.js';
import type { ItemWrite, ReembeddingTarget, Store } from '../src/store/store.js';
import { readsTexts } from './small-service.js';
import { smallPackage, textTower } from './small-towers.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/index.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/index.js');

let models: string;
let encoder: Encoder;
let first: ModelDescription;
let target: ReembeddingTarget;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-small-'));
  await smallPackage(models, 'first', readsTexts);
  await smallPackage(models, 'second', { ...readsTexts, 'onnx/text_model.onnx': textTower({ pool: 'mean', rows: 2600 }) });
  encoder = await openEncoder({ modelsDirectory: models, defaultModel: 'first', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, startWorker: startWorkerFrom(new URL('../dist/encoder/workers/worker.js', import.meta.url)), log: () => undefined });
  first = await encoder.model('first');
  const { id, fingerprint, dimension } = await encoder.model('second');
  target = { model: id, fingerprint, dimension, fromThumbnails: true, skipImpossible: false };
  expect(fingerprint).not.toBe(first.fingerprint);
});
afterAll(async () => {
  await encoder.close();
  await rm(models, { recursive: true, force: true });
});

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mixspace-store-'));
  store = await openEmbeddedStore({ directory, log: () => undefined });
  await store.createCollection({ name: 'photos', model: first.id, fingerprint: first.fingerprint, dimension: first.dimension, originals: 'keep' });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const direction = (text: string): Float32Array => Float32Array.from([...createHash('sha256').update(text).digest()].slice(0, 4), (byte) => (byte - 127.5) / 500);
const text = (id: string): ItemWrite => ({ id, content: { modality: 'text', contentHash: hash(id), text: `the words of ${id}`, embedding: direction(id) } });
const picture = (id: string): ItemWrite => ({ id, content: { modality: 'image', contentHash: hash(id), embedding: direction(id), thumbnail: Buffer.from(id) } });

describe('A collection goes over', () => {
  it.each([['texts', text], ['pictures', picture]] as const)('only with the %s that are written while it is looked whether all is done', async (_what, late) => {
    const ids = Array.from({ length: 3_000 }, (_, i) => `text ${i}`);
    for (let from = 0; from < ids.length; from += 500) await store.write('photos', ids.slice(from, from + 500).map(text));
    await store.startReembedding('photos', target);
    for (;;) {
      const items = await store.nextToReembed('photos', { limit: 500 });
      if (items.length === 0) break;
      await store.putReembedded('photos', target.fingerprint, items.map(({ key }) => ({ key, embedding: direction(String(key)) })));
    }
    // Looking takes several turns of the store's thread: the write comes in between.
    const [outcome] = await Promise.all([store.finishReembedding('photos'), store.write('photos', [late('late')])]);
    expect(outcome).toBe('pending');
    const waiting = await store.nextToReembed('photos', { limit: 10 });
    expect(waiting).toHaveLength(1);
    await store.putReembedded('photos', target.fingerprint, [{ key: waiting[0]!.key, embedding: direction('late there') }]);
    expect(await store.finishReembedding('photos')).toBe('done');
    expect(await store.getEmbedding('photos', 'late')).toEqual(direction('late there'));
  });

  it('once more over what was added before its end', async () => {
    await store.write('photos', Array.from({ length: 100 }, (_, i) => text(`text ${i}`)));
    await store.startReembedding('photos', target);
    const late = ['late', 'later', 'latest'];
    const asked: string[] = [];
    const meanwhile: Store = {
      ...store,
      finishReembedding: async (name) => {
        const id = late[asked.length];
        if (id !== undefined) await store.write('photos', [text(id)]);
        const outcome = await store.finishReembedding(name);
        asked.push(outcome);
        return outcome;
      },
    };
    expect(await embedAgain({ store: meanwhile, encoder } as Context, 'photos', target, new Run())).toBe('done');
    expect(asked).toEqual(['pending', 'pending', 'pending', 'done']);
    expect(await store.getCollection('photos')).toMatchObject({ model: 'second', unembedded: 0, counts: { text: 103 } });
    for (const id of ['text 0', 'text 99', ...late]) {
      const [encoded] = await encoder.encodeTexts('second', [`the words of ${id}`], { priority: 'interactive' });
      expect(await store.getEmbedding('photos', id), id).toEqual(encoded!.embedding);
    }
  });
});
