import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { items } from './api.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { dot, flat, readsOtherwise, readsTexts, startSmall, type SmallService } from './small-service.js';

const count = 40;
const texts = ['fire', 'a meadow in spring', 'the sea'];
/** Two models of different pictures and scales. */
const packages = {
  first: readsTexts,
  other: readsOtherwise,
};

describe('the compare view', () => {
  let service: SmallService;
  let pictures: string[];
  const visit = inBrowser(() => [service.server.url]);
  let page: Page;

  beforeAll(async () => {
    if (!withBrowser) return;
    service = await startSmall(packages);
    pictures = await Promise.all(Array.from({ length: count }, (_, index) => flat((index * 67) % 256, (index * 29 + 40) % 256, (255 - index * 43) & 255)));
    await service.add('default', pictures.map((image, index) => ({ id: `p${index}`, image, metadata: { name: `picture ${index}` } })));
  }, 120_000);
  afterAll(() => service?.remove());
  beforeEach(() => void (page = visit.page));

  const at = (query: Record<string, string> = {}): string => `${service.server.url}/?${new URLSearchParams({ view: 'compare', ...query }).toString()}`;
  const numbers = async (table = 0): Promise<string[][]> => {
    const rows = await page.locator('.matrix').nth(table).locator('tbody tr').all();
    return Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
  };
  const heads = (table = 0) => page.locator('.matrix').nth(table).locator('thead .name').allInnerTexts();
  const rowHeads = () => page.locator('.matrix tbody th').allInnerTexts();
  const told = (value: number): string => value.toFixed(3);
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const cosines = async (images: string[], model?: string): Promise<number[][]> => {
    const columns = await Promise.all(images.map((image) => service.embed({ image }, model)));
    return Promise.all(texts.map(async (text) => {
      const row = await service.embed({ text }, model);
      return columns.map((column) => dot(row, column));
    }));
  };
  /** The last figure may be rounded otherwise, of numbers that come as float32. */
  const near = (shown: string[][], expected: number[][]): void => {
    expect(shown.map((row) => row.length)).toEqual(expected.map((row) => row.length));
    shown.forEach((row, i) => row.forEach((text, j) => expect(Math.abs(Number(text) - expected[i]![j]!)).toBeLessThan(0.00051)));
  };
  const areThere = (rows: number, columns: number, table = 0) => expect.poll(() => page.locator('.matrix').nth(table).locator('td button').count()).toBe(rows * columns);

  it.runIf(withBrowser)('shows the cosine of every text and picture, of the collection or given, and the probabilities that the service answers', async () => {
    await page.goto(at({ ids: 'p1,p5,p9' }));
    await page.getByLabel('Texts, one a line').pressSequentially(texts.join('\n'), { delay: 10 });
    await page.locator('.chosen-bar input[type=file]').setInputFiles({ name: 'given.png', mimeType: 'image/png', buffer: Buffer.from(pictures[20]!, 'base64') });
    await areThere(3, 4);
    const images = [1, 5, 9, 20].map((index) => pictures[index]!);
    const expected = await cosines(images);
    near(await numbers(), expected);
    await expect.poll(() => heads()).toEqual(['picture 1', 'picture 5', 'picture 9', 'given.png']);
    expect(new URL(page.url()).searchParams.get('texts')).toBe(texts.join('\n'));
    for (const [column, each] of images.entries()) {
      const values = expected.map((row) => row[column]!);
      const best = values.indexOf(Math.max(...values));
      expect([each.length > 0, await page.locator('.matrix tbody tr').nth(best).locator('td').nth(column).getAttribute('class')]).toEqual([true, 'best']);
    }
    await expect.poll(() => page.locator('.matrix .dot').count()).toBe(3);

    await page.getByLabel('Probability of each text').check();
    const { data } = (await service.post('/v1/classify', { input: images.map((image) => ({ image })), labels: texts, templates: ['{}'] })).body;
    await expect.poll(numbers).toEqual(texts.map((text) => data.map(({ predictions }: any) => percent(predictions.find(({ label }: any) => label === text).score))));
    await visit.shot('compare-probability');

    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download as CSV' }).click()]);
    const rows = (await readFile(await download.path(), 'utf8')).replace('\uFEFF', '').trim().split('\r\n').map((line) => line.split(','));
    expect(rows[0]).toEqual(['model', 'text', 'picture', 'id', 'cosine', 'probability']);
    expect(rows.slice(1).map(([model, text, picture, id]) => [model, text, picture, id])).toEqual(texts.flatMap((text) => [['first', text, 'picture 1', 'p1'], ['first', text, 'picture 5', 'p5'], ['first', text, 'picture 9', 'p9'], ['first', text, 'given.png', '']]));
    rows.slice(1).forEach((row, index) => expect(Number(row[4])).toBeCloseTo(expected[Math.floor(index / 4)]![index % 4]!, 5));
  });

  it.runIf(withBrowser)('sorts by a text or a picture, and is gone through by keys', async () => {
    await page.goto(at({ ids: 'p0,p1,p2,p3,p4', texts: texts.join('\n') }));
    await areThere(3, 5);
    const expected = await cosines(pictures.slice(0, 5));
    await page.getByRole('button', { name: 'Sort the pictures by “the sea”' }).click();
    const order = [0, 1, 2, 3, 4].sort((a, b) => expected[2]![b]! - expected[2]![a]!);
    await expect.poll(heads).toEqual(order.map((index) => `picture ${index}`));
    await page.reload();
    await areThere(3, 5);
    await expect.poll(() => heads()).toEqual(order.map((index) => `picture ${index}`));
    await page.getByRole('button', { name: 'Sort the texts by picture 3' }).click();
    await expect.poll(rowHeads).toEqual([0, 1, 2].sort((a, b) => expected[b]![3]! - expected[a]![3]!).map((index) => texts[index]));
    await page.getByRole('button', { name: 'As they were given' }).click();
    await expect.poll(rowHeads).toEqual(texts);
    await page.goBack();
    await page.goForward();
    await page.locator('[data-cell="0 0"]').focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowRight']) await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.background > p bdi').innerText()).toBe(`“the sea” and picture 1: ${told(expected[2]![1]!)}`);
  });

  it.runIf(withBrowser)('says what a score is worth among those of the collection', async () => {
    await page.goto(at({ ids: 'p7,p30', texts: texts.join('\n') }));
    await areThere(3, 2);
    await page.getByRole('button', { name: /^“a meadow in spring” and picture 30/ }).click();
    await expect.poll(() => page.locator('.background svg').count()).toBe(1);
    // The collection is smaller than the sample, so that all of it is drawn.
    const all = (await cosines(pictures))[1]!;
    const lower = all.filter((each) => each < all[30]! - 1e-6).length / count;
    const sentence = await page.locator('.background [role=status]').innerText();
    expect(sentence).toContain(`${told(all[30]!)} is higher than ${percent(lower)} of the scores that this text has with ${count} pictures`);
    expect(sentence).toContain(`The highest of those is ${told(Math.max(...all))}`);
    const bars = await page.locator('.background rect').evaluateAll((rects: any[]) => rects.map((rect) => Number(rect.getAttribute('height'))));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const counts = bars.map((_, bin) => all.filter((each) => Math.min(bars.length - 1, Math.floor(((each - low) / (high - low)) * bars.length)) === bin).length);
    const unit = Math.max(...bars) / Math.max(...counts);
    // One that lies on the border of two bars may fall to either.
    expect(bars.reduce((sum, bar, bin) => sum + Math.abs(bar / unit - counts[bin]!), 0)).toBeLessThanOrEqual(2.01);
    const here = Number(await page.locator('.background line.here').getAttribute('x1'));
    expect(here / 640).toBeCloseTo((all[30]! - low) / (high - low), 3);
    await visit.shot('background');
  });

  it.runIf(withBrowser)('puts two models side by side, each with its own numbers', async () => {
    await page.goto(at({ ids: 'p2,p8', texts: texts.join('\n') }));
    await areThere(3, 2);
    await page.getByLabel('Beside it').selectOption('other');
    await areThere(3, 2, 1);
    await expect.poll(() => page.locator('.tables h2').allInnerTexts()).toEqual(['first', 'other']);
    near(await numbers(0), await cosines([pictures[2]!, pictures[8]!]));
    const thumbnails = await Promise.all(['p2', 'p8'].map(async (id) => Buffer.from(await (await fetch(`${service.server.url}${items()}/${id}/image`)).arrayBuffer()).toString('base64')));
    const others = await cosines(thumbnails, 'other');
    near(await numbers(1), others);
    await expect.poll(() => numbers(1)).not.toEqual(await numbers(0));
    await page.getByLabel('Probability of each text').check();
    const { data } = (await service.post('/v1/classify', { model: 'other', input: thumbnails.map((image) => ({ image })), labels: texts, templates: ['{}'] })).body;
    await expect.poll(() => numbers(1)).toEqual(texts.map((text) => data.map(({ predictions }: any) => percent(predictions.find(({ label }: any) => label === text).score))));
    await visit.shot('two-models');
  });

  it.runIf(withBrowser)('says in place what went wrong, tries again, and loses nothing', async () => {
    visit.allow(/Failed to load resource|404|415/);
    await page.route('**/v1/embeddings', (route) => route.abort());
    await page.goto(at({ ids: 'p1,nowhere' }));
    const hostile = '<b onmouseover=alert(1)>x</b> \u202E=1+1';
    await page.getByLabel('Texts, one a line').fill(`${texts[0]}\n${hostile}`);
    await expect.poll(() => page.locator('.compare > .problem').innerText()).toContain('No mixspace answers');
    await page.unroute('**/v1/embeddings');
    await page.locator('.compare > .problem').getByRole('button', { name: 'Try again' }).click();
    await areThere(2, 1);
    await expect.poll(() => page.locator('.of-one').innerText()).toMatch(/nowhere/);
    await expect.poll(() => page.locator('.matrix td.pending').allInnerTexts()).toEqual(['–', '–']);
    await expect.poll(() => page.locator('.matrix b').count()).toBe(0);
    await page.reload();
    await areThere(2, 1);
    await expect.poll(() => page.getByLabel('Texts, one a line').inputValue()).toBe(`${texts[0]}\n${hostile}`);
  });

  it.runIf(withBrowser)('draws a sample of the collection, fits a narrow screen, and speaks Chinese', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(at({ texts: texts.join('\n') }));
    await page.getByRole('button', { name: 'Take a sample' }).click();
    await areThere(3, 6);
    const ids = new URL(page.url()).searchParams.getAll('ids');
    expect(new Set(ids).size).toBe(6);
    await page.getByRole('combobox', { name: 'Language' }).selectOption('zh');
    await expect.poll(() => page.locator('.compare legend').innerText()).toBe('显示');
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.getByRole('button', { name: /^移除/ }).first().click();
    await areThere(3, 5);
  });
});
