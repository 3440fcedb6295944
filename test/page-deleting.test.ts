import type { Page, Route } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const key = 'a-key-of-the-test';

describe('deleting in the page', () => {
  let open: RunningServer;
  let locked: RunningServer;
  let client: MixspaceClient;
  let drawings: Buffer[];
  const visit = inBrowser(() => [open.url, locked.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    [open, locked] = await Promise.all([startServer(), startServer({ env: { MIXSPACE_API_KEYS: key } })]);
    client = new MixspaceClient({ url: open.url });
    drawings = await Promise.all(Array.from({ length: 8 }, (_, seed) => drawn(seed)));
  }, 120_000);
  afterAll(() => Promise.all([open?.remove(), locked?.remove()]));

  let page: Page;
  beforeEach(() => void (page = visit.page));

  const button = (name: string) => page.getByRole('button', { name });
  const tiles = () => page.locator('.grid .tile');
  const notice = () => page.locator('.notices').innerText();
  const countIn = async (name: string, of = client): Promise<number> => (await of.collection(name)).counts.total;
  const titles = () => page.locator('.grid .title').allInnerTexts();
  /** A collection of drawings, looked at. */
  const looked = async (name: string, count: number): Promise<void> => {
    await client.createCollection({ name });
    await client.uploadItems(name, drawings.slice(0, count).map((bytes, seed) => ({ name: `${seed}.png`, blob: new Blob([bytes]), metadata: { name: `drawing ${seed}` } })));
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
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await expect.poll(() => notice()).toContain('Deleted “drawing 1”');
    await visit.shot('deleted');
    await button('Undo').click();
    await expect.poll(titles).toContain('drawing 1');
    await expect.poll(() => notice()).toBe('');

    await remove('drawing 0');
    await remove('drawing 2');
    await expect.poll(notice).toMatch(/^2 deleted\s*Undo$/);
    await page.keyboard.press('Control+z');
    await expect.poll(() => tiles().count()).toBe(3);
    await expect.poll(() => countIn('undone')).toBe(3);
  });

  it.runIf(withBrowser)('is made after ten seconds, through changes of view, and what is added again is shown again', async () => {
    await page.clock.install();
    await looked('made', 3);
    await remove('drawing 1');
    await expect.poll(notice).toContain('Deleted');
    await page.getByRole('link', { name: 'Compare' }).click();
    await expect.poll(() => countIn('made')).toBe(3);
    await page.clock.runFor(11_000);
    await expect.poll(() => countIn('made')).toBe(2);
    await expect.poll(notice).toBe('');
    await page.goBack();
    await expect.poll(() => tiles().count()).toBe(2);

    await page.locator('.add-button input').first().setInputFiles({ name: 'again.png', mimeType: 'image/png', buffer: drawings[1]! });
    await expect.poll(() => page.locator('.adding-card').innerText()).toContain('1 added.');
    await expect.poll(() => tiles().count()).toBe(3);
  });

  it.runIf(withBrowser)('is sent when the page is left', async () => {
    await looked('left', 8);
    for (const seed of [1, 2, 3, 4, 5, 6]) await remove(`drawing ${seed}`);
    await expect.poll(notice).toContain('6 deleted');
    await expect.poll(() => countIn('left')).toBe(8);
    await page.goto('about:blank');
    await expect.poll(() => countIn('left')).toBe(2);
  });

  it.runIf(withBrowser)('is sent with the key when the page is left, and made by the Delete key', async () => {
    visit.allow(/401/);
    const keyed = new MixspaceClient({ url: locked.url, apiKey: key });
    await keyed.uploadItems('default', [1, 2].map((seed) => ({ name: `${seed}.png`, blob: new Blob([drawings[seed]!]) })));
    await page.goto(locked.url);
    await page.getByPlaceholder('API key').fill(key);
    await page.keyboard.press('Enter');
    await tiles().first().click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Delete');
    await expect.poll(notice).toContain('Deleted “');
    await expect.poll(() => countIn('default', keyed)).toBe(2);
    await page.goto('about:blank');
    await expect.poll(() => countIn('default', keyed)).toBe(1);
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
    await expect.poll(() => tiles().count()).toBe(2);
    await page.unroute('**/items/*', refuse);
    await button('Try again').click();
    await expect.poll(() => tiles().count()).toBe(1);
    await page.clock.runFor(11_000);
    await expect.poll(() => countIn('failed')).toBe(1);
  });
});
