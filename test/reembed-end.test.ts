/** What happens in the moment in which a collection goes over to another space: nothing is left behind, and nothing of one space comes into the other. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelDescription, OpenEncoder } from '../src/encoder/encoder.js';
import type { Context } from '../src/operations/context.js';
import type { ItemWrite } from '../src/store/catalog.js';
import type { ReembeddingTarget } from '../src/store/reembedding-catalog.js';
import { dropStoreOf, isOverPostgres, storeOf } from './over-postgres.js';
import { dot, readsTexts } from './small-service.js';
import { smallPackage, textTower } from './small-towers.js';
import { search as searchStore } from './store-search.js';
import { bothPorts, type BothPorts } from './store-ports.js';

// Compiled, since the store starts a thread of its own from that, and its errors are of that.
const compiled = (file: string): Promise<unknown> => import(new URL(`../dist/${file}`, import.meta.url).href);
const { openEmbeddedStore } = (await compiled('store/embedded/open.js')) as typeof import('../src/store/embedded/open.js');
const { openPostgresStore } = (await compiled('store/postgres/open.js')) as typeof import('../src/store/postgres/open.js');
const { openEncoder } = (await compiled('encoder/open.js')) as typeof import('../src/encoder/open.js');
const { Cursors } = (await compiled('operations/cursors.js')) as typeof import('../src/operations/cursors.js');
const { TextLists } = (await compiled('operations/text-lists.js')) as typeof import('../src/operations/text-lists.js');
const { LabelCache } = (await compiled('operations/classify/label-cache.js')) as typeof import('../src/operations/classify/label-cache.js');
const { Maps } = (await compiled('operations/map/maps.js')) as typeof import('../src/operations/map/maps.js');
const { KeptLatest } = (await compiled('operations/kept-latest.js')) as typeof import('../src/operations/kept-latest.js');
const { KeptUploads } = (await compiled('operations/imports/kept-uploads.js')) as typeof import('../src/operations/imports/kept-uploads.js');
const { embedAgain } = (await compiled('operations/reembed/rounds.js')) as typeof import('../src/operations/reembed/rounds.js');
const { ingest } = (await compiled('operations/ingest.js')) as typeof import('../src/operations/ingest.js');
const { SyncTurns } = (await compiled('operations/sync/turns.js')) as typeof import('../src/operations/sync/turns.js');
const { Reembeddings, Run } = (await compiled('operations/reembed/runs.js')) as typeof import('../src/operations/reembed/runs.js');
const { search } = (await compiled('operations/search/search.js')) as typeof import('../src/operations/search/search.js');

let models: string;
let encoder: OpenEncoder;
let first: ModelDescription;
let target: ReembeddingTarget;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-small-'));
  await smallPackage(models, 'first', readsTexts);
  await smallPackage(models, 'second', { ...readsTexts, 'onnx/text_model.onnx': textTower({ pool: 'mean', rows: 2600 }) });
  encoder = await openEncoder({ modelsDirectory: models, defaultModel: 'first', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, log: () => undefined });
  first = await encoder.models.model('first');
  const { id, fingerprint, dimension } = await encoder.models.model('second');
  target = { model: id, fingerprint, dimension, fromThumbnails: true, skipImpossible: false };
  expect(fingerprint).not.toBe(first.fingerprint);
});
afterAll(async () => {
  await encoder.close();
  await rm(models, { recursive: true, force: true });
});

let directory: string;
let store: BothPorts;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mixspace-store-'));
  const log = (): void => undefined;
  store = bothPorts(isOverPostgres ? await openPostgresStore({ url: storeOf(directory)['MIXSPACE_STORE']!, settings: { connections: 4 }, log }) : await openEmbeddedStore({ directory, log }));
  await store.createCollection({ name: 'photos', model: first.id, fingerprint: first.fingerprint, dimension: first.dimension, originals: 'keep' });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
  await dropStoreOf(directory);
});

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const direction = (text: string): Float32Array => Float32Array.from([...createHash('sha256').update(text).digest()].slice(0, 4), (byte) => (byte - 127.5) / 500);
const text = (id: string): ItemWrite => ({ id, content: { modality: 'text', contentHash: hash(id), text: `the words of ${id}`, embeddings: [direction(id)] } });
const picture = (id: string): ItemWrite => ({ id, content: { modality: 'image', contentHash: hash(id), embeddings: [direction(id)], thumbnail: Buffer.from(id) } });

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
    // Looking takes several turns of the store's thread: the write comes in between, unless this one is held up for so long.
    const [outcome, written] = await Promise.all([store.finishReembedding('photos'), store.write('photos', [late('late')], first.fingerprint).then(String, ({ code }: { code: string }) => code)]);
    expect([['pending', 'created'], ['done', 'conflict']]).toContainEqual([outcome, written]);
    if (outcome === 'done') return;
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
    const meanwhile: BothPorts = {
      ...store,
      finishReembedding: async (name) => {
        const id = late[asked.length];
        if (id !== undefined) await store.write('photos', [text(id)]);
        const outcome = await store.finishReembedding(name);
        asked.push(outcome);
        return outcome;
      },
    };
    expect(await embedAgain({ catalog: meanwhile, models: encoder.models, encoder } as Partial<Context> as Context, 'photos', target, new Run())).toBe('done');
    expect(asked).toEqual(['pending', 'pending', 'pending', 'done']);
    expect(await store.describeCollection('photos')).toMatchObject({ model: 'second', unembedded: 0, counts: { text: 103 } });
    for (const id of ['text 0', 'text 99', ...late]) {
      const [encoded] = await encoder.encodeTexts('second', [`the words of ${id}`], { priority: 'interactive' });
      expect(await store.getEmbedding('photos', id), id).toEqual(encoded!.embedding);
    }
  });
});

describe('An item that cannot be embedded again', () => {
  async function putAll(impossible: string[]): Promise<void> {
    for (;;) {
      const items = await store.nextToReembed('photos', { limit: 10 });
      if (items.length === 0) return;
      await store.putReembedded('photos', target.fingerprint, items.map(({ key, source }) => ('text' in source && impossible.includes(source.text) ? { key, impossible: 'Not today.' } : { key, embedding: direction(String(key)) })));
    }
  }

  it('keeps its collection from going over, alone as it is, unless it may be left behind; it is found again once it could be', async () => {
    await store.write('photos', ['a', 'b', 'c'].map(text));
    await store.startReembedding('photos', target);
    await putAll(['the words of b']);
    expect(await store.finishReembedding('photos')).toBe('impossible');
    expect(await store.describeCollection('photos')).toMatchObject({ model: 'first', reembedding: { done: 2, impossible: 1 } });
    await store.startReembedding('photos', { ...target, skipImpossible: true });
    await putAll(['the words of b']);
    expect(await store.finishReembedding('photos')).toBe('done');
    const found = async (): Promise<string[]> => (await searchStore(store, 'photos', { embedding: direction('a'), limit: 10 })).matches.map(({ item }) => item.id).sort();
    expect([(await store.describeCollection('photos')).unembedded, (await store.getItem('photos', 'b')).unembedded, await found()]).toEqual([1, 'Not today.', ['a', 'c']]);

    await store.startReembedding('photos', target);
    await putAll([]);
    expect(await store.finishReembedding('photos')).toBe('done');
    expect([(await store.describeCollection('photos')).unembedded, (await store.getItem('photos', 'b')).unembedded, await found()]).toEqual([0, undefined, ['a', 'b', 'c']]);
  });
});

describe('In the moment in which a collection goes over', () => {
  /** Everything but the going over itself. */
  async function allButOver(ids: string[]): Promise<void> {
    await store.write('photos', ids.map(text));
    await store.startReembedding('photos', target);
    const items = await store.nextToReembed('photos', { limit: 500 });
    const encoded = await encoder.encodeTexts('second', ids.map((id) => `the words of ${id}`), { priority: 'interactive' });
    await store.putReembedded('photos', target.fingerprint, items.map(({ key }, i) => ({ key, embedding: encoded[i]!.embedding })));
  }
  /** It goes over when an operation has seen so many times in which space it is. */
  function goingOver(looks: number): Context {
    let seenTimes = 0;
    const getCollection: BothPorts['getCollection'] = async (name) => {
      const seen = await store.getCollection(name);
      if (++seenTimes === looks) expect(await store.finishReembedding('photos')).toBe('done');
      return seen;
    };
    const limits = { picture: 50e6, text: 1e6, metadata: 64e3, inputs: 100, items: 100, labels: 100 };
    return { catalog: { ...store, getCollection }, index: store, words: store, backup: () => Promise.reject(new Error('Not here.')), restores: { unpack: () => Promise.reject(new Error('Not here.')), current: () => undefined }, models: encoder.models, encoder, limits, roots: [], sync: { machine: 'here', quietMs: 0, goneShare: 1 / 3, goneFiles: 10, except: [] }, syncTurns: new SyncTurns(), imports: { uploads: new KeptUploads('/nowhere'), entries: 1, bytes: 1 }, fetch: { allow: [], timeoutMs: 1000 }, reembeddings: new Reembeddings(), cursors: new Cursors(new Uint8Array(32)), texts: new TextLists(encoder), labels: new LabelCache(0), learnt: new KeptLatest(16), maps: new Maps(), log: () => undefined, stage: () => undefined };
  }
  const caller = { signal: new AbortController().signal };

  it('a search that has begun answers from the other space', async () => {
    const [long, short] = ['many dogs beside a horse in the snow at night', 'a'] as const;
    await allButOver([long, short]);
    const { matches } = await search(goingOver(1), 'photos', { query: `the words of ${short}`, file: undefined }, caller);
    const [one, other] = await encoder.encodeTexts('second', [long, short].map((id) => `the words of ${id}`), { priority: 'interactive' });
    expect(matches.map(({ id, score }) => [id, score])).toEqual([[short, expect.closeTo(1, 6)], [long, expect.closeTo(dot([...one!.embedding], [...other!.embedding]), 6)]]);
  });

  it('an item that is being added is embedded for the other space', async () => {
    await allButOver(['a']);
    const { items } = await ingest(goingOver(2), 'photos', [{ id: 'late', content: { text: 'the words of late' } }], caller);
    expect(items).toEqual([{ id: 'late', status: 'created' }]);
    const [encoded] = await encoder.encodeTexts('second', ['the words of late'], { priority: 'interactive' });
    expect([...(await store.getEmbedding('photos', 'late'))]).toEqual([...encoded!.embedding].map((value) => expect.closeTo(value, 6) as number));
  });

  it('an embedding of the space that it leaves is not written', async () => {
    await allButOver(['a']);
    // The original is flushed before the transaction begins: meanwhile the collection goes over.
    const original = randomBytes(4e6);
    const late = { id: 'late', content: { ...picture('late').content!, original, contentHash: createHash('sha256').update(original).digest('hex') } };
    const [written, outcome] = await Promise.all([store.write('photos', [late], first.fingerprint).then(String, ({ code }: { code: string }) => code), store.finishReembedding('photos')]);
    expect([['conflict', 'done'], ['created', 'pending']]).toContainEqual([written, outcome]);
    expect((await store.describeCollection('photos')).counts).toEqual({ image: written === 'created' ? 1 : 0, text: 1 });
  });
});
