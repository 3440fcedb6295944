/** Strings that want to be more than text: they are shown as they are, and nothing of them runs, loads or breaks out of its place. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const hostile = {
  markup: '<img src="x" onerror="window.ran=1"><script>window.ran=1</script><b>bold</b>',
  attribute: '"><svg onload="window.ran=1"></svg><a href="javascript:window.ran=1">',
  template: '{{window.ran=1}} ${window.ran=1} <%= window.ran=1 %>',
  backwards: '\u202Egnp.elif\u202C \u2067مرحبا [x]\u2069 (end)',
  escapes: '\u001B[31mred\u001B[0m \u001B]0;title\u0007',
  emoji: '👩‍👩‍👧‍👦🏳️‍🌈👍🏽'.repeat(20),
  long: 'W'.repeat(10_000),
};
const named = Object.entries(hostile);
/** What the service itself refuses in names. */
const hasControl = (text: string): boolean => /[\u0000-\u001F\u007F-\u009F]/.test(text);

describe('hostile strings', () => {
  let server: RunningServer;
  let client: MixspaceClient;
  const visit = inBrowser(() => [server.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    server = await startServer();
    client = new MixspaceClient({ url: server.url });
    await client.createCollection({ name: 'hostile', description: `${hostile.markup} ${hostile.backwards} ${hostile.escapes} ${'W'.repeat(3000)}` });
    const pictures = await Promise.all(named.map(async ([id, text], seed) => ({ id, name: `${hostile.markup}.png`, source: `C:\\${text.slice(0, 500)}.png`, blob: new Blob([new Uint8Array(await drawn(seed))]), metadata: { title: text, [hostile.markup]: text } })));
    const outcomes = [...(await client.uploadItems('hostile', pictures)), ...(await client.addItems('hostile', named.map(([id, text]) => ({ id: `text-${id}`, text: text.slice(0, 2000) }))))];
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'created'));
    for (const { id } of [await client.makeClusters('hostile', { count: 3, modality: 'image' }), await client.makeMap('hostile')]) {
      for await (const { job } of client.followJob(id)) if (job.ended_at !== undefined) expect(job.state).toBe('done');
    }
    const { clusters } = await client.clusters('hostile');
    const names = [hostile.markup, hostile.backwards, 'W'.repeat(200)];
    for (const [place, cluster] of clusters.entries()) await client.renameCluster('hostile', cluster.id, names[place]!);
    await client.putClassifier('hostile', { labels: named.map(([, text]) => text.slice(0, 200)).filter((text) => !hasControl(text)) });
  });
  afterAll(() => server?.remove());

  let page: Page;
  beforeEach(async () => {
    if (!withBrowser) return;
    page = visit.page;
    await page.setViewportSize({ width: 390, height: 844 });
  });

  /** Nothing ran, nothing was made of them but text, and none is wider than the screen. */
  const expectHarmless = async (): Promise<void> => {
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(await page.locator('img[src="x"], b:text-is("bold"), svg[onload], a[href^="javascript:"], script:not([src])').count()).toBe(0);
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  };
  const settle = async (at: string): Promise<void> => {
    await page.goto(server.url + at, { waitUntil: 'networkidle' });
    await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0);
  };

  it.runIf(withBrowser)('of metadata and file names are text in the list, and in each opened picture', async () => {
    await settle('/?collection=hostile');
    await expect.poll(() => page.locator('.grid .tile').count()).toBeGreaterThan(2);
    await expectHarmless();
    await visit.shot('hostile-list');
    await page.locator('.grid .tile').first().click();
    const dialog = page.getByRole('dialog');
    const unseen = new Map(named);
    for (let step = 0; step < 2 * named.length && unseen.size > 0; step++) {
      const text = (await dialog.textContent())!;
      for (const [id, value] of unseen) if (text.includes(value) && text.includes(hostile.markup)) unseen.delete(id);
      await expectHarmless();
      await page.keyboard.press('ArrowRight');
      await page.waitForTimeout(100);
    }
    await visit.shot('hostile-opened');
    expect([...unseen.keys()]).toEqual([]);
  });

  it.runIf(withBrowser)('of descriptions and clusters are text in the library', async () => {
    await settle('/?view=library&collection=hostile');
    await expect.poll(() => page.locator('.description').textContent()).toBe((await client.collection('hostile')).description);
    await expectHarmless();
    await visit.shot('hostile-library');
    await settle('/?view=library&collection=hostile&part=clusters');
    const { clusters } = await client.clusters('hostile');
    expect(clusters.map(({ name }) => name)).toContain(hostile.markup);
    await expect.poll(() => page.locator('.cluster-name').allTextContents()).toEqual(clusters.map(({ name }) => name));
    await expectHarmless();
    await visit.shot('hostile-clusters');
  });

  it.runIf(withBrowser)('of names, labels and metadata are text on the map, in the classifier and in the comparison', async () => {
    const given = encodeURIComponent(hostile.markup);
    await settle('/?view=map&collection=hostile&area=o0,0,2.9&color=title');
    await expect.poll(() => page.locator('.map-legend').textContent()).toContain(hostile.markup);
    await expect.poll(() => page.locator('.selection-grid button').count()).toBeGreaterThan(3);
    await expectHarmless();
    await visit.shot('hostile-map');
    await settle('/?view=map&collection=hostile&color=%24cluster&open=markup');
    await expect.poll(() => page.locator('.labels').textContent()).toContain(hostile.markup);
    await expect.poll(() => page.locator('.item-card').textContent()).toContain(hostile.markup);
    await expectHarmless();
    await settle(`/?view=map&collection=hostile&color=${given}&only=${given}&q=${given}&from=${given}&to=${given}&at=${given}&area=${given}`);
    await expectHarmless();
    const ids = named.map(([id]) => id).join();
    await settle(`/?view=classify&collection=hostile&ids=${ids}&labels=${given}%0A${encodeURIComponent(hostile.backwards)}%0A${'W'.repeat(200)}`);
    await expect.poll(() => page.locator('.bars').first().textContent()).toContain(hostile.markup);
    await expectHarmless();
    await visit.shot('hostile-classify');
    await settle(`/?view=classify&collection=hostile&ids=${ids}&classifier=hostile`);
    await expect.poll(() => page.locator('.bars').first().textContent()).toContain(hostile.markup);
    await expectHarmless();
    await settle(`/?view=compare&collection=hostile&ids=${ids}&texts=${given}%0A${encodeURIComponent(hostile.backwards)}%0A${'W'.repeat(1000)}&cell=0.0`);
    await expect.poll(() => page.locator('.matrix').textContent()).toContain(hostile.markup);
    await expectHarmless();
    await visit.shot('hostile-compare');
  });

  it.runIf(withBrowser)('do nothing in the other pages, or from the address', async () => {
    visit.allow(/40[04]/);
    const given = encodeURIComponent(hostile.markup);
    for (const at of ['/?view=map&collection=hostile', '/?view=classify&collection=hostile&classifier=hostile', '/?view=compare&collection=hostile', `/?collection=hostile&q=${given}`, `/?collection=${given}`, `/?view=library&collection=${given}`, `/?view=library&section=${given}&part=${given}`]) {
      await settle(at);
      await expectHarmless();
    }
  });
});
