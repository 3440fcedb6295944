/** Searching and browsing in the page: the grid, the history, the large view, filters, what is said when. */
import type { Page, Route } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const count = 140;
/** Every fourth has no date of its own; the others one each, a week apart, backwards from the end of 2024. */
const dayOf = (seed: number): string | undefined => (seed % 4 === 3 ? undefined : new Date(Date.UTC(2024, 11, 28) - seed * 7 * 86_400_000).toISOString().slice(0, 10));
const nameOf = (seed: number): string => `IMG_2024_${String(seed).padStart(4, '0')}.jpg`;
const folderOf = (seed: number): string => (seed % 2 === 0 ? 'trips/rome' : 'trips/sea');
const shadeOf = (seed: number): string => ['red', 'green', 'blue'][seed % 3]!;

describe('searching and browsing', () => {
  let server: RunningServer;
  let client: MixspaceClient;
  const visit = inBrowser(() => [server.url]);
  let page: Page;

  beforeAll(async () => {
    if (!withBrowser) return;
    server = await startServer();
    client = new MixspaceClient({ url: server.url });
    const files = await Promise.all(
      Array.from({ length: count }, async (_, seed) => {
        const picture = sharp(await drawn(seed, 'png', 160 + (seed % 3) * 60, 120)).jpeg();
        const day = dayOf(seed)?.replaceAll('-', ':');
        const bytes = await (day === undefined ? picture : picture.withExif({ IFD2: { DateTimeOriginal: `${day} 12:00:00` } })).toBuffer();
        return { id: `p${seed}`, name: nameOf(seed), source: `${folderOf(seed)}/${nameOf(seed)}`, metadata: { shade: shadeOf(seed) }, blob: new Blob([new Uint8Array(bytes)]) };
      }),
    );
    for (let first = 0; first < count; first += 70) await client.uploadItems('default', files.slice(first, first + 70));
  }, 120_000);
  afterAll(() => server?.remove());
  beforeEach(() => void (page = visit.page));

  const tiles = () => page.locator('.grid .tile');
  const dialog = () => page.getByRole('dialog');
  const box = () => page.getByRole('searchbox');
  const scrolledTo = (): Promise<number> => page.evaluate('scrollY');
  const firstTitle = (): Promise<string> => page.locator('.grid .title').first().innerText();
  /** Of the tiles in the order of their places. */
  const titlesSeen = async (): Promise<string[]> => {
    const seen: [number, string][] = await page.evaluate(`[...document.querySelectorAll('.grid .tile')].map((tile) => [Number(tile.dataset.index), tile.querySelector('.title').title])`);
    return seen.sort((a, b) => a[0] - b[0]).map(([, title]) => title);
  };
  const scrollToEnd = async (): Promise<void> => {
    await expect
      .poll(async () => {
        await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
        return page.locator(`.grid [data-index="${count - 1}"]`).count();
      })
      .toBe(1);
  };
  /** Newest first: those without a date were added after all that have one. */
  const byDate = [...Array(count).keys()].filter((seed) => dayOf(seed) !== undefined);

  it.runIf(withBrowser)('lists the newest first under their months, and holds no more in the document than is seen', async () => {
    await page.setViewportSize({ width: 1000, height: 700 });
    await page.goto(server.url);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await expect.poll(() => page.locator('.grid h2').first().innerText()).toBe(new Date().toLocaleDateString('en-US', { month: 'long', year: 'numeric', timeZone: 'UTC' }));

    const seen = new Map<number, string>();
    let most = 0;
    await expect
      .poll(async () => {
        const shown: [number, string][] = await page.evaluate(`[...document.querySelectorAll('.grid .tile')].map((tile) => [Number(tile.dataset.index), tile.querySelector('.title').title])`);
        for (const [index, title] of shown) seen.set(index, title);
        most = Math.max(most, shown.length);
        await page.evaluate('scrollBy(0, 500)');
        return seen.size;
      })
      .toBe(count);
    expect(most).toBeLessThan(60);
    const dated = [...seen].sort(([a], [b]) => a - b).slice(count - byDate.length);
    expect(dated.map(([, title]) => title)).toEqual(byDate.map(nameOf));
    await expect.poll(() => page.locator('.grid h2').last().innerText()).toBe('May 2022');
    await visit.shot('months');
  });

  it.runIf(withBrowser)('is gone through by keys, and the place stays', async () => {
    await page.setViewportSize({ width: 1000, height: 700 });
    await page.goto(`${server.url}/?order=folder`);
    await expect.poll(() => page.locator('.grid h2').first().innerText()).toBe('trips/rome');
    await tiles().first().focus();
    const focused = (): Promise<string | undefined> => page.evaluate(`document.activeElement.dataset.index`);
    await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toBe('1');
    await page.keyboard.press('ArrowDown');
    await expect.poll(async () => Number(await focused())).toBeGreaterThan(3);
    await page.keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('1');
    await expect
      .poll(async () => {
        await page.keyboard.press('End');
        return focused();
      })
      .toBe(String(count - 1));
    await expect.poll(() => page.evaluate('document.activeElement.querySelector(".title").title')).toBe(nameOf(count - 1));
    await page.keyboard.press('Home');
    await expect.poll(focused).toBe('0');
    await expect.poll(scrolledTo).toBeLessThan(200);
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog().getByRole('heading').innerText()).toBe(nameOf(0));
    await expect.poll(() => page.url()).toContain('open=p0');
  });

  it.runIf(withBrowser)('goes back from a picture, and from a search to its place and to all that was loaded', async () => {
    await page.goto(server.url);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await scrollToEnd();
    const place = await scrolledTo();
    const asked: string[] = [];
    page.on('request', (request) => void (/items\?(?!.*&limit=1$)/.test(request.url()) && asked.push(request.url())));

    await page.locator(`.grid [data-index="${count - 1}"]`).click();
    await expect.poll(() => dialog().count()).toBe(1);
    await page.goBack();
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(scrolledTo).toBe(place);

    await box().fill('red');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('q=red');
    await expect.poll(() => page.locator('.grid .score').count()).toBeGreaterThan(5);
    await expect.poll(scrolledTo).toBe(0);
    await page.goBack();
    await expect.poll(scrolledTo).toBe(place);
    await expect.poll(() => page.locator(`.grid [data-index="${count - 1}"]`).count()).toBe(1);
    expect(asked).toEqual([]);
  });

  it.runIf(withBrowser)('keeps each letter that is typed while an answer to the ones before begins', async () => {
    // On a slow machine letters come between a change of the address and what follows from it.
    await page.addInitScript(() => {
      const { history, document, setTimeout } = globalThis as any;
      const rest = [...'circles'];
      for (const name of ['pushState', 'replaceState']) {
        const change = history[name].bind(history);
        history[name] = (...args: unknown[]) => {
          change(...args);
          if (document.activeElement?.type === 'search' && rest.length > 0) setTimeout(() => document.execCommand('insertText', false, rest.shift()), 0);
        };
      }
    });
    await page.goto(server.url);
    await box().pressSequentially('red ');
    await expect.poll(() => page.url()).toContain('q=red+circles');
    expect(await box().inputValue()).toBe('red circles');
  });

  it.runIf(withBrowser)('keeps one entry of the history a search, not one a letter', async () => {
    await page.goto(server.url);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    const before: number = await page.evaluate('history.length');
    await box().pressSequentially('red circle', { delay: 120 });
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('q=red+circle');
    await box().fill('blue');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('q=blue');
    expect(await page.evaluate('history.length')).toBe(before + 2);
    await expect.poll(() => page.title()).toBe('blue · mixspace');
    await page.goBack();
    await expect.poll(() => box().inputValue()).toBe('red circle');
    await page.goBack();
    await expect.poll(() => box().inputValue()).toBe('');
  });

  it.runIf(withBrowser)('keeps a given picture over a reload, and weighs words beside it', async () => {
    // What is sent as a form with a file the browser shows to nobody else.
    await page.addInitScript(`globalThis.asked = []; const send = fetch; globalThis.fetch = (to, call) => { if (call?.body instanceof FormData) asked.push(call.body.get('request')); return send(to, call); };`);
    const lastAsked = (): Promise<string | undefined> => page.evaluate('asked.at(-1)');
    await page.goto(server.url);
    await page.locator('input[type=file]').first().setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: await drawn(8, 'png', 160 + 2 * 60, 120) });
    await expect.poll(() => page.locator('.wanted').innerText()).toContain('mine.png');
    await expect.poll(async () => (await titlesSeen())[0]).toBe(nameOf(8));
    await page.reload();
    await expect.poll(async () => (await titlesSeen())[0]).toBe(nameOf(8));
    await expect.poll(() => page.locator('.wanted').innerText()).toContain('mine.png');

    await box().fill('green -people');
    await expect.poll(lastAsked).toContain('"query":[{"input":{"file":true},"weight":0.5},{"input":"green -people","weight":0.5}]');
    await expect.poll(() => lastAsked()).toContain('"negation":"auto"');
    await page.getByRole('slider').fill('0.8');
    await expect.poll(() => page.url()).toContain('words-share=0.8');
    await expect.poll(lastAsked).toContain('"weight":0.8}');
    await visit.shot('picture-and-words');
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => page.url()).not.toContain('picture=');
    await expect.poll(() => box().inputValue()).toBe('green -people');
  });

  it.runIf(withBrowser)('dims old results under new words at once, and sends words that failed again', async () => {
    visit.allow(/ERR_CONNECTION_REFUSED/);
    await page.goto(`${server.url}/?q=red`);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    const waiting: Route[] = [];
    await page.route('**/search', (route) => void waiting.push(route));
    await box().fill('blue');
    expect(await page.locator('.grid').getAttribute('aria-busy')).toBe('true');
    await expect.poll(() => waiting.length).toBe(1);
    expect(await page.locator('.grid').getAttribute('aria-busy')).toBe('true');
    await waiting[0]!.abort('connectionrefused');
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('No mixspace answers');
    // Not for a moment are old ones shown under new words.
    expect(await tiles().count()).toBe(0);

    await page.unroute('**/search');
    await box().press('Enter');
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    expect(await page.locator('.grid').getAttribute('aria-busy')).toBe('false');
    await expect.poll(() => page.locator('[role=status]').allInnerTexts()).toContain('Nothing matches. The nearest are shown.');
  });

  it.runIf(withBrowser)('says what a slow first search waits for', async () => {
    const models = await client.models();
    await page.route('**/v1/models', (route) => route.fulfill({ json: { object: 'list', data: models.map((model) => ({ ...model, loaded: false })) } }));
    const waiting: Route[] = [];
    await page.route('**/search', (route) => void waiting.push(route));
    await page.goto(`${server.url}/?q=red`);
    await expect.poll(() => page.locator('.waiting').innerText(), { timeout: 10_000 }).toBe(`The model ${models[0]!.id} is being loaded. The first search takes a little longer.`);
    await page.unroute('**/search');
    await waiting[0]!.continue();
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await expect.poll(() => page.locator('.waiting').count()).toBe(0);
  });

  it.runIf(withBrowser)('steps through all pictures, past those that were loaded, by keys, buttons and wipes', async () => {
    await page.goto(`${server.url}/?order=folder`);
    await tiles().first().click();
    const heading = dialog().getByRole('heading');
    await expect.poll(() => heading.innerText()).toBe(nameOf(0));
    await expect.poll(() => dialog().getByRole('status').first().innerText()).toContain('This is the first.');
    await expect.poll(() => dialog().getByRole('button', { name: 'Previous' }).getAttribute('aria-disabled')).toBe('true');
    await dialog().getByRole('button', { name: 'Next' }).click();
    await expect.poll(() => heading.innerText()).toBe(nameOf(2));
    await wipe(-120);
    await expect.poll(() => heading.innerText()).toBe(nameOf(4));
    await wipe(120);
    await expect.poll(() => heading.innerText()).toBe(nameOf(2));

    // Rome has the even ones: of the first sixty the last.
    const held: Route[] = [];
    await page.route(/items\?.*cursor=/, (route) => void held.push(route));
    await page.goto(`${server.url}/?order=folder&open=p118`);
    await expect.poll(() => heading.innerText()).toBe(nameOf(118));
    await expect.poll(() => dialog().getByRole('status').first().innerText()).toContain('60 of 60+');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => held.length).toBe(1);
    await expect.poll(() => heading.innerText()).toBe(nameOf(118));
    await held[0]!.continue();
    await expect.poll(() => heading.innerText()).toBe(nameOf(120));
    await expect.poll(() => dialog().getByRole('status').first().innerText()).toContain(`61 of ${count}`);

    await page.keyboard.press('Escape');
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => page.url()).not.toContain('open=');
    await expect.poll(() => page.evaluate('document.activeElement.dataset.index')).toBe('60');
    await page.keyboard.press('End');
    await expect.poll(() => page.evaluate('document.activeElement.dataset.index')).toBe(String(count - 1));
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog().getByRole('status').first().innerText()).toContain('This is the last.');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => heading.innerText()).toBe(nameOf(count - 3));
  });

  it.runIf(withBrowser)('shows what lies near a picture, and opens one that the address names alone', async () => {
    const { matches } = await client.search('default', { id: 'p50' }, { limit: 5 });
    const nearest = nameOf(Number(matches.find(({ id }) => id !== 'p50')!.id.slice(1)));
    await page.goto(`${server.url}/?open=p50`);
    await expect.poll(() => dialog().getByRole('heading').innerText()).toBe(nameOf(50));
    const strip = dialog().getByRole('region', { name: 'Near this' });
    await expect.poll(() => strip.getByRole('button').first().getAttribute('title')).toBe(nearest);
    await visit.shot('near');
    await strip.getByRole('button').first().click();
    await expect.poll(() => dialog().getByRole('heading').innerText()).toBe(nearest);
    await page.keyboard.press('Escape');
    await expect.poll(() => dialog().count()).toBe(0);
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
  });

  it.runIf(withBrowser)('narrows by values, folders and days, which stand in the address', async () => {
    await page.goto(server.url);
    await expect.poll(() => page.getByLabel('shade').locator('option').allInnerTexts().then((all) => all.slice(1).sort())).toEqual(['blue (46)', 'green (47)', 'red (47)']);
    await page.getByLabel('shade').selectOption({ label: 'blue (46)' });
    await expect.poll(() => page.url()).toContain('is=');
    await expect.poll(async () => (await titlesSeen()).every((title) => Number(/(\d+)\.jpg/.exec(title)![1]) % 3 === 2)).toBe(true);
    // By what differs.
    await expect.poll(() => firstTitle()).toMatch(/^\d{4}$/);

    await page.goto(`${server.url}/?folder=trips%2Fsea&from=2024-12-01&to=2024-12-31`);
    const december = byDate.filter((seed) => seed % 2 === 1 && dayOf(seed)!.startsWith('2024-12'));
    await expect.poll(titlesSeen).toEqual(december.map(nameOf));
    await visit.shot('narrowed');
    await page.getByRole('button', { name: 'Remove the filter since 2024-12-01' }).click();
    await expect.poll(() => tiles().count()).toBeGreaterThan(december.length);
    await page.goto(`${server.url}/?folder=nowhere&q=red`);
    await page.getByRole('button', { name: 'Search among all' }).click();
    await expect.poll(() => tiles().count()).toBeGreaterThan(8);
    await expect.poll(() => page.url()).not.toContain('folder=');
  });

  it.runIf(withBrowser)('says quietly what came meanwhile, and shows it when asked', async () => {
    await client.createCollection({ name: 'live' });
    await client.uploadItems('live', [{ id: 'first', name: 'first.png', blob: new Blob([new Uint8Array(await drawn(1))]) }]);
    await page.goto(`${server.url}/?collection=live`);
    await expect.poll(() => tiles().count()).toBe(1);
    await expect.poll(() => page.evaluate('performance.getEntriesByName(new URL("v1/collections/live", location.href).href).length')).toBeGreaterThan(0);
    await client.addItems('live', [{ text: 'one that came later' }, { text: 'and another' }]);
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await expect.poll(() => page.locator('.new-ones').innerText()).toBe('2 new items · Show');
    await expect.poll(() => tiles().count()).toBe(1);
    await page.locator('.new-ones button').click();
    await expect.poll(() => tiles().count()).toBe(3);
    await expect.poll(() => page.locator('.new-ones').innerText()).toBe('');
  });
  describe('in German', () => {
    const german = inBrowser(() => [server.url], { locale: 'de-DE' });
    it.runIf(withBrowser)('speaks German', async () => {
      await german.page.goto(`${server.url}/?q=Rot`);
      await expect.poll(() => german.page.locator('.grid h2').innerText()).toBe('Nichts hier passt. Am nächsten kommt:');
      await expect.poll(() => german.page.getByRole('searchbox').getAttribute('placeholder')).toBe('Mit Worten suchen, in jeder Sprache');
      await german.shot('german');
    });
  });

  /** A finger over the picture, as the browser itself would tell the page. */
  async function wipe(across: number): Promise<void> {
    await page.evaluate(`(() => {
      const stage = document.querySelector('.stage');
      const touch = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 300 });
      stage.dispatchEvent(new TouchEvent('touchstart', { touches: [touch(300)], changedTouches: [touch(300)], bubbles: true }));
      stage.dispatchEvent(new TouchEvent('touchend', { touches: [], changedTouches: [touch(300 + ${across})], bubbles: true }));
    })()`);
  }
});
