import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareInputs, type Inputs } from './model-based/inputs.js';
import { operationNames, runSeed } from './model-based/seed.js';
import { call, items } from './api.js';
import { repository, startServer } from './server.js';
import { bothPorts } from './store-ports.js';

const { openEmbeddedStore } = (await import(pathToFileURL(path.join(repository, 'dist/store/embedded/open.js')).href)) as typeof import('../src/store/embedded/open.js');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let inputs: Inputs;
beforeAll(async () => {
  inputs = await prepareInputs();
});
afterAll(() => inputs.remove());

// Seeds that draw every operation early. `npm run model` runs 100 others, ten times as long; `npm run model -- --seed 17` one again.
describe.concurrent('Operations drawn by a seed, SIGKILLs and restarts among them', () => {
  it.each([
    { seed: 2313, profile: 'cells' },
    { seed: 2794, profile: 'memory' },
    { seed: 107, profile: 'small' },
  ])('are answered as a model in memory answers them: seed $seed ($profile)', { timeout: 600_000 }, async ({ seed, profile }) => {
    const { divergence, drawn, searches, restarts } = await runSeed({ seed, profile, steps: 200, inputs });
    expect(divergence).toBeUndefined();
    expect(Object.keys(drawn).sort()).toEqual([...operationNames].sort());
    expect([searches, restarts].every((count) => count > 0)).toBe(true);
  });
});

describe('What seeds have found', () => {
  it('the later of two entries wins where one names the id that the other has by its content', async () => {
    const server = await startServer({ env: inputs.env });
    try {
      await call(server.url, 'POST', items(), { items: [{ text: 'a cat' }] });
      const between = Array.from({ length: 40 }, (_, n) => ({ id: `${n}`, text: 'between' }));
      for (const entries of [[], between]) {
        const { body } = await call(server.url, 'POST', items(), { items: [{ id: sha256('a cat'), text: 'a dog' }, ...entries, { text: 'a cat' }] });
        expect([body.items[0].status, body.items.at(-1).status]).toEqual(['updated', 'updated']);
        expect((await call(server.url, 'GET', `${items()}/${sha256('a cat')}`)).body.text).toBe('a cat');
      }
    } finally {
      await server.remove();
    }
  });

  it('an item whose embedding is kept may be deleted while its collection is embedded again', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'mixspace-store-'));
    const store = bothPorts(await openEmbeddedStore({ directory, log: () => undefined }));
    const space = (model: string): { model: string; fingerprint: string; dimension: number } => ({ model, fingerprint: model, dimension: 2 });
    const embedding = Float32Array.of(1, 0);
    try {
      await store.createCollection({ name: 'photos', ...space('first'), originals: 'keep' });
      // Read before the others, and from files.
      await store.write('photos', Array.from({ length: 8 }, (_, n) => ({ id: `picture ${n}`, content: { modality: 'image', contentHash: sha256(`${n}`), embeddings: [embedding], original: Buffer.from(`${n}`), thumbnail: Buffer.from('') } })));
      await store.write('photos', Array.from({ length: 8 }, (_, n) => ({ id: `given ${n}`, content: { modality: 'image', contentHash: sha256(`given ${n}`), embeddings: [embedding] } })));
      const goOver = async (model: string, whileRead: () => Promise<unknown>): Promise<string> => {
        await store.startReembedding('photos', { ...space(model), fromThumbnails: false, skipImpossible: true });
        const [read] = await Promise.all([store.nextToReembed('photos', { limit: 16 }), whileRead()]);
        await store.putReembedded('photos', model, read.map(({ key, source }) => ('picture' in source ? { key, embedding } : { key, ...source })) as Parameters<typeof store.putReembedded>[2]);
        return store.finishReembedding('photos');
      };
      expect(await goOver('second', async () => undefined)).toBe('done');
      expect(await goOver('first', () => store.deleteItem('photos', 'given 7'))).toBe('done');
      expect(await store.describeCollection('photos')).toMatchObject({ fingerprint: 'first', counts: { image: 15 }, unembedded: 0 });
    } finally {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
