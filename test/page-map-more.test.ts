/** The map's first view, texts as cards, ranges, duplicates of a selection, and names in the language that is spoken. */
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { answerMap, encoded, type KnownMap } from './map-answers.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

describe('the map, further', () => {
  let server: RunningServer;
  let client: MixspaceClient;
  const visit = inBrowser(() => [server.url]);
  let page: Page;
  beforeAll(async () => {
    if (!withBrowser) return;
    server = await startServer();
    client = new MixspaceClient({ url: server.url });
  }, 120_000);
  afterAll(() => server?.remove());
  beforeEach(async () => {
    page = visit.page;
    if (withBrowser) await page.setViewportSize({ width: 1280, height: 800 });
  });

  const selection = () => page.locator('.map-selection');
  const heading = () => selection().getByRole('heading', { level: 2 }).innerText();
  const ended = async (id: string): Promise<void> => {
    for await (const { job } of client.followJob(id)) if (job.ended_at !== undefined) expect(job.state).toBe('done');
  };
  const open = async (map: KnownMap, query = ''): Promise<void> => {
    await answerMap(page, map);
    await page.goto(`${server.url}/?view=map${query}`);
    await expect.poll(() => page.locator('.map-count').innerText()).toContain((map.positions.length / 2).toLocaleString('en'));
  };
  const where = async (): Promise<[x: number, y: number, zoom: number]> => {
    await expect.poll(() => new URL(page.url()).searchParams.get('at')).not.toBeNull();
    await page.waitForTimeout(500);
    return new URL(page.url()).searchParams.get('at')!.split(',').map(Number) as [number, number, number];
  };

  it.runIf(withBrowser)('opens on where nearly all points are, with all of them a key away', async () => {
    // 1,000 in a square of side .4 around (-.6, -.6), one far away.
    const positions = Float32Array.from({ length: 2_002 }, (_, index) => (index >= 2_000 ? 1 : -0.8 + 0.4 * ((index % 2 === 0 ? (index >> 1) % 32 : (index >> 1) / 1_000) / (index % 2 === 0 ? 31 : 1))));
    await open({ positions });
    const [x, y, zoom] = await where();
    expect(x).toBeCloseTo(-0.6, 1);
    expect(y).toBeCloseTo(-0.6, 1);
    // A window's shorter side shows .4 of the plane's 2 in place of all.
    expect(zoom).toBeGreaterThan(2);
    expect(zoom).toBeLessThan(2.5);
    await visit.shot('bulk');
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(where).toEqual([0, 0, 0]);
    await page.goBack();
    // Evenly spread, all is what is shown.
    await open({ positions: Float32Array.from({ length: 2_000 }, (_, index) => ((index % 2 === 0 ? (index >> 1) % 32 : (index >> 1) / 32) / 31.5) * 2 - 1) });
    expect(await where()).toEqual([0, 0, 0]);
  });

  it.runIf(withBrowser)('narrows points and their grid by a range of numbers or times', async () => {
    const positions = Float32Array.from({ length: 200 }, (_, index) => ((index % 2 === 0 ? (index >> 1) % 10 : Math.floor((index >> 1) / 10)) / 9) * 1.6 - 0.8);
    const years = Float32Array.from({ length: 100 }, (_, number) => (number === 99 ? Number.NaN : 1950 + number));
    const times = Float32Array.from({ length: 100 }, (_, number) => Date.UTC(2024, 0, 1 + number, 12) / 1000);
    const asField = (values: Float32Array, kind: string) => ({ field: 'f', kind, missing: 0, values: encoded(values) });
    await open({ positions, metadataOf: () => ({ year: 1, at: '2024' }), values: { year: asField(years, 'numbers'), at: asField(times, 'times') } });
    await page.getByLabel('Color by').selectOption('year');
    await page.getByLabel('From', { exact: true }).fill('1960');
    await page.getByLabel('To', { exact: true }).fill('1969');
    await expect.poll(heading).toBe('10 shown');
    expect(new URL(page.url()).searchParams.get('from')).toBe('1960');
    await expect.poll(() => selection().locator('.selection-grid button').count()).toBe(10);
    for (const title of await selection().locator('.selection-grid button').evaluateAll((all: any[]) => all.map((one) => one.title as string))) expect(Number(title.split(' ')[1]) - 10).toBeLessThan(10);
    await visit.shot('range');
    await page.getByLabel('To', { exact: true }).fill('');
    await expect.poll(heading).toBe('89 shown');
    await page.locator('.range-fields').getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => selection().count()).toBe(0);

    await page.getByLabel('Color by').selectOption('at');
    await page.getByLabel('From', { exact: true }).fill('2024-02-01');
    await page.getByLabel('To', { exact: true }).fill('2024-02-29');
    await expect.poll(heading).toBe('29 shown');
    await page.reload();
    await expect.poll(heading).toBe('29 shown');
    await page.getByLabel('Color by').selectOption('year');
    await expect.poll(() => selection().count()).toBe(0);
  });

  it.runIf(withBrowser)('shows texts as cards that never overlap, once one is near enough to read', { timeout: 60_000 }, async () => {
    await client.createCollection({ name: 'texts' });
    await client.addItems('texts', Array.from({ length: 60 }, (_, number) => ({ id: `t${number}`, text: number === 0 ? 'שלום עולם, זה טקסט' : number === 1 ? '这是一段没有空格的中文文字，需要自己换行。'.repeat(8) : number === 2 ? 'W'.repeat(500) : `Text ${number}: ${'some words of it '.repeat(1 + (number % 12))}` })));
    await ended((await client.makeMap('texts')).id);
    await page.addInitScript(`
      globalThis.cards = [];
      const clear = CanvasRenderingContext2D.prototype.clearRect, draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.clearRect = function (...all) { globalThis.cards = []; return clear.apply(this, all); };
      CanvasRenderingContext2D.prototype.drawImage = function (...all) { globalThis.cards.push({ left: all[5], top: all[6], width: all[7], height: all[8] }); return draw.apply(this, all); };
      globalThis.written = [];
      const write = OffscreenCanvasRenderingContext2D.prototype.fillText;
      OffscreenCanvasRenderingContext2D.prototype.fillText = function (...all) { globalThis.written.push({ text: all[0], width: this.measureText(all[0]).width, direction: this.direction }); return write.apply(this, all); };
    `);
    await page.goto(`${server.url}/?view=map&collection=texts`);
    const cards = () => page.evaluate<{ left: number; top: number; width: number; height: number }[]>('globalThis.cards');
    await expect.poll(async () => (await cards()).length).toBeGreaterThan(5);
    await page.waitForTimeout(600);
    await visit.shot('texts');
    const shown = await cards();
    for (const [index, a] of shown.entries()) {
      expect(a.width).toBeGreaterThanOrEqual(84);
      for (const b of shown.slice(index + 1)) expect(a.left + a.width <= b.left + 0.01 || b.left + b.width <= a.left + 0.01 || a.top + a.height <= b.top + 0.01 || b.top + b.height <= a.top + 0.01).toBe(true);
    }
    const written = await page.evaluate<{ text: string; width: number; direction: string }[]>('globalThis.written');
    expect(written.every(({ width }) => width <= 192 - 28)).toBe(true);
    expect(written.some(({ text }) => text.startsWith('Text '))).toBe(true);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForTimeout(400);
    await visit.shot('texts-dark');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(600);
    await visit.shot('texts-phone');
  });

  it.runIf(withBrowser)('looks for duplicates, shows those of a selection, and deletes the others unless that is taken back', { timeout: 60_000 }, async () => {
    await client.createCollection({ name: 'twice' });
    const blob = async (seed: number) => new Blob([new Uint8Array(await drawn(seed))]);
    await client.uploadItems('twice', [
      ...(await Promise.all([11, 12, 13, 14, 15].map(async (seed) => ({ id: `p${seed}`, name: `${seed}.png`, metadata: { name: `picture ${seed}` }, blob: await blob(seed) })))),
      { id: 'large', name: 'large.png', metadata: { name: 'the large one' }, blob: new Blob([new Uint8Array(await sharp(await drawn(11)).resize(640, 480).png().toBuffer())]) },
    ]);
    await ended((await client.makeMap('twice')).id);
    await page.goto(`${server.url}/?view=map&collection=twice&area=o0,0,2.9`);
    await expect.poll(heading).toBe('6 selected');
    await selection().getByRole('button', { name: 'Duplicates' }).click();
    await expect.poll(() => page.locator('.map-duplicates').innerText()).toContain('Nobody has looked');
    await page.getByRole('button', { name: 'Look for duplicates' }).click();
    const found = page.locator('.map-duplicates .groups > li');
    await expect.poll(() => found.count(), { timeout: 20_000 }).toBe(1);
    expect(await found.locator('ul button').evaluateAll((all: any[]) => all.map((one) => one.getAttribute('aria-label') as string))).toEqual(['the large one, kept', 'picture 11']);
    await visit.shot('duplicates');
    await found.getByRole('button', { name: 'Delete the other one' }).click();
    await expect.poll(heading).toBe('5 selected');
    await expect.poll(() => page.locator('.map-count').innerText()).toBe('5 items');
    await expect.poll(() => page.locator('.map-duplicates').innerText()).toContain('None of these are nearly the same.');
    expect((await client.itemsExist('twice', ['p11'])).missing).toEqual([]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(heading).toBe('6 selected');
    await expect.poll(() => found.count()).toBe(1);
    await found.getByRole('button', { name: 'Delete the other one' }).click();
    await expect.poll(heading).toBe('5 selected');
    await page.getByRole('link', { name: 'Search' }).click();
    await page.goto('about:blank');
    await expect.poll(async () => (await client.itemsExist('twice', ['p11', 'large'])).missing, { timeout: 20_000 }).toEqual(['p11']);
  });

  it.runIf(withBrowser)('names clusters in the language that is spoken, but for names that somebody gave', { timeout: 60_000 }, async () => {
    await client.createCollection({ name: 'named' });
    await client.uploadItems('named', await Promise.all(Array.from({ length: 12 }, async (_, seed) => ({ id: `n${seed}`, name: `${seed}.png`, blob: new Blob([new Uint8Array(await drawn(seed + 30))]) }))));
    await ended((await client.makeClusters('named', { count: 3, language: 'de' })).id);
    await ended((await client.makeMap('named')).id);
    const { clusters: german } = await client.clusters('named');
    await client.renameCluster('named', german[0]!.id, 'Holidays');
    const names = page.locator('.labels button');
    for (const [language, chosen] of [['de', 'Deutsch'], ['zh', '中文'], ['en', 'English']] as const) {
      await page.goto(`${server.url}/?view=map&collection=named`);
      await page.locator('.pages select').last().selectOption(chosen);
      const told = (await client.clusters('named', { language })).clusters.map(({ name }) => name);
      expect(told[0]).toBe('Holidays');
      if (language === 'de') expect(told.slice(1)).toEqual(german.slice(1).map(({ name }) => name));
      else expect(told.slice(1)).not.toEqual(german.slice(1).map(({ name }) => name));
      if (language === 'zh') for (const name of told.slice(1)) expect(name).toMatch(/\p{Script=Han}/u);
      await expect.poll(async () => (await names.allTextContents()).sort()).toEqual([...told].sort());
      await visit.shot(`named-${language}`);
    }
  });
});
