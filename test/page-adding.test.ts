import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { startServer, type RunningServer } from './server.js';

const key = 'a-key-of-the-test';

describe('adding pictures in the page', () => {
  let open: RunningServer;
  let locked: RunningServer;
  let folder: string;
  let client: MixspaceClient;
  const visit = inBrowser(() => [open.url, locked.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    [open, locked] = await Promise.all([startServer(), startServer({ env: { MIXSPACE_API_KEYS: key } })]);
    folder = await mkdtemp(path.join(tmpdir(), 'mixspace-page-'));
    client = new MixspaceClient({ url: open.url });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([open?.remove(), locked?.remove()]);
    if (folder) await rm(folder, { recursive: true });
  });

  let page: Page;
  beforeEach(() => void (page = visit.page));

  const card = () => page.locator('.adding-card');
  const headline = () => card().locator('.headline').innerText();
  const button = (name: string) => page.getByRole('button', { name });
  const tiles = () => page.locator('.grid .tile');
  const countIn = async (name: string, of = client): Promise<number> => (await of.collection(name)).counts.total;
  const chooser = () => page.locator('.add-button input').first();

  it.runIf(withBrowser)('adds a dropped folder wherever it lands, names each entry that fails, and counts what it leaves out', async () => {
    await client.createCollection({ name: 'folder' });
    // More than a browser tells of a folder at once.
    const many = Array.from({ length: 104 }, (_, index) => `holiday/many/${index}.png`);
    await put([...many, 'holiday/first.png', 'holiday/.hidden.png', 'holiday/.cache/deep.png']);
    await writeFile(path.join(folder, 'holiday/notes.txt'), 'no picture');
    await writeFile(path.join(folder, 'holiday/empty.png'), '');
    await writeFile(path.join(folder, 'holiday/broken.png'), 'no picture');
    await page.goto(`${open.url}/?collection=folder`);
    await drop(['holiday']);
    await expect.poll(headline).toBe('105 added, 2 failed.');
    const report = await card().innerText();
    expect(report).toContain('holiday/empty.png: The file is empty.');
    expect(report).toMatch(/holiday\/broken\.png: .*picture/);
    expect(report).toContain('Left out: 2 hidden files, 1 file that is no picture');
    await visit.shot('adding-folder');
    const sources: string[] = [];
    for await (const item of client.listItems('folder')) sources.push(...item.sources);
    expect(sources.toSorted()).toEqual([...many, 'holiday/first.png'].toSorted());
    await expect.poll(() => page.locator('footer').innerText()).toContain('105 pictures');
    await expect.poll(() => tiles().count()).toBeGreaterThan(0);

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await button('Copy list').click();
    await expect.poll(() => button('Copied').count()).toBe(1);
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toContain('holiday/empty.png\tThe file is empty.\n');

    await button('Done').click();
    await expect.poll(() => card().count()).toBe(0);
    await drop(['holiday/first.png', 'holiday/many/1.png', 'holiday/.hidden.png']);
    await expect.poll(headline).toBe('1 added, 2 already there.');
  });

  it.runIf(withBrowser)('asks of a single picture whether it is searched by or added', async () => {
    await client.createCollection({ name: 'single' });
    await put(['single.png']);
    await page.goto(`${open.url}/?collection=single`);
    await expect.poll(() => page.locator('.nothing').count()).toBe(1);
    await drop(['single.png'], { onto: 'add' });
    await expect.poll(headline).toBe('1 added.');
    await drop(['single.png'], { onto: 'search' });
    await expect.poll(() => page.locator('.wanted').innerText()).toContain('single.png');
    await expect.poll(() => countIn('single')).toBe(1);
  });

  it.runIf(withBrowser)('chooses a whole folder too', async () => {
    await client.createCollection({ name: 'chosen' });
    await put(['chosen/inner/one.png', 'chosen/two.png', 'chosen/.hidden.png']);
    await page.goto(`${open.url}/?collection=chosen`);
    await button('Add').click();
    await visit.shot('adding-choices');
    const choosing = page.waitForEvent('filechooser');
    await button('A folder…').click();
    await (await choosing).setFiles(path.join(folder, 'chosen'));
    await expect.poll(headline).toBe('2 added.');
    await expect.poll(() => card().innerText()).toContain('Left out: 1 hidden file');
    expect((await client.itemPage('chosen')).items.flatMap(({ sources }) => sources).toSorted()).toEqual(['chosen/inner/one.png', 'chosen/two.png']);
  });

  it.runIf(withBrowser)('queues what is given meanwhile, through pages and collections, and loses no batch for a file that has gone', async () => {
    await Promise.all(['queue-a', 'queue-b'].map((name) => client.createCollection({ name })));
    await put(['qa0.png', 'qa1.png', 'qb0.png', 'qb1.png', 'qb2.png']);
    const { passAll } = await holdUploads();
    await page.goto(`${open.url}/?collection=queue-a`);
    await choose(['qa0.png', 'qa1.png']);
    await expect.poll(headline).toBe('Adding pictures: 0 of 2');
    await page.getByRole('combobox', { name: 'Collection' }).selectOption('queue-b');
    await choose(['qb0.png', 'qb1.png', 'qb2.png']);
    await rm(path.join(folder, 'qb1.png'));
    await expect.poll(() => card().innerText()).toContain('queue-b waiting');
    await page.getByRole('link', { name: 'Compare' }).click();
    await expect.poll(() => page.getByRole('heading').first().innerText()).toBe('Compare');
    expect(await headline()).toBe('Adding pictures: 0 of 5');
    await visit.shot('adding-queue');
    passAll();
    await expect.poll(headline).toBe('4 added, 1 failed.');
    const report = await card().innerText();
    expect(report).toContain('qb1.png: The file is not there any more.');
    expect(report).toMatch(/queue-a\s2 added\./);
    expect(report).toMatch(/queue-b\s2 added, 1 failed\./);
    expect([await countIn('queue-a'), await countIn('queue-b')]).toEqual([2, 2]);
    await expect.poll(() => page.getByRole('status').allInnerTexts()).toContain('4 added, 1 failed.');
  });

  it.runIf(withBrowser)('can be stopped, tells how many were added, warns before it is left, and goes on', async () => {
    await client.createCollection({ name: 'stopped' });
    const files = Array.from({ length: 40 }, (_, index) => `stop/${index}.png`);
    await put(files);
    const { pass, passAll } = await holdUploads();
    await page.clock.install();
    await page.goto(`${open.url}/?collection=stopped`);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await choose(files);
    await sent;
    expect(await headline()).toBe('Adding pictures: 0 of 40');
    await page.clock.runFor(60_000);
    pass();
    await expect.poll(headline).toBe('Adding pictures: 16 of 40');
    // 24 pictures at 16 a minute.
    await expect.poll(() => card().innerText()).toContain('about 2 min left');

    // No browser warns where nobody has done anything.
    await page.getByRole('searchbox').click();
    const warned = page.waitForEvent('dialog');
    const leaving = page.goto('about:blank').catch(() => {});
    const warning = await warned;
    expect(warning.type()).toBe('beforeunload');
    await warning.dismiss();
    await leaving;

    await button('Stop').click();
    await expect.poll(headline).toBe('Stopped: 16 added, 24 not sent.');
    await expect.poll(() => card().innerText()).toContain('16 of these were on the way, and may be there.');
    await visit.shot('adding-stopped');
    await expect.poll(() => countIn('stopped')).toBe(16);
    passAll();
    await button('Go on').click();
    await expect.poll(headline).toBe('40 added.');
    await expect.poll(() => countIn('stopped')).toBe(40);
    await page.reload();
    await expect.poll(() => page.locator('footer').innerText()).toContain('40 pictures');
  });

  it.runIf(withBrowser)('waits for a service that has gone, says so, and goes on when it is back', { timeout: 180_000 }, async () => {
    visit.allow(/ERR_|502|503/);
    await client.createCollection({ name: 'gone' });
    const files = Array.from({ length: 20 }, (_, index) => `gone/${index}.png`);
    await put(files);
    const { pass, passAll } = await holdUploads();
    await page.goto(`${open.url}/?collection=gone`);
    await choose(files);
    pass();
    await expect.poll(headline).toBe('Adding pictures: 16 of 20');
    await open.stop();
    passAll();
    await expect.poll(() => card().innerText()).toContain('The service does not answer. Nothing is lost');
    await expect.poll(() => card().innerText()).toContain('Next try in');
    await visit.shot('adding-gone');
    const { indexDir, port } = open;
    const again = await startServer({ indexDir, port });
    open = { ...again, remove: async () => (await again.remove(), await rm(indexDir, { recursive: true, force: true })) };
    await button('Try now').click({ timeout: 1000 }).catch(() => {});
    await expect.poll(headline, { timeout: 20_000 }).toBe('20 added.');
    await expect.poll(() => countIn('gone')).toBe(20);
  });

  it.runIf(withBrowser)('waits as long as a busy service asks for', async () => {
    visit.allow(/429/);
    await client.createCollection({ name: 'busy' });
    await put(['busy0.png', 'busy1.png']);
    let calls = 0;
    await page.route('**/items', (route) => (route.request().method() === 'POST' && calls++ === 0 ? route.fulfill({ status: 429, headers: { 'retry-after': '60' }, json: { error: { message: 'Too much at once.', type: 'rate_limit_error', param: null, code: 'overloaded' } } }) : route.continue()));
    await page.goto(`${open.url}/?collection=busy`);
    await choose(['busy0.png', 'busy1.png']);
    await expect.poll(() => card().innerText()).toMatch(/too much to do[^]*Next try in (60|5\d) s/);
    await expect.poll(() => countIn('busy')).toBe(0);
    await button('Try now').click();
    await expect.poll(headline).toBe('2 added.');
  });

  it.runIf(withBrowser)('sends each picture alone where one makes the whole upload fail', async () => {
    visit.allow(/413/);
    await client.createCollection({ name: 'alone' });
    await put(['alone0.png', 'alone1.png', 'alone2.png']);
    await page.route('**/items', (route) => (route.request().postDataBuffer()?.includes('filename="alone1.png"') ? route.fulfill({ status: 413, json: { error: { message: 'Too large <b>here</b>.', type: 'invalid_request_error', param: null, code: 'too_large' } } }) : route.continue()));
    await page.goto(`${open.url}/?collection=alone`);
    await choose(['alone0.png', 'alone1.png', 'alone2.png']);
    await expect.poll(headline).toBe('2 added, 1 failed.');
    await expect.poll(() => card().innerText()).toContain('alone1.png: Too large <b>here</b>.');
  });

  it.runIf(withBrowser)('gives up what breaks off each time though the service answers, and what has nowhere to go', async () => {
    visit.allow(/404|ERR_/);
    await client.createCollection({ name: 'broken' });
    await put(['breaks.png']);
    await page.route('**/items', (route) => (route.request().method() === 'POST' ? route.abort('connectionreset') : route.continue()));
    await page.clock.install();
    await page.goto(`${open.url}/?collection=broken`);
    await choose(['breaks.png']);
    await expect.poll(() => card().innerText()).toContain('does not answer');
    await expect.poll(async () => (await page.clock.runFor(5_000), headline())).toBe('0 added, 1 failed.');
    await expect.poll(() => card().innerText()).toContain('breaks.png: The upload broke off each time.');

    await page.unroute('**/items');
    await client.deleteCollection('broken');
    await choose(['breaks.png']);
    await expect.poll(headline).toBe('Stopped: 0 added, 1 failed, 1 not sent.');
    await expect.poll(() => card().innerText()).toMatch(/There is no collection.*broken|broken/);
    await visit.shot('adding-nowhere');
  });

  it.runIf(withBrowser)('asks for the key when the one it had is no longer known, and goes on with another', { timeout: 180_000 }, async () => {
    visit.allow(/401|502|ERR_/);
    const files = Array.from({ length: 20 }, (_, index) => `locked/${index}.png`);
    await put(files);
    await page.goto(locked.url);
    await giveKey(key);
    await expect.poll(() => page.locator('.nothing').count()).toBe(1);
    const { pass, passAll } = await holdUploads();
    await choose(files);
    pass();
    await expect.poll(headline).toBe('Adding pictures: 16 of 20');
    await locked.stop();
    const { indexDir, port } = locked;
    const again = await startServer({ indexDir, port, env: { MIXSPACE_API_KEYS: 'another-key' } });
    locked = { ...again, remove: async () => (await again.remove(), await rm(indexDir, { recursive: true, force: true })) };
    passAll();
    await giveKey('another-key');
    await expect.poll(headline).toBe('20 added.');
    await expect.poll(() => countIn('default', new MixspaceClient({ url: locked.url, apiKey: 'another-key' }))).toBe(20);
  });

  /** Small pictures, each another. */
  async function put(names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name);
        await mkdir(path.dirname(file), { recursive: true });
        const number = ++written;
        await writeFile(file, await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: number % 256, g: Math.floor(number / 256), b: 90 } } }).png().toBuffer());
      }),
    );
  }

  const choose = (names: string[]): Promise<void> => chooser().setInputFiles(names.map((name) => path.join(folder, name)));

  async function giveKey(value: string): Promise<void> {
    await page.getByPlaceholder('API key').fill(value);
    await page.keyboard.press('Enter');
  }

  /** Uploads wait to be let through, one by one; the last of them with all that follow. */
  async function holdUploads(): Promise<{ pass: () => void; passAll: () => void }> {
    let allowed = 0;
    const waiting: (() => void)[] = [];
    await page.route('**/items', async (route) => {
      if (route.request().method() === 'POST' && allowed-- <= 0) await new Promise<void>((resolve) => waiting.push(resolve));
      await route.continue().catch(() => {});
    });
    const pass = (): void => (waiting.length > 0 ? waiting.shift()!() : void allowed++);
    return {
      pass,
      passAll: () => {
        while (waiting.length > 0) waiting.shift()!();
        allowed = Infinity;
      },
    };
  }

  /** As a file manager does. */
  async function drop(names: string[], { onto }: { onto?: 'add' | 'search' } = {}): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: names.map((name) => path.join(folder, name)), dragOperationsMask: 1 };
    const at = { x: 300, y: 300 };
    await session.send('Input.dispatchDragEvent', { type: 'dragEnter', ...at, data });
    const over = () => session.send('Input.dispatchDragEvent', { type: 'dragOver', ...at, data });
    // A browser tells of a drag again and again.
    await expect.poll(() => over().then(() => page.locator('[data-drop]').count())).toBe(names.length === 1 ? 2 : 1);
    await visit.shot(`dropping-${names.length}`);
    if (onto) {
      const box = (await page.locator(`[data-drop="${onto}"]`).boundingBox())!;
      Object.assign(at, { x: box.x + box.width / 2, y: box.y + box.height / 2 });
    }
    await over();
    await session.send('Input.dispatchDragEvent', { type: 'drop', ...at, data });
    await session.detach();
  }
});

let written = 0;
