/** What changes while one looks: by jobs, by others, by oneself. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page, Request } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { call } from './api.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { repository, startServer, tinyModels, type RunningServer } from './server.js';

const texts = 900;
// Each batch takes so long that a job is met under way.
const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'paced-encoder.mjs')).href}`, PACE_MS: '150' };

describe('the page, live', () => {
  let models: string;
  let server: RunningServer;
  let client: MixspaceClient;
  let page: Page;
  const visit = inBrowser(() => [server.url]);
  beforeAll(async () => {
    if (!withBrowser) return;
    models = await mkdtemp(path.join(tmpdir(), 'mixspace-live-'));
    await cp(path.join(tinyModels, 'clip-tiny'), path.join(models, 'first'), { recursive: true });
    await cp(path.join(repository, 'test/fixtures/reference/siglip2-tiny'), path.join(models, 'second'), { recursive: true });
    server = await startServer({ env: { ...paced, MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'first' } });
    client = new MixspaceClient({ url: server.url });
    await client.createCollection({ name: 'moving' });
    await client.addItems('moving', Array.from({ length: texts }, (_, i) => ({ id: `t${i}`, text: `sentence ${i}` })));
  }, 120_000);
  afterAll(async () => {
    await server?.remove();
    if (models) await rm(models, { recursive: true, force: true });
  });
  beforeEach(() => void (page = visit.page));

  const footer = () => page.locator('footer').innerText();
  const tiles = () => page.locator('.grid .tile');
  const news = () => page.locator('.new-ones').innerText();
  const drop = (seeds: number[]) => Promise.all(seeds.map(async (seed) => ({ name: `${seed}.png`, mimeType: 'image/png', buffer: await drawn(seed) }))).then((files) => page.locator('.add-button input').first().setInputFiles(files));
  const filled = async (name: string, count: number): Promise<void> => {
    await client.createCollection({ name });
    await client.uploadItems(name, await Promise.all(Array.from({ length: count }, async (_, seed) => ({ name: `${seed}.png`, blob: new Blob([new Uint8Array(await drawn(seed))]), metadata: { name: `drawing ${seed}` } }))));
  };
  /** As a browser does with a tab that nobody sees. */
  const hide = (isHidden: boolean) => page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} }); document.dispatchEvent(new Event('visibilitychange'))`);

  it.runIf(withBrowser)('tells of a job by its events, asks nothing while it is hidden, and is up to date when it is seen again', { timeout: 60_000 }, async () => {
    const asked: string[] = [];
    const streams = new Set<Request>();
    page.on('request', (request) => void (request.url().includes('/v1/') && asked.push(request.url())));
    page.on('request', (request) => void (request.url().endsWith('/events') && streams.add(request)));
    for (const over of ['requestfinished', 'requestfailed'] as const) page.on(over as 'requestfailed', (request) => void streams.delete(request));
    await page.goto(`${server.url}/?collection=moving`);
    await expect.poll(footer).toContain(`${texts} texts`);
    const { job } = await client.reembed('moving', { model: 'second' });
    await hide(false);
    const figures = new Set<string>();
    await expect.poll(async () => figures.add(/second: (\d+) of/.exec(await footer())?.[1] ?? '').size, { interval: 100, timeout: 15_000 }).toBeGreaterThan(2);
    expect(streams.size).toBe(1);
    await client.pauseJob(job!);
    await hide(true);
    await expect.poll(() => streams.size).toBe(0);
    asked.length = 0;
    await client.resumeJob(job!);
    for await (const { type } of client.followJob(job!)) if (type === 'end') break;
    expect(asked).toEqual([]);
    await hide(false);
    await expect.poll(footer).toContain('second');
    await expect.poll(footer).not.toContain('on its way');
  });

  it.runIf(withBrowser)('keeps the place where one reads when something is added, and counts it', async () => {
    await filled('read', 70);
    await page.goto(`${server.url}/?collection=read`);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await page.evaluate('scrollTo(0, 1500)');
    await expect.poll(() => page.evaluate('scrollY')).toBe(1500);
    const seen = async (): Promise<string[]> => page.locator('.grid .tile').evaluateAll((all: { getBoundingClientRect: () => { top: number }; innerText: string }[]) => all.filter((tile) => tile.getBoundingClientRect().top > 100 && tile.getBoundingClientRect().top < 600).map((tile) => `${tile.innerText} ${Math.round(tile.getBoundingClientRect().top)}`));
    const before = await seen();
    expect(before.length).toBeGreaterThan(3);
    await drop([200, 201, 202]);
    await expect.poll(news).toBe('3 new items · Show');
    await expect.poll(footer).toContain('73 pictures');
    expect(await seen()).toEqual(before);
    await visit.shot('new');
    await page.locator('.new-ones button').click();
    await expect.poll(() => page.locator('.grid .title').first().getAttribute('title')).toMatch(/^20[012]\.png$/);
    expect(await page.evaluate('scrollY')).toBe(0);
    await page.goBack();
    await expect.poll(() => page.evaluate('scrollY')).toBe(1500);
    expect(await seen()).toEqual(before);
  });

  it.runIf(withBrowser)('counts right when something is deleted, brought back and added', async () => {
    await filled('counted', 3);
    await page.clock.install();
    await page.goto(`${server.url}/?collection=counted`);
    const remove = async (title: string): Promise<void> => {
      await page.getByRole('button', { name: title }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    };
    await expect.poll(footer).toContain('3 pictures');
    await remove('drawing 1');
    await expect.poll(footer).toContain('2 pictures');
    expect((await client.collection('counted')).counts.image).toBe(3);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(footer).toContain('3 pictures');
    await remove('drawing 2');
    await page.clock.runFor(11_000);
    await expect.poll(async () => (await client.collection('counted')).counts.image).toBe(2);
    await page.clock.runFor(2_000);
    expect(await footer()).toContain('2 pictures');
    await drop([50]);
    await expect.poll(async () => (await page.clock.runFor(1_000), footer())).toContain('3 pictures');
    await call(server.url, 'DELETE', '/v1/collections/counted/items?all=true');
    await expect.poll(async () => (await page.clock.runFor(5_000), footer())).toContain('0 pictures');
  });

  it.runIf(withBrowser)('shows no thumbnail that is another by now', async () => {
    const color = async (): Promise<string> => page.evaluate(`(async () => {
      const image = document.querySelector('.grid img');
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.getContext('2d').drawImage(image, 0, 0);
      return [...canvas.getContext('2d').getImageData(5, 5, 1, 1).data].map((value) => (value > 128 ? 1 : 0)).join('');
    })()`);
    const flat = (r: number, g: number, b: number) => sharp({ create: { width: 60, height: 60, channels: 3, background: { r, g, b } } }).png().toBuffer();
    await client.createCollection({ name: 'swapped' });
    const put = async (bytes: Buffer) => client.uploadItems('swapped', [{ id: 'one', name: 'one.png', blob: new Blob([new Uint8Array(bytes)]) }]);
    await put(await flat(255, 0, 0));
    await page.goto(`${server.url}/?collection=swapped`);
    await expect.poll(() => tiles().count()).toBe(1);
    expect(await color()).toBe('1001');
    await client.deleteItem('swapped', 'one');
    await put(await flat(0, 0, 255));
    await page.reload();
    await expect.poll(() => tiles().count()).toBe(1);
    expect(await color()).toBe('0011');
    const address = client.imageUrl('swapped', 'one');
    const { headers } = await fetch(address);
    const kept = await fetch(address, { headers: { 'if-none-match': headers.get('etag')! } });
    expect([kept.status, (await kept.arrayBuffer()).byteLength]).toEqual([304, 0]);
  });

  it.runIf(withBrowser)('says what the service refuses in the language that it speaks', async () => {
    visit.allow(/404/);
    for (const [language, damaged, missing] of [['de', 'Das Bild ist beschädigt oder unvollständig.', 'Das gibt es nicht, oder nicht mehr.'], ['zh', '图片已损坏或不完整。', '不存在，或已不再存在。']] as const) {
      await page.addInitScript(`localStorage.setItem('mixspace-language', '${language}')`);
      await page.goto(server.url);
      const whole = await drawn(3);
      await page.locator('.add-button input').first().setInputFiles([{ name: 'broken.png', mimeType: 'image/png', buffer: whole.subarray(0, whole.length >> 1) }]);
      await expect.poll(() => page.locator('.adding-card .failures li').innerText()).toBe(`broken.png: ${damaged}`);
      await page.goto(`${server.url}/?like=nobody`);
      await expect.poll(() => page.locator('main [role=alert]').innerText()).toContain(missing);
      await visit.shot(`refused-${language}`);
    }
  });
});
