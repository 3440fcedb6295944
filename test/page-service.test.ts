/** A service that is gone, slow or busy: the page says so where one looks, and goes on by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inBrowser, withBrowser } from './page-browser.js';
import { startServer, type RunningServer } from './server.js';

describe('a service that is not as it should be', () => {
  let server: RunningServer;
  const visit = inBrowser(() => [server.url]);
  beforeAll(async () => {
    if (withBrowser) server = await startServer();
  });
  afterAll(() => server?.remove());

  it.runIf(withBrowser)('that has too much to do is said, and asked again by itself', async () => {
    visit.allow(/429/);
    const { page } = visit;
    let refused = 0;
    await page.route('**/v1/models', (route) => (refused++ < 6 ? route.fulfill({ status: 429, headers: { 'retry-after': '0' }, json: { error: { message: 'Too much waits.', type: 'x', param: null, code: 'overloaded' } } }) : route.continue()));
    await page.goto(`${server.url}/?view=library&section=models`);
    await expect.poll(() => page.locator('.service-note').innerText()).toContain('has much to do');
    await expect.poll(() => page.getByRole('alert').innerText()).toBe('Too much waits. It is tried again by itself.\nTry again'.replace('\n', '\n\n'));
    await expect.poll(() => page.locator('.model').count()).toBe(1);
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    await expect.poll(() => page.locator('.service-note').innerText()).toBe('');
  });

  it.runIf(withBrowser)('that is slow is waited for, and said to be', async () => {
    const { page } = visit;
    let answer: () => void = () => {};
    await page.route('**/v1/models', async (route) => {
      await new Promise<void>((resolve) => (answer = resolve));
      await route.continue();
    });
    await page.goto(`${server.url}/?view=library&section=models`);
    await expect.poll(() => page.locator('.service-note').innerText()).toContain('longer than usual');
    answer();
    await expect.poll(() => page.locator('.model').count()).toBe(1);
    await expect.poll(() => page.locator('.service-note').innerText()).toBe('');
  });

  it.runIf(withBrowser)('that its proxy cannot reach is said to be gone, and asked again by itself', async () => {
    visit.allow(/502/);
    const { page } = visit;
    let isReached = false;
    for (const at of ['**/v1/models', '**/readyz']) await page.route(at, (route) => (isReached ? route.continue() : route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>502 Bad Gateway</h1>' })));
    await page.goto(`${server.url}/?view=library&section=models`);
    await expect.poll(() => page.locator('.service-note').innerText()).toContain('does not answer');
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/^No mixspace answers.*502.*It is tried again by itself\./);
    isReached = true;
    await expect.poll(() => page.locator('.model').count()).toBe(1);
    await expect.poll(() => page.locator('.service-note').innerText()).toBe('');
  });

  it.runIf(withBrowser)('that is gone is said to be, what was typed stays, and all comes by itself when it is back', async () => {
    visit.allow(/ERR_|502|503|Failed to load/);
    const { page } = visit;
    await page.goto(`${server.url}/?view=library`);
    await page.getByRole('button', { name: 'New collection' }).click();
    await page.getByLabel('Name').fill('later');
    await server.kill();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await expect.poll(() => page.locator('.service-note').innerText()).toContain('does not answer');
    // What the form asks for by itself may not have come before the service went.
    await expect.poll(async () => (await page.getByRole('form').getByRole('alert').allInnerTexts()).join(' ')).toContain('No mixspace answers');
    await page.getByRole('link', { name: 'Models', exact: true }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('It is tried again by itself.');
    await visit.shot('gone');
    await page.goBack();
    const back = await startServer({ port: server.port, indexDir: server.indexDir });
    try {
      await expect.poll(() => page.locator('.service-note').innerText()).toBe('');
      await page.getByRole('link', { name: 'Models', exact: true }).click();
      await expect.poll(() => page.locator('.model').count()).toBe(1);
    } finally {
      await back.stop();
    }
  });
});
