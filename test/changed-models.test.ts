import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Encoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/index.js';
import { startWorkerFrom } from '../src/encoder/workers/worker-process.js';
import { base64, call, items, searchIn } from './api.js';
import { onnxFile } from './onnx.js';
import { drawn } from './pictures.js';
import { repository, startServer, type RunningServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');
const interactive = { priority: 'interactive' } as const;

/** `main`, the default one, and `other`, of the same files. */
let models: string;
const running: RunningServer[] = [];
const opened: Encoder[] = [];
beforeEach(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-changed-'));
  await put('clip-tiny', 'main');
  await put('clip-tiny', 'other');
});
afterEach(async () => {
  await Promise.all([...running.splice(0).map((server) => server.remove()), ...opened.splice(0).map((encoder) => encoder.close())]);
  await rm(models, { recursive: true });
});

/** A package under a name, in one step, in place of what is there. */
async function put(family: string, name: string): Promise<void> {
  const [made, away] = [path.join(models, `.made-${name}`), path.join(models, `.away-${name}`)];
  await cp(path.join(fixtures, family), made, { recursive: true });
  await rename(path.join(models, name), away).catch(() => undefined);
  await rename(made, path.join(models, name));
  await rm(away, { recursive: true, force: true });
}

const visionOf = (name: string): string => path.join(models, name, 'onnx/vision_model.onnx');

async function start(env: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'main', MIXSPACE_CACHE: '0', ...env } });
  running.push(server);
  return server;
}

async function open(options: Partial<EncoderOptions> = {}): Promise<Encoder> {
  const startWorker = startWorkerFrom(new URL('../dist/encoder/workers/worker.js', import.meta.url));
  const encoder = await openEncoder({ modelsDirectory: models, defaultModel: 'main', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, startWorker, log: () => undefined, ...options });
  opened.push(encoder);
  return encoder;
}

/** Process ids of the encoder workers. */
function workersOf(server: RunningServer): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === server.process.pid).map(([pid]) => pid!);
}

const embed = (server: RunningServer, model: string) => call(server.url, 'POST', '/v1/embeddings', { model, input: 'a dog' });
const listed = async (server: RunningServer): Promise<any[]> => (await call(server.url, 'GET', '/v1/models')).body.data;
const listedAs = async (server: RunningServer, id: string): Promise<any> => (await listed(server)).find((each) => each.id === id);

async function until<T>(ask: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const checked = (server: RunningServer, id: string): Promise<any> => until(() => listedAs(server, id), ({ self_test: test }) => test.status !== 'pending');

describe('packages that come, change and go while the service runs', () => {
  it('uses one that was added, when a call names it or when models are listed', async () => {
    const server = await start();
    await put('siglip2-tiny', 'added');
    const { status, body } = await embed(server, 'added');
    expect([status, body.model]).toEqual([200, 'added']);
    await put('siglip2-tiny', 'another');
    expect((await listed(server)).map(({ id }) => id)).toEqual(['main', 'added', 'another', 'other']);
    expect((await checked(server, 'another')).fingerprint).toBe(body.fingerprint);
    expect((await embed(server, 'none')).body.error.message).toBe('There is no model "none"; there are added, another, main, other.');
  });

  it('takes changed files once they have passed their check, and answers with those in use until then', async () => {
    const server = await start({ MIXSPACE_MODEL_IDLE: '0' });
    await call(server.url, 'POST', '/v1/collections', { name: 'mine', model: 'other' });
    await call(server.url, 'POST', items('mine'), { items: [{ id: 'x', text: 'a dog' }] });
    const before = await embed(server, 'other');
    await put('siglip2-tiny', 'other');
    expect((await listedAs(server, 'other')).replacement).toEqual({ status: 'checking' });
    const answers: any[] = [];
    const after = await until(
      async () => (answers.push(await embed(server, 'other'), await embed(server, 'main')), listedAs(server, 'other')),
      ({ replacement }) => replacement === undefined,
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(after.fingerprint).not.toBe(before.body.fingerprint);
    expect(server.logs()).toContain('Model other is unloaded from a worker: its files are others now.');
    const embedded = await embed(server, 'other');
    expect([embedded.body.fingerprint, embedded.body.data[0].embedding]).not.toEqual([before.body.fingerprint, before.body.data[0].embedding]);
    expect(embedded.body.fingerprint).toBe(after.fingerprint);

    const refused = await call(server.url, 'POST', searchIn('mine'), { query: 'a dog' });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining('mixspace reembed')]);
    expect((await call(server.url, 'GET', '/v1/collections/mine')).body).toMatchObject({ model_available: false, counts: { total: 1 } });
    await call(server.url, 'POST', '/v1/collections/mine/reembed', {});
    await until(() => call(server.url, 'GET', '/v1/collections/mine'), ({ body }) => body.reembedding === undefined && body.fingerprint === after.fingerprint);
    expect((await call(server.url, 'POST', searchIn('mine'), { query: 'a dog' })).body.matches).toMatchObject([{ id: 'x', score: expect.closeTo(1) }]);
  });

  it('takes changed files of the default model, and keeps them loaded when a worker is replaced', async () => {
    const server = await start();
    const before = (await embed(server, 'main')).body.fingerprint;
    await put('siglip2-tiny', 'main');
    const after = await until(() => listedAs(server, 'main'), ({ fingerprint }) => fingerprint !== before);
    const held = after.loaded_in;
    expect(held).toBeGreaterThan(0);
    for (const pid of workersOf(server)) process.kill(pid, 'SIGKILL');
    await until(() => server.logs(), (logs) => logs.split('An encoder worker died').length > held);
    await until(() => listedAs(server, 'main'), (each) => each.loaded_in === held);
    const { status, body } = await embed(server, 'main');
    expect([status, body.fingerprint]).toEqual([200, after.fingerprint]);
    expect(server.logs()).not.toContain('cannot load the model');
  });

  it('refuses to embed into a space that its model has left', async () => {
    const encoder = await open();
    const before = await encoder.model('other');
    await put('siglip2-tiny', 'other');
    await encoder.look();
    const after = await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    await expect(encoder.encodeTexts(before, ['a dog'], interactive)).rejects.toMatchObject({ code: 'conflict' });
    await expect(encoder.encodeTexts(after, ['a dog'], interactive)).resolves.toHaveLength(1);
  });

  it('never loads changed files for those that were checked, although nobody has looked', async () => {
    const encoder = await open({ modelIdleSeconds: 0.2 });
    const before = await encoder.model('other');
    const [wanted] = await encoder.encodeTexts(before, ['a dog'], interactive);
    await until(() => encoder.models(), ([, other]) => other!.loadedIn === 0);
    await put('openclip-tiny', 'other');
    await expect(encoder.encodeTexts('other', ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('have changed since they were checked') });
    const after = await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    expect(await encoder.encodeTexts(after, ['a dog'], interactive)).not.toEqual([wanted]);
    await put('clip-tiny', 'other');
    await encoder.look();
    await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint === before.fingerprint);
    expect(await encoder.encodeTexts(before, ['a dog'], interactive)).toEqual([wanted]);
  });

  it('goes on with what is loaded where changed files cannot be used, says why, and takes mended ones', async () => {
    const server = await start();
    const { fingerprint } = await checked(server, 'other');
    await embed(server, 'other');
    const good = await readFile(visionOf('other'));
    await writeFile(visionOf('other'), 'junk');
    const { replacement } = await until(() => listedAs(server, 'other'), (each) => each.replacement?.status === 'unusable');
    expect(replacement.error).toMatch(/vision_model\.onnx/);
    expect((await embed(server, 'other')).body.fingerprint).toBe(fingerprint);
    await writeFile(visionOf('other'), good);
    expect(await until(() => listedAs(server, 'other'), (each) => each.replacement === undefined)).toMatchObject({ fingerprint, self_test: { status: 'unverified' } });
  });

  it('says why a model cannot be used whose changed files cannot be and which is loaded nowhere any more', async () => {
    const server = await start({ MIXSPACE_MODEL_IDLE: '1' });
    await embed(server, 'other');
    await writeFile(visionOf('other'), 'junk');
    await until(() => listedAs(server, 'other'), (each) => each.replacement?.status === 'unusable');
    await until(() => listedAs(server, 'other'), (each) => !each.loaded);
    const refused = await until(() => embed(server, 'other'), ({ body }) => !body.error?.message.includes('checked again'));
    expect([refused.status, refused.body.error.message]).toEqual([503, expect.stringMatching(/other cannot be used: .*vision_model\.onnx/)]);
    expect(await listedAs(server, 'other')).toMatchObject({ loaded: false, replacement: { status: 'unusable' } });
    expect((await call(server.url, 'POST', '/v1/models/other/selftest')).body.error.message).toMatch(/other cannot be used: .*vision_model\.onnx/);
    expect((await embed(server, 'main')).status).toBe(200);
  });

  it('checks a package that could not be used again when its files have changed, or when its self-test is asked for', async () => {
    const good = await readFile(visionOf('other'));
    await writeFile(visionOf('other'), 'junk');
    const server = await start();
    expect((await checked(server, 'other')).self_test.status).toBe('unusable');
    expect((await call(server.url, 'POST', '/v1/models/other/selftest')).status).toBe(503);
    await writeFile(visionOf('other'), good);
    expect((await call(server.url, 'POST', '/v1/models/other/selftest')).body.status).toBe('unverified');
    expect((await embed(server, 'other')).status).toBe(200);
  });

  it('keeps the space of a model to whose package something was added that changes no embedding', async () => {
    const server = await start();
    const { fingerprint } = await checked(server, 'other');
    await writeFile(path.join(models, 'other', 'model.json'), '{"license": "MIT"}');
    const after = await until(() => listedAs(server, 'other'), ({ license }) => license === 'MIT');
    expect(after).toMatchObject({ fingerprint });
  });

  it('forgets one that has gone, but for the default one', async () => {
    const server = await start();
    await embed(server, 'other');
    for (const name of ['other', 'main']) await rename(path.join(models, name), path.join(models, `.${name}`));
    const [main, ...others] = await listed(server);
    expect([main.id, main.replacement.error, others]).toEqual(['main', expect.stringContaining('has gone'), []]);
    expect((await embed(server, 'other')).status).toBe(404);
    expect((await embed(server, 'main')).status).toBe(200);
    await rename(path.join(models, '.main'), path.join(models, 'main'));
    expect((await until(() => listedAs(server, 'main'), ({ replacement }) => replacement === undefined)).loaded).toBe(true);
  });
});

describe('changes under load and in bad moments', () => {
  const texts = (count: number, what: string) => Array.from({ length: count }, (_, i) => `${what} ${i}`);
  const modelOf = (encoder: Encoder, id: string) => encoder.models().find((each) => each.id === id)!;

  it('leaves what a worker cannot load any more to those that hold it', async () => {
    const encoder = await open({ workers: 2, modelIdleSeconds: 0 });
    await encoder.encodeTexts('other', ['a dog'], interactive);
    await writeFile(visionOf('other'), 'junk');
    await encoder.look();
    await until(() => modelOf(encoder, 'other'), ({ replacement }) => typeof replacement === 'object');
    const asked = texts(300, 'text').map((text, i) => encoder.encodeTexts('other', [text], { priority: i % 2 ? 'interactive' : 'bulk' }));
    expect((await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('answers with the files that were replaced what waited for them', async () => {
    const encoder = await open({ modelIdleSeconds: 0 });
    const before = await encoder.model('other');
    const answered: Promise<unknown>[] = [encoder.encodeTexts(before, texts(1, 'first'), interactive)];
    await answered[0];
    let isOver = false;
    const others = Array.from({ length: 12 }, async () => {
      while (!isOver) await encoder.encodeTexts('main', texts(32, 'x '.repeat(60)), interactive);
    });
    const steady = (async () => {
      while (!isOver) await (answered.push(encoder.encodeTexts('other', texts(200, 'waits'), { priority: 'bulk' })), answered.at(-1));
    })();
    await put('siglip2-tiny', 'other');
    await encoder.look();
    await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    isOver = true;
    await Promise.all([steady, ...others]);
    expect((await Promise.allSettled(answered)).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(modelOf(encoder, 'other').replacement).toBeUndefined();
  });

  it('has the new files of a model that is kept in every worker, however short models are kept that nobody uses', async () => {
    const encoder = await open({ workers: 3, modelIdleSeconds: 0.02 });
    const before = encoder.defaultModel.fingerprint;
    await put('siglip2-tiny', 'main');
    await encoder.look();
    await until(() => encoder.defaultModel, ({ fingerprint }) => fingerprint !== before);
    expect(modelOf(encoder, 'main').loadedIn).toBe(3);
  });

  it('classifies anew with the new files where they came in the middle', async () => {
    const server = await start();
    const before = (await embed(server, 'other')).body.fingerprint;
    const labels = texts(900, 'label').map((name) => ({ name, prompts: texts(20, `a prompt of ${name}`) }));
    const classified = call(server.url, 'POST', '/v1/classify', { model: 'other', input: 'a dog', labels, top_k: 1 });
    await put('siglip2-tiny', 'other');
    await until(() => listedAs(server, 'other'), ({ fingerprint }) => fingerprint !== before);
    const over = await Promise.race([classified.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), 0))]);
    expect(over).toBe(false);
    expect((await classified).status).toBe(200);
  });

  it('sees other files of the same size and time', async () => {
    const encoder = await open({ modelIdleSeconds: 0.2 });
    const before = await encoder.model('other');
    const file = path.join(models, 'other/onnx/text_model.onnx');
    const [bytes, { mtime, size }] = [await readFile(file), await stat(file)];
    const reference = path.join(models, '.time');
    await writeFile(reference, '');
    execFileSync('touch', ['-r', file, reference]);
    for (let at = bytes.length - 4000; at < bytes.length - 2000; at += 4) bytes.writeFloatLE(-bytes.readFloatLE(at), at);
    await writeFile(file, bytes);
    execFileSync('touch', ['-r', reference, file]);
    expect(await stat(file)).toMatchObject({ mtime, size });
    await encoder.look();
    await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
  });

  it('never computes with weights beside an ONNX file that were written to', async () => {
    const rows = 60_000;
    const weights = (of: (i: number) => number) => Buffer.from(Float32Array.from({ length: rows * 4 }, (_, i) => of(i)).buffer);
    const [data, tower] = ['text_model.onnx_data', 'text_model.onnx'].map((name) => path.join(models, 'other/onnx', name)) as [string, string];
    await writeFile(data, weights(Math.sin));
    await writeFile(
      tower,
      onnxFile({
        inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 'length'] }],
        outputs: [{ name: 'text_embeds', type: 'float32', shape: ['batch', 4] }],
        nodes: [
          { op: 'Gather', inputs: ['rows', 'input_ids'], outputs: ['gathered'] },
          { op: 'ReduceMean', inputs: ['gathered'], outputs: ['text_embeds'], attributes: { axes: [1], keepdims: 0 } },
        ],
        constants: [{ name: 'rows', type: 'float32', shape: [rows, 4], values: [], externalFile: path.basename(data) }],
      }),
    );
    await writeFile(
      visionOf('other'),
      onnxFile({
        inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', 3, 'height', 'width'] }],
        outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', 4] }],
        nodes: [
          { op: 'GlobalAveragePool', inputs: ['pixel_values'], outputs: ['pooled'] },
          { op: 'Flatten', inputs: ['pooled'], outputs: ['means'] },
          { op: 'MatMul', inputs: ['means', 'weights'], outputs: ['image_embeds'] },
        ],
        constants: [{ name: 'weights', type: 'float32', shape: [3, 4], values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3] }],
      }),
    );
    await writeFile(path.join(models, 'other/model.json'), '{"padding": "max_length"}');

    const encoder = await open({ modelIdleSeconds: 0 });
    const before = await encoder.model('other');
    const [wanted] = await encoder.encodeTexts(before, ['a dog'], interactive);
    await writeFile(data, weights((i) => Math.cos(i * i)));
    await expect(encoder.encodeTexts(before, ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('have changed since they were checked') });
    await until(() => encoder.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    expect(await encoder.encodeTexts('other', ['a dog'], interactive)).not.toEqual([wanted]);
    // Reading what is mapped and gone ends the process.
    await writeFile(data, '');
    await expect(encoder.encodeTexts('other', ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready' });
    await writeFile(data, weights(Math.sin));
    await encoder.selfTest('other');
    expect(await encoder.encodeTexts(before, ['a dog'], interactive)).toEqual([wanted]);
  });

  it('checks files again that were refused for a reason that has passed, when the self-test is asked for', async () => {
    const plain = startWorkerFrom(new URL('../dist/encoder/workers/worker.js', import.meta.url));
    let isShort = false;
    const encoder = await open({
      startWorker: (settings) => {
        const child = plain(settings);
        if (isShort) child.kill('SIGKILL');
        return child;
      },
    });
    const before = await encoder.model('other');
    isShort = true;
    await put('siglip2-tiny', 'other');
    await encoder.look();
    await until(() => modelOf(encoder, 'other'), ({ replacement }) => typeof replacement === 'object');
    isShort = false;
    expect((await encoder.selfTest('other')).status).toBe('unverified');
    expect((await encoder.model('other')).fingerprint).not.toBe(before.fingerprint);
    expect(modelOf(encoder, 'other').replacement).toBeUndefined();
  });

  it('finds a package that came while others were being looked for', async () => {
    const encoder = await open();
    await encoder.model('other');
    await rm(path.join(models, 'other'), { recursive: true });
    const looking = encoder.look();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await put('clip-tiny', 'added');
    await expect(encoder.model('added')).resolves.toMatchObject({ id: 'added' });
    await looking;
  });

  it('does not blame the pictures when the model cannot be loaded in the middle of embedding them again', async () => {
    await put('siglip2-tiny', 'other');
    const server = await start({ MIXSPACE_WORKERS: '1', MIXSPACE_MODEL_IDLE: '0' });
    await call(server.url, 'POST', '/v1/collections', { name: 'mine', model: 'main', originals: 'keep' });
    const pictures = await Promise.all(Array.from({ length: 300 }, (_, i) => drawn(i, 'png', 64, 48)));
    const added = await call(server.url, 'POST', items('mine'), { items: pictures.map((picture, i) => ({ id: `p${i}`, image: base64(picture) })) });
    expect(added.status).toBe(200);
    await embed(server, 'other');
    const good = await readFile(visionOf('other'));
    await writeFile(visionOf('other'), 'junk');
    await until(() => listedAs(server, 'other'), (each) => each.replacement?.status === 'unusable');
    await call(server.url, 'POST', '/v1/collections/mine/reembed', { model: 'other', skip_impossible: true });
    const told = () => call(server.url, 'GET', '/v1/collections/mine').then(({ body }) => body.reembedding);
    await until(told, ({ done }) => done > 0);
    for (const pid of workersOf(server)) process.kill(pid, 'SIGKILL');
    const stopped = await until(told, ({ state }) => state === 'stopped');
    expect(stopped).toMatchObject({ impossible: 0, problem: expect.stringMatching(/files of model other have changed|model other cannot be/) });
    await writeFile(visionOf('other'), good);
    await until(() => listedAs(server, 'other'), (each) => each.replacement === undefined);
    await call(server.url, 'POST', '/v1/collections/mine/reembed', { model: 'other' });
    const { body } = await until(() => call(server.url, 'GET', '/v1/collections/mine'), (each) => each.body.reembedding === undefined);
    expect([body.model, body.counts.total, body.model_available]).toEqual(['other', 300, true]);
  });
});
