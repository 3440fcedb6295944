import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { base64, call, items, searchIn } from './api.js';
import { drawn } from './pictures.js';
import { bundled, repository, startServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');

let models: string;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-models-'));
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** A package under another name: its weights linked, the rest copied. */
async function packageAs(name: string, source: string): Promise<string> {
  const target = path.join(models, name);
  await mkdir(target);
  await cp(source, target, { recursive: true, filter: (file) => !file.startsWith(path.join(source, 'onnx')) });
  await symlink(path.join(source, 'onnx'), path.join(target, 'onnx'));
  return target;
}

describe('the self-test', () => {
  it('is passed by the bundled model, at the start and when asked for', async () => {
    const server = await startServer({ env: bundled });
    try {
      const [model] = (await call(server.url, 'GET', '/v1/models')).body.data;
      expect(model.self_test).toMatchObject({ status: 'passed', image: { count: 7 }, text: { count: 22, other_tokens: 0 } });
      expect(model.self_test.image.lowest_cosine).toBeGreaterThan(0.9999);
      expect(model.self_test.text.lowest_cosine).toBeGreaterThan(0.9999);
      const { status, body } = await call(server.url, 'POST', `/v1/models/${model.id}/selftest`);
      expect([status, body]).toEqual([200, { id: model.id, ...model.self_test }]);
      expect((await call(server.url, 'POST', '/v1/models/none/selftest')).status).toBe(404);
    } finally {
      await server.remove();
    }
  });

  it('keeps a package that fails it from being served, and calls one without golden vectors unverified', async () => {
    await packageAs('plain', path.join(fixtures, 'clip-tiny'));
    const wrong = await packageAs('wrong', path.join(repository, 'models/mixspace-graft-0.3'));
    const file = path.join(wrong, 'golden/images.json');
    const golden = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...golden, 'face.png': golden['house.png'] }));
    const server = await startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'plain' } });
    try {
      const states = async (): Promise<unknown> => (await call(server.url, 'GET', '/v1/models')).body.data.map(({ id, self_test: test }: any) => [id, test.status]);
      await vi.waitFor(async () => expect(await states()).toEqual([['plain', 'unverified'], ['wrong', 'unusable']]), { timeout: 60_000 });
      expect((await call(server.url, 'POST', '/v1/embeddings', { model: 'wrong', input: 'a' })).status).toBe(503);
      await expect.poll(() => server.logs()).toMatch(/The model package wrong cannot be used/);
      await expect.poll(() => server.logs()).toMatch(/It fails its self-test/);
    } finally {
      await server.remove();
      await rm(wrong, { recursive: true });
    }
  });
});

describe('a collection whose model has gone', () => {
  it('is told of by name, loses nothing, and works again when the model is back', async () => {
    await packageAs('first', path.join(fixtures, 'clip-tiny'));
    await packageAs('second', path.join(fixtures, 'siglip2-tiny'));
    const env = { MIXSPACE_MODELS_DIR: models };
    const before = await startServer({ env: { ...env, MIXSPACE_MODEL: 'first' } });
    await call(before.url, 'POST', items(), { items: [{ id: 'a', image: base64(await drawn(1)) }, { id: 'b', text: 'a boat', metadata: { year: 2024 } }] });
    await call(before.url, 'POST', '/v1/collections', { name: 'idle' });
    const listed = (await call(before.url, 'GET', items())).body;
    const { matches } = (await call(before.url, 'POST', searchIn('default'), { query: { id: 'a' } })).body;
    await before.stop();

    await rename(path.join(models, 'first'), `${models}-away`);
    const without = await startServer({ env: { ...env, MIXSPACE_MODEL: 'second' }, indexDir: before.indexDir });
    try {
      await expect.poll(() => without.logs()).toMatch(/Collection \\?"default\\?" \(2 items\) was made with model \\?"first\\?", which is not here any more/);
      expect((await call(without.url, 'GET', '/v1/collections/default')).body).toMatchObject({ model: 'first', model_available: false, counts: { total: 2 } });
      expect((await call(without.url, 'GET', items())).body).toEqual(listed);
      expect((await call(without.url, 'POST', searchIn('default'), { query: { id: 'a' } })).body.matches).toEqual(matches);
      const refused = await call(without.url, 'POST', searchIn('default'), { query: 'a boat' });
      expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringMatching(/"default" was made with model "first".*Nothing is lost/)]);
      expect((await call(without.url, 'POST', items(), { items: [{ text: 'more' }] })).status).toBe(409);
      expect((await call(without.url, 'POST', '/v1/collections', { name: 'new' })).body).toMatchObject({ model: 'second' });
    } finally {
      await without.stop();
    }

    await rename(`${models}-away`, path.join(models, 'first'));
    const back = await startServer({ env: { ...env, MIXSPACE_MODEL: 'second' }, indexDir: before.indexDir });
    try {
      expect((await call(back.url, 'POST', searchIn('default'), { query: 'a boat', modality: 'text' })).body.matches[0].id).toBe('b');
    } finally {
      await back.remove();
      await before.remove();
    }
  });

  it('gives way to the new model where it is the default one and empty', async () => {
    const env = { MIXSPACE_MODELS_DIR: models };
    const before = await startServer({ env: { ...env, MIXSPACE_MODEL: 'first' } });
    await before.stop();
    await rm(path.join(models, 'first'), { recursive: true });
    const after = await startServer({ env: { ...env, MIXSPACE_MODEL: 'second' }, indexDir: before.indexDir });
    try {
      expect((await call(after.url, 'GET', '/v1/collections/default')).body).toMatchObject({ model: 'second', model_available: true });
      expect(after.logs()).not.toContain('not here any more');
    } finally {
      await after.remove();
    }
  });
});
