import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/open.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { base64, call, items, searchIn } from './api.js';
import { drawn } from './pictures.js';
import { repository, startServer, workersOf, type RunningServer, type ServerOptions } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');
const bundled = path.join(repository, 'models/mixspace-graft-0.3');

const sources = { a: 'clip-tiny', b: 'clip-tiny', c: 'clip-tiny', d: 'siglip2-tiny' };
const made: string[] = [];

/** A models directory of some of five models of two kinds (`e` is the bundled one), and of packages that cannot be used: by name, the file that is broken. */
async function modelsOf(names: string, bad: Record<string, string> = {}): Promise<string> {
  const models = await mkdtemp(path.join(tmpdir(), 'mixspace-models-'));
  made.push(models);
  for (const name of names) await symlink(name === 'e' ? bundled : path.join(fixtures, sources[name as keyof typeof sources]), path.join(models, name));
  for (const [name, file] of Object.entries(bad)) {
    await cp(path.join(fixtures, 'clip-tiny'), path.join(models, name), { recursive: true });
    await writeFile(path.join(models, name, file), '{');
  }
  return models;
}
const junk = { junk: 'onnx/vision_model.onnx' };

/** All of them. */
let models: string;
beforeAll(async () => {
  models = await modelsOf('abcde', { ...junk, unread: 'config.json' });
});
afterAll(() => Promise.all(made.map((each) => rm(each, { recursive: true }))));

const running: RunningServer[] = [];
const opened: OpenEncoder[] = [];
afterEach(async () => {
  await Promise.all([...running.splice(0).map((server) => server.remove()), ...opened.splice(0).map((encoder) => encoder.close())]);
});

async function start(env: Record<string, string> = {}, options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({ ...options, env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'a', MIXSPACE_CACHE: '0', ...env } });
  running.push(server);
  return server;
}

async function open(options: Partial<EncoderOptions>): Promise<OpenEncoder> {
  const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));
  const encoder = await openEncoder({ modelsDirectory: models, defaultModel: 'a', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, startWorker, log: () => undefined, ...options });
  opened.push(encoder);
  return encoder;
}

const embed = (server: RunningServer, model: string, input: unknown = 'a dog') => call(server.url, 'POST', '/v1/embeddings', { model, input });
const listed = async (server: RunningServer): Promise<any[]> => (await call(server.url, 'GET', '/v1/models')).body.data;

async function until<T>(ask: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Batches that a worker was given, those of the readiness probe among them. */
async function batchesBegun(server: RunningServer): Promise<number> {
  const { body } = await call<string>(server.url, 'GET', '/metrics');
  return Number(/^mixspace_stage_seconds_count\{stage="queue"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

describe('several models', () => {
  it('lists every package from the start, the default one loaded, the others not', async () => {
    const server = await start();
    const first = await listed(server);
    expect(first.map(({ id, loaded }) => [id, loaded])).toEqual([['a', true], ...['b', 'c', 'd', 'e', 'junk', 'unread'].map((id) => [id, false])]);
    expect(first[0].self_test.status).toBe('unverified');
    expect(first[0].memory_bytes).toBeGreaterThan(1e6);
    expect(first[0].loaded_in).toBeGreaterThan(0);

    const checked = await until(() => listed(server), (all) => all.every(({ self_test }) => self_test.status !== 'pending'));
    expect(checked.map(({ self_test }) => self_test.status)).toEqual(['unverified', 'unverified', 'unverified', 'unverified', 'passed', 'unusable', 'unusable']);
    expect(checked.filter(({ loaded }) => loaded).map(({ id }) => id)).toEqual(['a']);
    expect(checked.at(-2).self_test.error).toMatch(/vision_model\.onnx/);
    expect(checked.at(-1)).toMatchObject({ dimensions: null, fingerprint: null, self_test: { error: expect.stringContaining('config.json is not JSON') } });
    await expect.poll(() => server.logs()).toMatch(/The model package junk cannot be used/);
  });

  it('loads a model when a call names it, before its check or after', async () => {
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('acde', junk) });
    const answers = await Promise.all(['e', 'd', 'c', 'a'].map((id) => embed(server, id)));
    expect(answers.map(({ status, body }) => [status, body.model])).toEqual([[200, 'e'], [200, 'd'], [200, 'c'], [200, 'a']]);
    const all = await listed(server);
    expect(all.filter(({ loaded }) => loaded).map(({ id }) => id)).toEqual(['a', 'c', 'd', 'e']);
    expect(all.find(({ id }) => id === 'e').memory_bytes).toBeGreaterThan(30e6);
    expect(all.find(({ id }) => id === 'e').fingerprint).toBe(answers[0]!.body.fingerprint);

    expect((await embed(server, 'none')).status).toBe(404);
    const unusable = await embed(server, 'junk');
    expect([unusable.status, unusable.body.error.message]).toEqual([503, expect.stringMatching(/The model junk cannot be used: .*vision_model/)]);
    const metrics = (await call<string>(server.url, 'GET', '/metrics')).body;
    expect(Number(/^mixspace_models_loaded (\d+)/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(4);
    expect(Number(/^mixspace_encoder_resident_bytes (\S+)/m.exec(metrics)?.[1])).toBeGreaterThan(50e6);
  });

  it('keeps what it is told to load at the start, and unloads the rest when idle', async () => {
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('acd'), MIXSPACE_PRELOAD: 'd', MIXSPACE_MODEL_IDLE: '1' });
    expect((await listed(server)).filter(({ loaded }) => loaded).map(({ id }) => id)).toEqual(['a', 'd']);
    const before = (await embed(server, 'c')).body.data[0].embedding;
    await until(() => listed(server), (all) => all.find(({ id }) => id === 'c').loaded === false);
    expect((await listed(server)).find(({ id }) => id === 'c').memory_bytes).toBe(0);
    expect((await listed(server)).filter(({ loaded }) => loaded).map(({ id }) => id)).toEqual(['a', 'd']);
    expect((await embed(server, 'c')).body.data[0].embedding).toEqual(before);
    await expect(startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_PRELOAD: 'none' } })).rejects.toThrow(/There is no model \\?"none/);
  });

  it('takes a collection for whole while its model is still to be checked', async () => {
    const two = { MIXSPACE_MODELS_DIR: await modelsOf('ae') };
    const before = await start(two);
    await call(before.url, 'POST', '/v1/collections', { name: 'other', model: 'e' });
    await call(before.url, 'POST', items('other'), { items: [{ id: 'x', text: 'a boat' }] });
    await before.stop();
    const after = await start(two, { indexDir: before.indexDir });
    expect((await call(after.url, 'GET', '/v1/collections/other')).body.model_available).toBe(true);
    const { status, body } = await call(after.url, 'POST', searchIn('other'), { query: 'ein Boot' });
    expect([status, body.matches?.[0].id]).toEqual([200, 'x']);
    expect((await listed(after)).find(({ id }) => id === 'e').self_test.status).toBe('passed');
    expect(after.logs()).not.toContain('was made with model');
  });

  it('unloads the least recently used where memory is short', async () => {
    const encoder = await open({ modelsDirectory: await modelsOf('abcd'), modelMemory: 1 });
    const loaded = () => encoder.models.list().filter(({ loadedIn }) => loadedIn > 0).map(({ id }) => id);
    for (const model of ['b', 'c', 'd']) {
      await encoder.encodeTexts(model, ['a dog'], { priority: 'interactive' });
      expect(loaded()).toEqual(['a', model]);
    }
  });

  it('gets its memory back when a model is unloaded', async () => {
    const encoder = await open({ modelsDirectory: await modelsOf('ade'), modelMemory: 1 });
    const bytes = await drawn(1);
    const after: number[] = [];
    for (let cycle = 0; cycle < 10; cycle++) {
      for (const model of ['e', 'd']) await encoder.encodeImages(model, [bytes], { priority: 'interactive' });
      after.push(encoder.workers().residentBytes);
    }
    // The lowest of a few: garbage is collected some time after an unload.
    expect(Math.min(...after.slice(-4)) / Math.min(...after.slice(1, 5))).toBeLessThan(1.15);
  });

  it('says aloud which execution provider is not used, and why', async () => {
    const missing = process.platform === 'darwin' ? 'dml' : 'coreml';
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('a'), MIXSPACE_EXECUTION_PROVIDERS: `${missing},cpu` });
    expect((await listed(server))[0].execution_provider).toBe('cpu');
    await expect.poll(() => server.logs()).toMatch(new RegExp(`Model a runs on cpu: ${missing} cannot be used`));
    await expect(startServer({ env: { MIXSPACE_EXECUTION_PROVIDERS: 'gpu' } })).rejects.toThrow(/MIXSPACE_EXECUTION_PROVIDERS takes some of cpu, cuda/);
  });
});

describe('a worker', () => {
  it('that hangs in one picture is ended, and that picture alone fails', async () => {
    const preload = path.join(repository, 'test/bad-decoder.mjs');
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('a'), NODE_OPTIONS: `--import=file://${preload}`, MIXSPACE_ENCODE_TIMEOUT: '3', MIXSPACE_WORKERS: '1' });
    const jpegs = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => drawn(seed, 'jpeg')));
    const hanging = Buffer.concat([await drawn(7, 'jpeg'), Buffer.from('this hangs the decoder')]);
    const sent = [...jpegs.slice(0, 3), hanging, ...jpegs.slice(3)].map((bytes, index) => ({ id: String(index), image: base64(bytes) }));
    const [taken, text, refused] = await Promise.all([
      call(server.url, 'POST', items(), { items: sent }),
      embed(server, 'a'),
      embed(server, 'a', ['a cat', { image: base64(hanging) }]),
    ]);
    expect(taken.body.items.map(({ status }: any) => status)).toEqual(['created', 'created', 'created', 'failed', 'created', 'created', 'created']);
    expect(taken.body.items[3].error).toMatchObject({ code: 'unprocessable', param: 'image', message: expect.stringMatching(/^This picture takes longer than 3 s to encode/) });
    expect(text.status).toBe(200);
    expect([refused.status, refused.body.error.param]).toEqual([422, 'input[1].image']);
    await expect.poll(() => server.logs()).toContain('it took longer than it may');
  });

  it('that is killed takes nothing with it, large pictures included', async () => {
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('a'), MIXSPACE_WORKERS: '2' });
    const noise = Buffer.from(Array.from({ length: 1500 * 1500 * 3 }, (_, i) => (i * 2_654_435_761) >>> 24));
    const large = await sharp(noise, { raw: { width: 1500, height: 1500, channels: 3 } }).png({ compressionLevel: 0 }).toBuffer();
    expect(large.byteLength).toBeGreaterThan(5e6);
    const pictures = [large, ...(await Promise.all([1, 2, 3].map((seed) => drawn(seed, 'jpeg', 1200, 900))))];
    const before = workersOf(server);
    expect(before).toHaveLength(2);
    const idle = await batchesBegun(server);
    const asked = Array.from({ length: 6 }, () => embed(server, 'a', pictures.map((bytes) => ({ image: base64(bytes) }))));
    await until(() => batchesBegun(server), (begun) => begun >= idle + 4);
    process.kill(before[0]!, 'SIGKILL');
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    const after = await until(() => workersOf(server), (pids) => pids.length === 2);
    expect(after).not.toContain(before[0]);
    await expect.poll(() => server.logs()).toContain('An encoder worker died and is replaced.');
  });

  it('ends with the service, even when that is killed', async () => {
    const server = await start({ MIXSPACE_MODELS_DIR: await modelsOf('a') });
    const workers = workersOf(server);
    expect(workers.length).toBeGreaterThan(0);
    await server.kill();
    const isThere = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await until(() => workers.filter(isThere), (left) => left.length === 0);
  });
});
