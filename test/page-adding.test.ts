import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const key = 'a-key-of-the-test';

describe('adding and deleting in the page', () => {
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
  const notice = () => page.locator('.notices').innerText();
  const countIn = async (name: string, of = client): Promise<number> => (await of.collection(name)).counts.total;
  const chooser = () => page.locator('.add-button input').first();

  describe('uploads', () => {
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
      expect(await page.evaluate('navigator.clipboard.readText()')).toContain('holiday/empty.png\tThe file is empty.\n');

      await button('Done').click();
      expect(await card().count()).toBe(0);
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
      expect(await countIn('single')).toBe(1);
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
      expect(await card().innerText()).toContain('Left out: 1 hidden file');
      expect((await client.itemPage('chosen')).items.flatMap(({ sources }) => sources).toSorted()).toEqual(['chosen/inner/one.png', 'chosen/two.png']);
    });

    it.runIf(withBrowser)('queues what is given meanwhile, through pages and collections, and loses no batch for a file that has gone', async () => {
      await Promise.all(['queue-a', 'queue-b'].map((name) => client.createCollection({ name })));
      await put(['qa0.png', 'qa1.png', 'qb0.png', 'qb1.png', 'qb2.png']);
      const release = await holdUploads();
      await page.goto(`${open.url}/?collection=queue-a`);
      await choose(['qa0.png', 'qa1.png']);
      await expect.poll(headline).toBe('Adding pictures: 0 of 2');
      await page.getByRole('combobox', { name: 'Collection' }).selectOption('queue-b');
      await choose(['qb0.png', 'qb1.png', 'qb2.png']);
      await rm(path.join(folder, 'qb1.png'));
      await expect.poll(() => card().innerText()).toContain('queue-b waiting');
      await page.getByRole('link', { name: 'Map' }).click();
      await expect.poll(() => page.getByRole('heading').first().innerText()).toBe('Map');
      expect(await headline()).toBe('Adding pictures: 0 of 5');
      await visit.shot('adding-queue');
      release();
      await expect.poll(headline).toBe('4 added, 1 failed.');
      const report = await card().innerText();
      expect(report).toContain('qb1.png: The file is not there any more.');
      expect(report).toMatch(/queue-a\s2 added\./);
      expect(report).toMatch(/queue-b\s2 added, 1 failed\./);
      expect([await countIn('queue-a'), await countIn('queue-b')]).toEqual([2, 2]);
      await expect.poll(() => page.getByRole('status').first().innerText()).toBe('4 added, 1 failed.');
    });

    it.runIf(withBrowser)('can be stopped, tells how many were added, warns before it is left, and goes on', async () => {
      await client.createCollection({ name: 'stopped' });
      const files = Array.from({ length: 40 }, (_, index) => `stop/${index}.png`);
      await put(files);
      const release = await holdUploads(1);
      await page.goto(`${open.url}/?collection=stopped`);
      await choose(files);
      await expect.poll(headline).toBe('Adding pictures: 16 of 40');

      // No browser warns where nobody has done anything.
      await page.getByRole('searchbox').click();
      const warned = page.waitForEvent('dialog');
      const leaving = page.goto('about:blank').catch(() => {});
      const warning = await warned;
      expect(warning.type()).toBe('beforeunload');
      await warning.dismiss();
      await leaving;

      await button('Stop').click();
      await expect.poll(headline).toBe('Stopped, 16 added, 24 not sent, 16 of these were on the way and may be there.');
      await visit.shot('adding-stopped');
      expect(await countIn('stopped')).toBe(16);
      release();
      await button('Go on').click();
      await expect.poll(headline).toBe('40 added.');
      expect(await countIn('stopped')).toBe(40);
      await page.reload();
      await expect.poll(() => tiles().count()).toBe(40);
    });

    it.runIf(withBrowser)('waits for a service that has gone, says so, and goes on when it is back', { timeout: 60_000 }, async () => {
      visit.allow(/ERR_|502|503/);
      await client.createCollection({ name: 'gone' });
      const files = Array.from({ length: 20 }, (_, index) => `gone/${index}.png`);
      await put(files);
      const release = await holdUploads(1);
      await page.goto(`${open.url}/?collection=gone`);
      await choose(files);
      await expect.poll(headline).toBe('Adding pictures: 16 of 20');
      await open.stop();
      release();
      await expect.poll(() => card().innerText()).toContain('The service does not answer. Nothing is lost');
      expect(await card().innerText()).toContain('Next try in');
      await visit.shot('adding-gone');
      const { indexDir, port } = open;
      const again = await startServer({ indexDir, port });
      open = { ...again, remove: async () => (await again.remove(), await rm(indexDir, { recursive: true, force: true })) };
      await button('Try now').click({ timeout: 1000 }).catch(() => {});
      await expect.poll(headline, { timeout: 20_000 }).toBe('20 added.');
      expect(await countIn('gone')).toBe(20);
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
      expect(await countIn('busy')).toBe(0);
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
      expect(await card().innerText()).toContain('alone1.png: Too large <b>here</b>.');
    });

    it.runIf(withBrowser)('asks for the key when the one it had is no longer known, and goes on with another', { timeout: 60_000 }, async () => {
      visit.allow(/401|ERR_/);
      const files = Array.from({ length: 20 }, (_, index) => `locked/${index}.png`);
      await put(files);
      await page.goto(locked.url);
      await giveKey(key);
      await expect.poll(() => page.locator('.nothing').count()).toBe(1);
      const release = await holdUploads(1);
      await choose(files);
      await expect.poll(headline).toBe('Adding pictures: 16 of 20');
      await locked.stop();
      const { indexDir, port } = locked;
      const again = await startServer({ indexDir, port, env: { MIXSPACE_API_KEYS: 'another-key' } });
      locked = { ...again, remove: async () => (await again.remove(), await rm(indexDir, { recursive: true, force: true })) };
      release();
      await giveKey('another-key');
      await expect.poll(headline).toBe('20 added.');
      expect(await countIn('default', new MixspaceClient({ url: locked.url, apiKey: 'another-key' }))).toBe(20);
      // It is left at once, with a deletion that is held back.
      await tiles().first().click();
      await page.keyboard.press('Delete');
      await expect.poll(notice).toContain('Deleted');
      await page.goto('about:blank');
      await expect.poll(() => countIn('default', new MixspaceClient({ url: locked.url, apiKey: 'another-key' }))).toBe(19);
    });
  });

  describe('deleting', () => {
    const titles = () => page.locator('.grid .title').allInnerTexts();
    /** A collection of drawings, looked at. */
    const looked = async (name: string, count: number): Promise<void> => {
      await client.createCollection({ name });
      await client.uploadItems(name, await Promise.all(Array.from({ length: count }, async (_, seed) => ({ name: `${seed}.png`, blob: new Blob([await drawn(seed)]), metadata: { name: `drawing ${seed}` } }))));
      await page.goto(`${open.url}/?collection=${name}`);
      await expect.poll(() => tiles().count()).toBe(count);
    };
    const remove = async (title: string): Promise<void> => {
      await page.getByRole('button', { name: title }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    };

    it.runIf(withBrowser)('hides an item at once, and brings it back when that is undone', async () => {
      await looked('undone', 3);
      await remove('drawing 1');
      await expect.poll(titles).not.toContain('drawing 1');
      expect(await page.getByRole('dialog').count()).toBe(0);
      expect(await notice()).toContain('Deleted “drawing 1”');
      await visit.shot('deleted');
      await button('Undo').click();
      await expect.poll(titles).toContain('drawing 1');
      expect(await notice()).toBe('');

      await remove('drawing 0');
      await remove('drawing 2');
      await expect.poll(notice).toMatch(/^2 deleted\s*Undo$/);
      await page.keyboard.press('Control+z');
      await expect.poll(() => tiles().count()).toBe(3);
      expect(await countIn('undone')).toBe(3);
    });

    it.runIf(withBrowser)('is made after ten seconds, through changes of view, and what is added again is shown again', async () => {
      await page.clock.install();
      await looked('made', 3);
      await remove('drawing 1');
      await expect.poll(notice).toContain('Deleted');
      await page.clock.runFor(8_000);
      await page.getByRole('link', { name: 'Map' }).click();
      expect(await countIn('made')).toBe(3);
      await page.clock.runFor(3_000);
      await expect.poll(() => countIn('made')).toBe(2);
      await expect.poll(notice).toBe('');
      await page.goBack();
      await expect.poll(() => tiles().count()).toBe(2);

      await writeFile(path.join(folder, 'again.png'), await drawn(1));
      await choose(['again.png']);
      await page.clock.runFor(1_000);
      await expect.poll(headline).toBe('1 added.');
      await expect.poll(() => tiles().count()).toBe(3);
    });

    it.runIf(withBrowser)('is sent when the page is left', async () => {
      await looked('left', 8);
      for (const seed of [1, 2, 3, 4, 5, 6]) await remove(`drawing ${seed}`);
      await expect.poll(notice).toContain('6 deleted');
      expect(await countIn('left')).toBe(8);
      await page.goto('about:blank');
      await expect.poll(() => countIn('left')).toBe(2);
    });

    it.runIf(withBrowser)('brings back what could not be deleted, and says so', async () => {
      visit.allow(/500/);
      await page.clock.install();
      await looked('failed', 2);
      const refuse = (route: Route) => (route.request().method() === 'DELETE' ? route.fulfill({ status: 500, json: { error: { message: 'The disk does not answer.', type: 'server_error', param: null, code: 'internal' } } }) : route.continue());
      await page.route('**/items/*', refuse);
      await remove('drawing 0');
      await expect.poll(() => tiles().count()).toBe(1);
      await page.clock.runFor(11_000);
      await expect.poll(notice).toContain('“drawing 0” was not deleted. The disk does not answer.');
      expect(await tiles().count()).toBe(2);
      await page.unroute('**/items/*', refuse);
      await button('Try again').click();
      await expect.poll(() => tiles().count()).toBe(1);
      await page.clock.runFor(11_000);
      await expect.poll(() => countIn('failed')).toBe(1);
    });
  });

  /** Small pictures, each another. */
  async function put(names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, await drawn(++drawnSoFar, 'png', 24 + (drawnSoFar % 40), 24 + Math.floor(drawnSoFar / 40)));
      }),
    );
  }

  const choose = (names: string[]): Promise<void> => chooser().setInputFiles(names.map((name) => path.join(folder, name)));

  async function giveKey(value: string): Promise<void> {
    await page.getByPlaceholder('API key').fill(value);
    await page.keyboard.press('Enter');
  }

  /** Uploads, but for the first so many, wait for what is returned. */
  async function holdUploads(first = 0): Promise<() => void> {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let calls = 0;
    await page.route('**/items', async (route) => {
      if (route.request().method() === 'POST' && calls++ >= first) await held;
      await route.continue().catch(() => {});
    });
    return release;
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

let drawnSoFar = 0;
