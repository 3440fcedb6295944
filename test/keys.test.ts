/** Keys of a file: what each may do, how often, and what happens when the file changes. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes, type Route } from '../src/contract/routes.js';
import { call, items, searchIn, type Answer } from './api.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { readsTexts, startSmall, type SmallService } from './small-service.js';

const key = { reader: randomUUID(), writer: randomUUID(), admin: randomUUID(), ofOne: randomUUID(), slow: randomUUID(), lead: randomUUID() };
const lines = `# who may do what
${key.reader} scope=read name=reader

${key.writer}   scope=write	name=Schreiberin
${key.admin}
${key.ofOne} scope=write collection=ours,theirs name=of-ours
${key.slow} scope=read rate=2/min name=slow
${key.lead} scope=admin collection=ours name=lead
`;

let folder: string;
let file: string;
let service: SmallService;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-keys-'));
  file = path.join(folder, 'keys');
  await writeFile(file, lines);
  service = await startSmall({ small: readsTexts }, { MIXSPACE_API_KEYS_FILE: file, MIXSPACE_API_KEYS: 'of-the-environment', MIXSPACE_HUB: 'yes' });
  for (const name of ['ours', 'secret']) await as('admin', 'POST', '/v1/collections', { name });
  await as('admin', 'POST', items('ours'), { items: [{ id: 'a', text: 'sea' }] });
});
afterAll(async () => {
  await service.remove();
  await rm(folder, { recursive: true, force: true });
});

const withKey = (given: string, method: string, at: string, body?: unknown): Promise<Answer> => call(service.server.url, method, at, body, { authorization: `Bearer ${given}` });
const as = (who: keyof typeof key, method: string, at: string, body?: unknown): Promise<Answer> => withKey(key[who], method, at, body);
const changes = (): Record<string, unknown>[] => service.server.logs().split('\n').filter((line) => line.includes('"A change')).map((line) => JSON.parse(line));

describe('A key', () => {
  it('is told what it may do', async () => {
    const self = async (who: keyof typeof key): Promise<unknown> => (await as(who, 'GET', '/v1/keys/self')).body;
    expect(await self('reader')).toEqual({ name: 'reader', scope: 'read' });
    expect(await self('ofOne')).toEqual({ name: 'of-ours', scope: 'write', collections: ['ours', 'theirs'] });
    expect(await self('admin')).toEqual({ name: 'line 5', scope: 'admin' });
    expect((await withKey('of-the-environment', 'GET', '/v1/keys/self')).body).toEqual({ name: 'key 1', scope: 'admin' });
  });

  it('that may read asks anything and changes nothing, whichever route it tries', async () => {
    expect((await as('reader', 'POST', searchIn('ours'), { query: 'sea' })).body.matches).toMatchObject([{ id: 'a' }]);
    expect((await as('reader', 'POST', '/v1/embeddings', { input: 'sea' })).status).toBe(200);
    expect((await as('reader', 'POST', '/v1/classify', { input: ['sea'], labels: ['sea', 'land'] })).status).toBe(200);
    expect((await as('reader', 'POST', `${items('ours')}/exists`, { ids: ['a', 'b'] })).body).toEqual({ missing: ['b'] });
    // By hand, so that a new route is thought of: what a key that reads must never do.
    const changing = (Object.entries(routes) as [string, Route][]).filter(([name, { method }]) => method !== 'get' && !['embed', 'classify', 'decide', 'selfTest', 'measureRecall', 'itemsExist', 'itemEmbeddings', 'getMapItems', 'mapScores', 'search'].includes(name));
    expect(changing.length).toBeGreaterThan(25);
    const before = await as('admin', 'GET', '/v1/collections/ours');
    for (const [name, { method, path: at }] of [...changing, ['backup', routes.backup], ['listKeys', routes.listKeys]] as [string, Route][]) {
      const answer = await as('reader', method.toUpperCase(), at.replace(/\{\w+\}/g, 'ours'), method === 'get' ? undefined : {});
      expect([name, answer.status, answer.body.error?.code]).toEqual([name, 403, 'forbidden']);
      expect(answer.body.error.message).toMatch(/^This needs a key with scope=(write|admin); this key has scope=read\.$/);
    }
    expect((await as('admin', 'GET', '/v1/collections/ours')).body).toEqual(before.body);
  });

  it('that may write changes items and classifiers, and nothing of the whole service', async () => {
    expect((await as('writer', 'POST', items('ours'), { items: [{ id: 'b', text: 'land' }] })).body.items).toMatchObject([{ status: 'created' }]);
    expect((await as('writer', 'PUT', '/v1/classifiers/wet', { labels: ['sea', 'land'] })).status).toBe(200);
    for (const [method, at] of [['GET', '/v1/backup'], ['POST', '/v1/restore'], ['POST', '/v1/models/pull'], ['GET', '/v1/keys']] as const) expect([at, (await as('writer', method, at, method === 'POST' ? {} : undefined)).status]).toEqual([at, 403]);
  });

  it('of some collections reaches those alone, whether others are there or not', async () => {
    expect((await as('ofOne', 'GET', '/v1/collections')).body.collections.map(({ name }: any) => name)).toEqual(['ours']);
    expect((await as('ofOne', 'POST', searchIn('ours'), { query: 'sea' })).status).toBe(200);
    for (const name of ['secret', 'nowhere', 'default']) {
      const answers = [await as('ofOne', 'POST', searchIn(name), { query: 'sea' }), await as('ofOne', 'GET', `/v1/collections/${name}`), await as('ofOne', 'DELETE', `/v1/collections/${name}`), await as('ofOne', 'GET', `/v1/jobs?collection=${name}`), await as('ofOne', 'POST', '/v1/collections', { name })];
      expect(answers.map(({ status, body }) => [status, body.error.message])).toEqual(answers.map(() => [403, 'This key is for the collections ours, theirs alone.']));
    }
    expect((await as('ofOne', 'POST', '/v1/collections', { name: 'theirs' })).status).toBe(201);
    expect((await as('ofOne', 'DELETE', '/v1/classifiers/wet')).status).toBe(403);
    expect((await as('lead', 'GET', '/v1/backup')).body.error.message).toBe('This concerns the whole service; this key is for the collection ours alone.');
    // Percent-encoding names the same collection.
    expect((await as('ofOne', 'GET', '/v1/collections/%73ecret')).status).toBe(403);
    expect((await as('ofOne', 'GET', '/v1/collections/%6furs')).status).toBe(200);
  });

  it('of some collections sees and moves the jobs of those alone', async () => {
    const start = async (name: string): Promise<string> => (await as('admin', 'POST', `/v1/collections/${name}/duplicates`, {})).body.job.id;
    const [ours, secret] = [await start('ours'), await start('secret')];
    const listed = async (who: keyof typeof key): Promise<string[]> => (await as(who, 'GET', '/v1/jobs')).body.jobs.map(({ id }: any) => id);
    expect([await listed('admin'), await listed('ofOne')]).toEqual([[secret, ours], [ours]]);
    expect((await as('ofOne', 'GET', `/v1/jobs/${ours}`)).status).toBe(200);
    const unknown = (await as('ofOne', 'GET', '/v1/jobs/none')).body.error.message;
    for (const [method, at] of [['GET', ''], ['GET', '/failures'], ['GET', '/events'], ['POST', '/cancel'], ['POST', '/pause']] as const) {
      const { status, body } = await as('ofOne', method, `/v1/jobs/${secret}${at}`);
      expect([status, body.error.message]).toEqual([404, unknown.replace('none', secret)]);
    }
  });

  it('with a rate is told after how many seconds it may call again', async () => {
    const answers = [await as('slow', 'GET', '/v1/models'), await as('slow', 'GET', '/v1/models'), await as('slow', 'GET', '/v1/models')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]!.body.error.message).toBe('This key may make 2 calls a minute.');
    const wait = Number(answers[2]!.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(30);
    expect(wait).toBeLessThanOrEqual(60);
    expect((await as('reader', 'GET', '/v1/models')).status).toBe(200);
  });

  it('is in no answer and no line of the log, which tells who changed what', async () => {
    await as('writer', 'DELETE', `${items('ours')}/b`);
    await as('reader', 'DELETE', `${items('ours')}/a`);
    await expect.poll(() => changes().slice(-2)).toMatchObject([
      { by: 'Schreiberin', method: 'DELETE', path: `${items('ours')}/b`, status: 204, msg: 'A change.' },
      { by: 'reader', method: 'DELETE', path: `${items('ours')}/a`, status: 403, msg: 'A change was refused.' },
    ]);
    const { keys } = (await as('admin', 'GET', '/v1/keys')).body;
    expect(keys.map(({ name, scope, collections, rate }: any) => [name, scope, collections, rate])).toEqual([
      ['key 1', 'admin', undefined, undefined],
      ['reader', 'read', undefined, undefined],
      ['Schreiberin', 'write', undefined, undefined],
      ['line 5', 'admin', undefined, undefined],
      ['of-ours', 'write', ['ours', 'theirs'], undefined],
      ['slow', 'read', undefined, 2],
      ['lead', 'admin', ['ours'], undefined],
    ]);
    expect(keys[5].calls).toBe(2);
    expect(Date.parse(keys[0].last_used_at)).toBeGreaterThan(Date.now() - 600_000);
    for (const each of [...Object.values(key), 'of-the-environment']) expect(service.server.logs() + JSON.stringify(keys)).not.toContain(each);
  });
});

describe('The library', () => {
  const visit = inBrowser(() => [service.server.url]);
  const rows = (): Promise<string[][]> => visit.page.locator('table.keys tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const enter = async (given: string): Promise<void> => {
    // Before there is a key, the page is told so.
    visit.allow(/401/);
    await visit.page.goto(`${service.server.url}/?view=library&section=keys`);
    await visit.page.locator('input[type=password]').fill(given);
    await visit.page.keyboard.press('Enter');
    await expect.poll(async () => (await rows()).length).toBeGreaterThan(0);
  };

  it.runIf(withBrowser)('shows all keys to one that may do anything', async () => {
    await enter(key.admin);
    const shown = await rows();
    expect(shown.map((row) => row.slice(0, 4))).toEqual([
      ['key 1', 'do anything', 'all collections', 'without bound'],
      ['reader', 'read', 'all collections', 'without bound'],
      ['Schreiberin', 'read and write', 'all collections', 'without bound'],
      ['line 5', 'do anything', 'all collections', 'without bound'],
      ['of-ours', 'read and write', 'ours, theirs', 'without bound'],
      ['slow', 'read', 'all collections', '2 a minute'],
      ['lead', 'do anything', 'ours', 'without bound'],
    ]);
    expect(shown.map((row) => row.length)).toEqual(shown.map(() => 6));
  });

  it.runIf(withBrowser)('shows any other what it may do itself', async () => {
    await enter(key.reader);
    expect(await rows()).toEqual([['reader', 'read', 'all collections', 'without bound']]);
  });

  it.runIf(withBrowser)('is offered to add and to delete where it may, and nowhere else', async () => {
    const { page } = visit;
    const isOffered = async (name: string): Promise<boolean> => (await page.getByRole('button', { name, exact: true }).count()) > 0;
    const offers = async (): Promise<Record<string, boolean>> => {
      await page.goto(`${service.server.url}/?collection=ours`);
      await page.locator('.grid .tile').first().click();
      await expect.poll(() => page.getByRole('dialog').getByRole('button', { name: 'More like this' }).count()).toBe(1);
      const picture = { add: await isOffered('Add'), delete: await isOffered('Delete') };
      await page.goto(`${service.server.url}/?view=library&collection=ours`);
      await expect.poll(() => page.getByRole('heading', { name: 'ours', exact: true }).count()).toBe(1);
      return { ...picture, create: await isOffered('New collection'), remove: await isOffered('Delete collection') };
    };
    await enter(key.reader);
    expect(await offers()).toEqual({ add: false, delete: false, create: false, remove: false });
    await page.goto(`${service.server.url}/?collection=ours&open=a`);
    await expect.poll(() => page.getByRole('dialog').count()).toBe(1);
    await page.keyboard.press('Delete');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(1);
    expect((await as('admin', 'GET', `${items('ours')}/a`)).status).toBe(200);

    await page.evaluate('sessionStorage.clear()');
    await enter(key.ofOne);
    expect(await offers()).toEqual({ add: true, delete: true, create: true, remove: true });
  });
});

describe('The keys file', () => {
  const put = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const told = (sentence: string): boolean => service.server.logs().includes(sentence);

  it('is read again when it changes: new keys come, others go or may do something else', async () => {
    const fresh = randomUUID();
    await put(`${fresh} scope=read name=fresh\n${key.admin} name=boss\n${key.writer} scope=read\n`);
    await expect.poll(() => told('The keys file was read again.')).toBe(true);
    expect((await withKey(fresh, 'GET', '/v1/models')).status).toBe(200);
    expect((await as('reader', 'GET', '/v1/models')).status).toBe(401);
    expect((await as('writer', 'DELETE', `${items('ours')}/a`)).status).toBe(403);
    expect((await withKey('of-the-environment', 'GET', '/v1/models')).status).toBe(200);
    expect((await as('admin', 'GET', '/v1/keys/self')).body).toEqual({ name: 'boss', scope: 'admin' });
  });

  it('that cannot be read, or is empty, leaves the keys as they were, and lets nobody in', async () => {
    await put(`${key.admin} scope=all\n`);
    await expect.poll(() => told('cannot be read in line 1: scope= takes one of read, write, admin. The keys stay as they were.')).toBe(true);
    await put('');
    await expect.poll(() => told('holds no key. The keys stay as they were.')).toBe(true);
    await rm(file);
    await expect.poll(() => told('cannot be read (ENOENT). The keys stay as they were.')).toBe(true);
    expect((await as('admin', 'GET', '/v1/keys/self')).body.name).toBe('boss');
    expect((await call(service.server.url, 'GET', '/v1/models')).status).toBe(401);
  });
});
