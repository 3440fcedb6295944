import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, items, searchIn } from './api.js';
import { changingModels, checked, embed, interactive, listed, listedAs, models, open, put, start, until, visionOf } from './changing-models.js';
import { workersOf } from './server.js';

changingModels();

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
    await expect.poll(() => server.logs()).toContain('Model other is unloaded from a worker: its files are others now.');
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
    const before = await encoder.models.model('other');
    await put('siglip2-tiny', 'other');
    await encoder.models.look();
    const after = await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    await expect(encoder.encodeTexts(before, ['a dog'], interactive)).rejects.toMatchObject({ code: 'conflict' });
    await expect(encoder.encodeTexts(after, ['a dog'], interactive)).resolves.toHaveLength(1);
  });

  it('never loads changed files for those that were checked, although nobody has looked', async () => {
    const encoder = await open({ modelIdleSeconds: 0.2 });
    const before = await encoder.models.model('other');
    const [wanted] = await encoder.encodeTexts(before, ['a dog'], interactive);
    await until(() => encoder.models.list(), ([, other]) => other!.loadedIn === 0);
    await put('openclip-tiny', 'other');
    await expect(encoder.encodeTexts('other', ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('have changed since they were checked') });
    const after = await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint !== before.fingerprint);
    expect(await encoder.encodeTexts(after, ['a dog'], interactive)).not.toEqual([wanted]);
    await put('clip-tiny', 'other');
    await encoder.models.look();
    await until(() => encoder.models.model('other'), ({ fingerprint }) => fingerprint === before.fingerprint);
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
