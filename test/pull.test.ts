/** Models that the service pulls from a hub, by the API and from the page. The hub is the tests' own. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { Job } from '../src/contract/jobs.js';
import { call } from './api.js';
import { filesOf, sha256, startHub, type Files, type TestHub } from './hub-server.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { repository, runMixspace, startServer, tinyModels, type RunningServer } from './server.js';

const pulled = path.join(repository, 'test/fixtures/reference/siglip2-tiny');
const commit = 'c'.repeat(40);
const vision = 'onnx/vision_model.onnx';
const key = 'a-key-of-the-test';

let files: Files;
let hub: TestHub;
let models: string;
let server: RunningServer;
let client: MixspaceClient;
const quiet = { HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: '', HF_HOME: '', HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '', NO_PROXY: '', no_proxy: '' };
const environment = (): Record<string, string> => ({ ...quiet, HF_ENDPOINT: hub.url, MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'first', MIXSPACE_HUB: 'yes' });

beforeAll(async () => {
  files = await filesOf(pulled, (file) => !file.startsWith('golden'));
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-pull-'));
  await cp(path.join(tinyModels, 'clip-tiny'), path.join(models, 'first'), { recursive: true });
  const repositoryOf = (license: string) => ({ branches: { main: commit }, commits: { [commit]: files }, card: { license } });
  hub = await startHub({ 'tests/free': repositoryOf('apache-2.0'), 'tests/bound': repositoryOf('cc-by-nc-4.0'), 'tests/seen': repositoryOf('cc-by-nc-4.0'), 'tests/slow': repositoryOf('mit'), 'tests/dropped': repositoryOf('mit') });
  server = await startServer({ env: environment() });
  client = new MixspaceClient({ url: server.url, retries: 0 });
}, 120_000);
beforeEach(() => void (hub.mischief = {}));
afterAll(async () => {
  await server?.remove();
  await hub?.close();
  if (models) await rm(models, { recursive: true, force: true });
});

const there = (): Promise<string[]> => readdir(models);
const bytes = (): number => [...files.values()].reduce((sum, { length }) => sum + length, 0);
const ended = async (id: string, of = client): Promise<Job> => {
  let last: Job | undefined;
  for await (const { job } of of.followJob(id)) last = job;
  return last!;
};
const refusal = (body: object) => call(server.url, 'POST', '/v1/models/pull', body);
/** Of a job whose file the hub holds: once as much of it as comes has come. */
const held = async (id: string): Promise<Job> => {
  await expect.poll(async () => (await client.job(id)).done, { timeout: 10_000 }).toBeGreaterThan(0);
  return client.job(id);
};

describe('A service that may pull models', () => {
  it('tells the plan, brings every file as a job, and offers the model', async () => {
    const { plan, job: none } = await client.pullModel({ id: 'tests/free', dry_run: true });
    expect(none).toBeUndefined();
    expect(plan).toMatchObject({ id: 'tests/free', name: 'free', commit, variants: ['fp32'], license: 'apache-2.0', must_be_accepted: false, bytes: bytes(), bytes_to_come: bytes(), complete: false });
    expect(await there()).toEqual(['first']);
    const { job } = await client.pullModel({ id: 'tests/free' });
    expect(await ended(job!.id)).toMatchObject({ kind: 'pull', state: 'done', done: bytes(), total: bytes(), failed: 0, result: { id: 'tests/free', model: 'free', commit, bytes: bytes() } });
    const brought = await filesOf(path.join(models, 'free'));
    for (const [file, content] of files) expect([file, sha256(brought.get(file)!)]).toEqual([file, sha256(content)]);
    expect((await client.models()).map(({ id }) => id)).toContain('free');
    expect(await client.embeddings({ model: 'free', input: ['a word'] })).toHaveLength(1);
    const again = await client.pullModel({ id: 'tests/free' });
    expect([again.plan.complete, again.plan.bytes_to_come, again.job]).toEqual([true, 0, undefined]);
  });

  it('asks for agreement where a license restricts', async () => {
    const { status, body } = await refusal({ id: 'tests/bound' });
    expect([status, body.error.code, body.error.param]).toEqual([422, 'unprocessable', 'accept_license']);
    expect(body.error.message).toContain('cc-by-nc-4.0; it forbids commercial use');
    expect((await client.jobs({ kind: 'pull' })).jobs.some(({ result }) => result?.['model'] === 'bound')).toBe(false);
    const { job } = await client.pullModel({ id: 'tests/bound', accept_license: true, as: 'agreed' });
    expect((await ended(job!.id)).state).toBe('done');
    expect(await there()).toContain('agreed');
  });

  it('refuses names that lead elsewhere, names that are taken, and what the hub does not have', async () => {
    for (const [body, status, param] of [
      [{ id: '../../etc/passwd' }, 400, 'id'],
      [{ id: 'tests/free', as: '../free' }, 400, 'as'],
      [{ id: 'tests/free', as: '.hidden' }, 400, 'as'],
      [{ id: 'tests/free', folder: '../x' }, 400, 'folder'],
      [{ id: 'tests/free', variant: 'q3' }, 400, 'variant'],
      [{ id: 'tests/free', variant: 'q8', as: 'other' }, 404, 'variant'],
      [{ id: 'x'.repeat(401) }, 400, 'id'],
      [{ id: 'tests/slow', as: 'first' }, 409, 'as'],
      [{ id: 'tests/nothing' }, 404, 'id'],
      [{ id: 'tests/free', extra: 1 }, 400, 'extra'],
    ] as const) {
      const answer = await refusal(body);
      expect([body, answer.status, answer.body.error.param]).toEqual([body, status, param]);
      expect(answer.body.error.message).not.toContain('--');
    }
    expect((await client.jobs({ kind: 'pull', state: 'failed' })).jobs).toEqual([]);
  });

  it('is cancelled without a trace, and goes on after a restart where it was', async () => {
    hub.mischief.hold = { file: vision, after: 1000 };
    const { job: dropped } = await client.pullModel({ id: 'tests/dropped' });
    const half = await held(dropped!.id);
    expect([half.state, half.total, half.done < bytes()]).toEqual(['running', bytes(), true]);
    expect((await client.cancelJob(dropped!.id)).state).toBe('cancelled');
    expect((await there()).filter((name) => name.includes('dropped'))).toEqual([]);

    const { job } = await client.pullModel({ id: 'tests/slow' });
    await held(job!.id);
    await expect.poll(async () => [...(await filesOf(path.join(models, '.pulling-slow'), (file) => file.endsWith('.part'))).values()].map(({ length }) => length)).toEqual([1000]);
    await server.stop();
    hub.mischief = {};
    hub.asked.length = 0;
    server = await startServer({ env: environment(), indexDir: server.indexDir });
    client = new MixspaceClient({ url: server.url, retries: 0 });
    expect(await ended(job!.id)).toMatchObject({ state: 'done', done: bytes() });
    expect(hub.bytesAsked(vision).map(({ from }) => from > 0)).toEqual([true]);
    expect(await there()).toContain('slow');
  }, 60_000);

  it('is told to by the command line, too', async () => {
    const { code, stdout } = await runMixspace(['models', 'pull', 'tests/free', '--as', 'told', '--url', server.url], { MIXSPACE_URL: '' });
    expect([code, stdout]).toEqual([0, expect.stringContaining('told is there')]);
    expect(await there()).toContain('told');
  });
});

describe('A service that may not', () => {
  const others: RunningServer[] = [];
  afterEach(() => Promise.all(others.splice(0).map((each) => each.remove())));
  const get = (url: string, headers: Record<string, string>) => call(url, 'GET', '/v1/models/pull', undefined, headers);
  const statusAt = async (url: string, headers: Record<string, string> = {}): Promise<[boolean | undefined, number]> => [(await get(url, headers)).body.allowed, (await call(url, 'POST', '/v1/models/pull', { id: 'tests/free', as: 'unwanted', dry_run: true }, headers)).status];

  it('says so: it was not allowed to, a proxy stands before it, or it is open to others without keys', async () => {
    expect(await statusAt(server.url, { 'x-forwarded-for': '203.0.113.9' })).toEqual([false, 403]);
    const outside = Object.values(networkInterfaces()).flat().find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    const [off, open, keyed] = await Promise.all([
      startServer({ env: { ...environment(), MIXSPACE_HUB: 'no' } }),
      startServer({ env: { ...environment(), HOST: '0.0.0.0', MIXSPACE_ALLOW_OPEN: 'yes' } }),
      startServer({ env: { ...environment(), HOST: '0.0.0.0', MIXSPACE_API_KEYS: key } }),
    ]);
    others.push(off, open, keyed);
    expect(await statusAt(off.url)).toEqual([false, 403]);
    expect(await statusAt(open.url)).toEqual([false, 403]);
    expect(await statusAt(keyed.url)).toEqual([undefined, 401]);
    const at = outside === undefined ? keyed.url : keyed.url.replace('127.0.0.1', outside);
    expect(await statusAt(at, { authorization: `Bearer ${key}` })).toEqual([true, 202]);
    expect(await there()).not.toContain('unwanted');
  }, 60_000);
});

describe('The page', () => {
  const visit = inBrowser(() => [server.url]);
  it.runIf(withBrowser)('lists what is known, tells what a pull means, asks for agreement, and follows it to its end', async () => {
    const { page } = visit;
    visit.allow(/404|422/);
    await page.goto(`${server.url}/?view=library&section=models`);
    const known = page.locator('.known-models tbody tr');
    await expect.poll(() => known.count()).toBeGreaterThan(5);
    expect(await known.filter({ hasText: 'CLIP ViT-B/32' }).innerText()).toMatch(/mit\s+about 604 MB\s+224\s+63\.3\s+58\.8/);
    expect(await known.filter({ hasText: 'MobileCLIP S2' }).innerText()).toContain('must be agreed to');

    const other = page.getByLabel('Another model of the hub');
    await other.fill('tests/nothing');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.pulling [role=alert]').innerText()).toContain('has no model tests/nothing');
    expect(await other.inputValue()).toBe('tests/nothing');

    await other.fill('tests/seen');
    await page.keyboard.press('Enter');
    const plan = page.locator('.pull-plan');
    await expect.poll(() => plan.innerText()).toContain('it forbids commercial use');
    const pull = plan.getByRole('button', { name: 'Pull' });
    expect(await pull.isDisabled()).toBe(true);
    await visit.shot('pull-plan');
    hub.mischief.hold = { file: vision, after: 1000 };
    await plan.getByLabel('I agree to this license').check();
    await pull.click();
    const job = page.locator('.pulling .job');
    await expect.poll(() => job.innerText()).toMatch(/[\d.]+ (bytes|kB|MB) of [\d.]+ (kB|MB) done/);
    await visit.shot('pulling');
    hub.mischief = {};
    hub.release();
    await expect.poll(() => page.locator('.card.model h3').allInnerTexts()).toContain('seen');
    expect(await job.count()).toBe(0);
  }, 40_000);

  it.runIf(withBrowser)('says in German and Chinese why it is refused', async () => {
    const { page } = visit;
    visit.allow(/404|400/);
    for (const [language, label, asks, said] of [['de', 'Ein anderes Modell des Hubs', 'Ansehen', 'Auf dem Hub gibt es dieses Modell nicht'], ['zh', '模型中心的其他模型', '查看', '模型中心没有该模型']] as const) {
      await page.addInitScript(`localStorage.setItem('mixspace-language', '${language}')`);
      await page.goto(`${server.url}/?view=library&section=models`);
      await page.getByLabel(label).fill('tests/nothing');
      await page.getByRole('button', { name: asks, exact: true }).click();
      await expect.poll(() => page.locator('.pulling [role=alert]').innerText()).toContain(said);
      expect(await page.locator('.pulling [role=alert]').innerText()).not.toContain('has no model');
      await visit.shot(`pull-${language}`);
    }
  });
});
