import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const key = 'a-key-of-the-test';
const pictureCount = 45;

describe('the page', () => {
  let open: RunningServer;
  let locked: RunningServer;
  const visit = inBrowser(() => [open.url, locked.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    [open, locked] = await Promise.all([startServer(), startServer({ env: { MIXSPACE_API_KEYS: key } })]);
    const files = await Promise.all(Array.from({ length: pictureCount }, async (_, seed) => ({ name: `drawn-${seed}.png`, blob: new Blob([await drawn(seed)]), metadata: { name: `drawing ${seed}` } })));
    await new MixspaceClient({ url: open.url }).uploadItems('default', files);
    await new MixspaceClient({ url: locked.url, apiKey: key }).uploadItems('default', files.slice(0, 3));
    await new MixspaceClient({ url: open.url }).createCollection({ name: 'empty' });
  }, 120_000);
  afterAll(() => Promise.all([open?.remove(), locked?.remove()]));

  let page: Page;
  beforeEach(() => void (page = visit.page));

  const tiles = () => page.locator('.grid .tile');
  /** What a model of random weights finds is not relevant. */
  const nearestAreShown = async (): Promise<void> => {
    await expect.poll(() => page.locator('.grid h2').innerText()).toBe('Nothing here matches. Nearest anyway:');
  };
  const { shot } = visit;

  it.runIf(withBrowser)('tells why a match stands where it does', { timeout: 60_000 }, async () => {
    await page.goto(`${open.url}/?q=blue`);
    await nearestAreShown();
    await tiles().first().click();
    await page.getByRole('button', { name: 'Why?' }).click();
    await expect.poll(() => page.locator('.why').innerText(), { timeout: 30_000 }).toContain('blue');
    const [picture, heat] = await Promise.all([page.locator('.stage img').first().boundingBox(), page.locator('.stage .heat').boundingBox()]);
    expect(heat).toEqual(picture);
    await shot('why');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('.why').count()).toBe(0);
  });

  it.runIf(withBrowser)('shows what is there, and more of it where one looks', async () => {
    await page.goto(open.url);
    await expect.poll(() => tiles().count()).toBeGreaterThan(10);
    await expect.poll(() => page.locator('footer').innerText()).toContain(`${pictureCount} pictures`);
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await expect.poll(() => tiles().last().getAttribute('data-index')).toBe(String(pictureCount - 1));
    await expect.poll(() => page.locator('.grid li').last().getAttribute('aria-setsize')).toBe(String(pictureCount));
  });

  it.runIf(withBrowser)('comes compressed, in less than 300 kB before the map', async () => {
    const context = await page.context().browser()!.newContext();
    try {
      const fresh = await context.newPage();
      const come: Promise<{ url: string; bytes: number; encoding: string | undefined } | undefined>[] = [];
      fresh.on('requestfinished', (request) => {
        come.push(Promise.all([request.sizes(), request.response()]).then(([{ responseBodySize }, response]) => ({ url: request.url(), bytes: responseBodySize, encoding: response?.headers()['content-encoding'] }), () => undefined));
      });
      await fresh.goto(`${open.url}/?q=blue`);
      await expect.poll(() => fresh.locator('.grid .tile').count()).toBeGreaterThan(0);
      const files = (await Promise.all(come)).filter((each) => each !== undefined).filter(({ url }) => !url.includes('/v1/'));
      const scripts = files.filter(({ url }) => /\.(js|css)$/.test(url));
      expect(scripts.length).toBeGreaterThan(2);
      expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(300_000);
      expect(files.filter(({ url, bytes, encoding }) => /\.(js|css)$/.test(url) && bytes > 2000 && encoding === undefined)).toEqual([]);
      const script = scripts.find(({ url }) => url.endsWith('.js'))!.url;
      const plain = await (await fetch(script, { headers: { 'accept-encoding': 'identity' } })).text();
      expect(await (await fetch(script, { headers: { 'accept-encoding': 'gzip' } })).text()).toBe(plain);
    } finally {
      await context.close();
    }
  });

  it.runIf(withBrowser)('searches by words while they are typed, and keeps the search in its address', async () => {
    await page.goto(open.url);
    await page.getByRole('searchbox').fill('a red circle');
    await nearestAreShown();
    await expect.poll(() => page.locator('.grid .score').count()).toBeGreaterThan(10);
    const scores = (await page.locator('.grid .score').allInnerTexts()).map(Number);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    await expect.poll(() => page.url()).toContain('?q=a+red+circle');
    await shot('words');

    const titles = await page.locator('.grid .title').allInnerTexts();
    await page.reload();
    await nearestAreShown();
    await expect.poll(() => page.locator('.grid .title').allInnerTexts()).toEqual(titles);
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('a red circle');
  });

  it.runIf(withBrowser)('searches by a picture that is chosen, dropped or pasted', async () => {
    const bytes = await drawn(7);
    await page.goto(open.url);
    await page.locator('input[type=file]').first().setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: bytes });
    await expect.poll(() => page.locator('.grid .title').first().innerText()).toBe('drawing 7');
    await expect.poll(() => page.locator('.wanted').innerText()).toContain('mine.png');
    await shot('picture');

    for (const [event, seed] of [['drop', 11], ['paste', 23]] as const) {
      await give(event, seed);
      await expect.poll(() => page.locator('.grid .title').first().innerText()).toBe(`drawing ${seed}`);
    }
  });

  it.runIf(withBrowser)('opens a picture, and finds more like it', async () => {
    await page.goto(`${open.url}/?q=blue`);
    await nearestAreShown();
    const title = await page.locator('.grid .title').nth(2).innerText();
    await tiles().nth(2).click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.getByRole('heading').innerText()).toBe(title);
    await expect.poll(() => dialog.locator('.stage img').evaluate((image: { naturalWidth?: number }) => image.naturalWidth)).toBe(320);
    await shot('details');

    await dialog.getByRole('button', { name: 'More like this' }).click();
    await expect.poll(() => page.locator('.wanted').innerText()).toContain(title);
    await expect.poll(() => page.locator('.grid .title').first().innerText()).not.toBe(title);
    await expect.poll(() => page.url()).toContain('like=');
    await expect.poll(() => dialog.count()).toBe(0);

    // To the picture that was open, and to what it was found by.
    await page.goBack();
    await expect.poll(() => dialog.getByRole('heading').innerText()).toBe(title);
    await expect.poll(() => page.getByRole('searchbox').inputValue()).toBe('blue');
  });

  it.runIf(withBrowser)('tells how to add pictures where there are none, adds them, and names those that failed', async () => {
    await page.goto(`${open.url}/?collection=empty`);
    await expect.poll(() => page.locator('main').innerText()).toContain('npx mixspace add --collection empty FOLDER');
    await shot('empty');
    await page.locator('input[type=file]').nth(1).setInputFiles([
      { name: 'good.png', mimeType: 'image/png', buffer: await drawn(1) },
      { name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
    ]);
    await expect.poll(() => page.locator('.panel').innerText()).toContain('1 added, 1 failed.');
    await expect.poll(() => page.locator('.panel').innerText()).toContain('bad.png');
    await expect.poll(() => tiles().count()).toBe(1);
  });

  it.runIf(withBrowser)('says in words what went wrong', async () => {
    visit.allow(/404/);
    await page.goto(`${open.url}/?collection=nowhere&q=cat`);
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/nowhere.*\./);
  });

  it.runIf(withBrowser)('asks for the key where the service does, and shows pictures with it', async () => {
    visit.allow(/401/);
    await page.goto(locked.url);
    await page.getByPlaceholder('API key').fill('wrong');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('form').innerText()).toContain('not known');
    await page.getByPlaceholder('API key').fill(key);
    await page.keyboard.press('Enter');
    await expect.poll(() => tiles().count()).toBe(3);
    await expect.poll(() => page.locator('.grid img').first().evaluate((image: { naturalWidth?: number }) => image.naturalWidth)).toBeGreaterThan(0);
  });

  it.runIf(withBrowser)('is used by keyboard alone, and fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${open.url}/?q=green`);
    await nearestAreShown();
    await expect.poll(() => tiles().count()).toBeGreaterThan(5);
    await tiles().first().focus();
    await page.keyboard.press('Enter');
    const heading = page.getByRole('dialog').getByRole('heading');
    const first = await heading.innerText();
    await shot('narrow-details');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => heading.innerText()).not.toBe(first);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await shot('narrow');
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(await page.locator('.grid img:not([alt]), .grid img[alt=""]').count()).toBe(0);
  });

  it('is built without anything from another host', async () => {
    const html = await readFile(path.resolve('dist/dashboard/index.html'), 'utf8');
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  });

  /** A picture dropped onto the page or pasted into it, as the browser itself would tell the page. */
  async function give(event: 'drop' | 'paste', seed: number): Promise<void> {
    const picture = (await drawn(seed)).toString('base64');
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob('${picture}'), (letter) => letter.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], 'given-${seed}.png', { type: 'image/png' }));
      document.body.dispatchEvent(
        '${event}' === 'drop'
          ? new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true }),
      );
    })()`);
  }
});
