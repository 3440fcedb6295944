import { execFileSync } from 'node:child_process';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { base64, call, items } from './api.js';
import { changingModels, checked, embed, interactive, listed, listedAs, models, open, put, start, startWorker, until, visionOf } from './changing-models.js';
import { onnxFile } from './onnx.js';
import { drawn } from './pictures.js';
import { workersOf } from './server.js';

changingModels();

describe('changes under load and in bad moments', () => {
  const texts = (count: number, what: string) => Array.from({ length: count }, (_, i) => `${what} ${i}`);
  const modelOf = (encoder: OpenEncoder, id: string) => encoder.models.list().find((each) => each.id === id)!;

  it('leaves what a worker cannot load any more to those that hold it', async () => {
    const encoder = await open({ workers: 2, modelIdleSeconds: 0 });
    await encoder.encodeTexts('other', ['a dog'], interactive);
    await writeFile(visionOf('other'), 'junk');
    await encoder.models.look();
    await until(() => modelOf(encoder, 'other'), ({ replacement }) => typeof replacement === 'object');
    const asked = texts(300, 'text').map((text, i) => encoder.encodeTexts('other', [text], { priority: i % 2 ? 'interactive' : 'bulk' }));
    expect((await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('answers with the files that were replaced what waited for them', async () => {
    const encoder = await open({ modelIdleSeconds: 0 });
    const before = await encoder.models.model('other');
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
    await encoder.models.look();
    await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    isOver = true;
    await Promise.all([steady, ...others]);
    expect((await Promise.allSettled(answered)).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(modelOf(encoder, 'other').replacement).toBeUndefined();
  });

  it('has the new files of a model that is kept in every worker, however short models are kept that nobody uses', async () => {
    const encoder = await open({ workers: 3, modelIdleSeconds: 0.02 });
    const before = encoder.models.defaultModel.fingerprint;
    await put('siglip2-tiny', 'main');
    await encoder.models.look();
    await until(() => encoder.models.defaultModel, ({ fingerprint }) => fingerprint !== before);
    expect(modelOf(encoder, 'main').loadedIn).toBe(3);
  });

  it('classifies anew with the new files where they came in the middle', async () => {
    const server = await start();
    const before = (await embed(server, 'other')).body.fingerprint;
    const labels = texts(500, 'label').map((name) => ({ name, prompts: texts(20, `a prompt of ${name}`) }));
    const classified = call(server.url, 'POST', '/v1/classify', { model: 'other', input: 'a dog', labels, top_k: 1 });
    await put('siglip2-tiny', 'other');
    await until(() => listedAs(server, 'other'), ({ fingerprint }) => fingerprint !== before);
    const over = await Promise.race([classified.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), 0))]);
    expect(over).toBe(false);
    expect((await classified).status).toBe(200);
  });

  it('sees other files of the same size and time', async () => {
    const encoder = await open({ modelIdleSeconds: 0.2 });
    const before = await encoder.models.model('other');
    const file = path.join(models, 'other/onnx/text_model.onnx');
    const [bytes, { mtime, size }] = [await readFile(file), await stat(file)];
    const reference = path.join(models, '.time');
    await writeFile(reference, '');
    execFileSync('touch', ['-r', file, reference]);
    for (let at = bytes.length - 4000; at < bytes.length - 2000; at += 4) bytes.writeFloatLE(-bytes.readFloatLE(at), at);
    await writeFile(file, bytes);
    execFileSync('touch', ['-r', reference, file]);
    expect(await stat(file)).toMatchObject({ mtime, size });
    await encoder.models.look();
    await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
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
    const before = await encoder.models.model('other');
    const [wanted] = await encoder.encodeTexts(before, ['a dog'], interactive);
    await writeFile(data, weights((i) => Math.cos(i * i)));
    await expect(encoder.encodeTexts(before, ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('have changed since they were checked') });
    await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    expect(await encoder.encodeTexts('other', ['a dog'], interactive)).not.toEqual([wanted]);
    // Reading what is mapped and gone ends the process.
    await writeFile(data, '');
    await expect(encoder.encodeTexts('other', ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready' });
    await writeFile(data, weights(Math.sin));
    await encoder.models.selfTest('other');
    expect(await encoder.encodeTexts(before, ['a dog'], interactive)).toEqual([wanted]);
  });

  it('checks files again that were refused for a reason that has passed, when the self-test is asked for', async () => {
    let isShort = false;
    const encoder = await open({
      startWorker: (settings) => {
        const child = startWorker(settings);
        if (isShort) child.kill('SIGKILL');
        return child;
      },
    });
    const before = await encoder.models.model('other');
    isShort = true;
    await put('siglip2-tiny', 'other');
    await encoder.models.look();
    await until(() => modelOf(encoder, 'other'), ({ replacement }) => typeof replacement === 'object');
    isShort = false;
    expect((await encoder.models.selfTest('other')).status).toBe('unverified');
    expect((await encoder.models.model('other')).fingerprint).not.toBe(before.fingerprint);
    expect(modelOf(encoder, 'other').replacement).toBeUndefined();
  });

  it('finds a package that came while others were being looked for', async () => {
    const encoder = await open();
    await encoder.models.model('other');
    await rm(path.join(models, 'other'), { recursive: true });
    const looking = encoder.models.look();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await put('clip-tiny', 'added');
    await expect(encoder.models.model('added')).resolves.toMatchObject({ id: 'added' });
    await looking;
  });

  it('checks a package again that was away for a moment, although nobody wrote to it', async () => {
    const server = await start();
    await checked(server, 'other');
    await put('siglip2-tiny', 'added');
    await listed(server);
    await rename(path.join(models, 'added'), path.join(models, '.added'));
    expect((await embed(server, 'added')).status).toBe(503);
    await rename(path.join(models, '.added'), path.join(models, 'added'));
    await until(() => listedAs(server, 'added'), (each) => each?.self_test.status === 'unverified');
    expect((await embed(server, 'added')).status).toBe(200);
  });

  it('never answers with the vectors of files that came and went under the same name', async () => {
    const server = await start({ MIXSPACE_MODEL_IDLE: '1' });
    await put('openclip-tiny', 'third');
    const vectors = new Map<string, number[]>();
    for (const name of ['main', 'third']) {
      const { fingerprint, data } = (await embed(server, name)).body;
      vectors.set(fingerprint, data[0].embedding);
    }
    let isOver = false;
    const swapped = (async () => {
      for (let count = 0; count < 12; count++) {
        await rename(path.join(models, 'other'), path.join(models, '.x'));
        await rename(path.join(models, 'third'), path.join(models, 'other'));
        await rename(path.join(models, '.x'), path.join(models, 'third'));
        await new Promise((resolve) => setTimeout(resolve, count % 2 ? 30 * (count % 10) : 500));
      }
      isOver = true;
    })();
    const asked = [0, 1].map(async () => {
      while (!isOver) {
        const { status, body } = await embed(server, 'other');
        expect([200, 404, 503]).toContain(status);
        if (status === 200) expect(body.data[0].embedding, body.fingerprint).toEqual(vectors.get(body.fingerprint)!.map((value) => expect.closeTo(value, 4)));
        await listed(server);
      }
    });
    await Promise.all([swapped, ...asked]);
    await until(() => embed(server, 'other'), ({ status }) => status === 200);
  });

  it('refuses a package with a pipe in it, which would be read for ever, and serves the others', async () => {
    await put('clip-tiny', '0bad');
    await rm(path.join(models, '0bad/tokenizer.json'));
    execFileSync('mkfifo', [path.join(models, '0bad/tokenizer.json')]);
    const server = await start();
    const bad = await until(() => listedAs(server, '0bad'), ({ self_test: test }) => test.status !== 'pending');
    expect(bad.self_test).toEqual({ status: 'unusable', error: expect.stringMatching(/0bad\/tokenizer\.json is neither a file nor a folder\./) });
    expect((await embed(server, 'other')).status).toBe(200);
  });

  it('does not blame the pictures when the model cannot be loaded in the middle of embedding them again', async () => {
    await put('siglip2-tiny', 'other');
    const server = await start({ MIXSPACE_WORKERS: '1', MIXSPACE_MODEL_IDLE: '0' });
    await call(server.url, 'POST', '/v1/collections', { name: 'mine', model: 'main', originals: 'keep' });
    const pictures = await Promise.all(Array.from({ length: 200 }, (_, i) => drawn(i, 'png', 64, 48)));
    const added = await call(server.url, 'POST', items('mine'), { items: pictures.map((picture, i) => ({ id: `p${i}`, image: base64(picture) })) });
    expect(added.status).toBe(200);
    expect((await call(server.url, 'POST', '/v1/embeddings', { model: 'other', input: [{ image: base64(pictures[0]!) }] })).status).toBe(200);
    await writeFile(visionOf('other'), 'junk');
    await until(() => listedAs(server, 'other'), (each) => each.replacement?.status === 'unusable');
    await call(server.url, 'POST', '/v1/collections/mine/reembed', { model: 'other', skip_impossible: true });
    const told = () => call(server.url, 'GET', '/v1/collections/mine').then(({ body }) => body.reembedding);
    await until(told, ({ done }) => done > 0);
    for (const pid of workersOf(server)) process.kill(pid, 'SIGKILL');
    const stopped = await until(told, ({ state }) => state === 'stopped');
    expect(stopped).toMatchObject({ impossible: 0, problem: expect.stringMatching(/files of model other have changed|model other cannot be/) });
    await put('openclip-tiny', 'other');
    const target = stopped.fingerprint;
    await until(() => listedAs(server, 'other'), ({ fingerprint }) => fingerprint !== target);
    const refused = await call(server.url, 'POST', '/v1/collections/mine/reembed', { model: 'other' });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining('other files of model "other"')]);
    await put('siglip2-tiny', 'other');
    await until(() => listedAs(server, 'other'), ({ fingerprint }) => fingerprint === target);
    await call(server.url, 'POST', '/v1/collections/mine/reembed', { model: 'other' });
    const { body } = await until(() => call(server.url, 'GET', '/v1/collections/mine'), (each) => each.body.reembedding === undefined);
    expect([body.model, body.counts.total, body.model_available]).toEqual(['other', 200, true]);
  });
});
