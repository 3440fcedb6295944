import { isDeepStrictEqual } from 'node:util';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicPath } from './behind-nginx.js';
import { answerMap, encoded, type KnownMap } from './map-answers.js';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

/** A cross: 0 in the middle, 1 right, 2 left, 3 below, 4 above, 5 far in a corner. */
const cross: KnownMap = { positions: Float32Array.of(0, 0, 0.5, 0, -0.5, 0, 0, 0.5, 0, -0.5, 0.9, 0.9) };

describe('the map', () => {
  let server: RunningServer;
  const visit = inBrowser(() => [server.url]);
  let page: Page;
  beforeAll(async () => {
    if (withBrowser) server = await startServer();
  }, 120_000);
  afterAll(() => server?.remove());
  beforeEach(async () => {
    page = visit.page;
    if (withBrowser) await page.setViewportSize({ width: 1280, height: 800 });
  });

  const stage = () => page.getByRole('application');
  const selection = () => page.locator('.map-selection');
  /** In CSS pixels of the window: the whole map spans 94 % of the stage's shorter side. */
  const screenOf = async (x: number, y: number): Promise<{ x: number; y: number }> => {
    const box = (await stage().boundingBox())!;
    // Within its border.
    const [width, height] = [box.width - 2, box.height - 2];
    const scale = (Math.min(width, height) / 2) * 0.94;
    return { x: box.x + 1 + width / 2 + x * scale, y: box.y + 1 + height / 2 + y * scale };
  };
  /** What a canvas shows there. */
  const colorAt = async (canvas: 'dots' | 'pictures', x: number, y: number): Promise<number[]> => {
    const at = await screenOf(x, y);
    return page.locator(`canvas.${canvas}`).evaluate((element: any, { x: left, y: top }) => {
      const box = element.getBoundingClientRect();
      const [wide, high] = [element.width / box.width, element.height / box.height];
      return [...element.getContext('2d').getImageData(Math.floor((left - box.left) * wide), Math.floor((top - box.top) * high), 1, 1).data] as number[];
    }, at);
  };
  const open = async (map: KnownMap, query = '') => {
    const asked = await answerMap(page, map);
    await page.goto(`${server.url}/?view=map${query}`);
    await expect.poll(() => page.locator('.map-count').innerText()).toContain(String((map.positions.length / 2).toLocaleString('en')));
    await expect.poll(async () => {
      const before = await stage().boundingBox();
      await page.waitForTimeout(150);
      return isDeepStrictEqual(before, await stage().boundingBox());
    }).toBe(true);
    return asked;
  };
  /** Once the point there answers to the pointer. */
  const clickAt = async (x: number, y: number, title: string): Promise<void> => {
    await expect.poll(async () => {
      const at = await screenOf(x, y);
      await page.mouse.move(at.x + 1, at.y);
      await page.mouse.move(at.x, at.y);
      return page.locator('.hover-card').innerText({ timeout: 1_000 }).catch(() => '');
    }).toContain(title);
    const at = await screenOf(x, y);
    await page.mouse.click(at.x, at.y);
  };
  const lasso = async (corners: [x: number, y: number][]): Promise<void> => {
    await page.keyboard.down('Shift');
    for (const [index, [x, y]] of corners.entries()) {
      const at = await screenOf(x, y);
      await page.mouse.move(at.x, at.y, { steps: index === 0 ? 1 : 4 });
      if (index === 0) await page.mouse.down();
    }
    await page.mouse.up();
    await page.keyboard.up('Shift');
  };
  const aroundRight: [number, number][] = [[0.3, -0.2], [0.7, -0.2], [0.7, 0.2], [0.3, 0.2]];
  const titles = async (): Promise<string[]> => page.locator('.selection-grid li button').evaluateAll((all: any[]) => all.map((each) => each.title as string));

  it.runIf(withBrowser)('shows each picture where its point is, and names what is under the pointer', async () => {
    await open({ ...cross, pictureOf: (number) => [20 * number + 30, 200 - 20 * number, 90] });
    for (const [number, x, y] of [[0, 0, 0], [1, 0.5, 0], [3, 0, 0.5]] as const) await expect.poll(() => colorAt('pictures', x + 0.06, y + 0.06)).toEqual([20 * number + 30, 200 - 20 * number, 90, 255]);
    expect((await colorAt('pictures', 0.3, 0.3))[3]).toBe(0);
    const below = await screenOf(0, 0.5);
    await page.mouse.move(below.x, below.y);
    await expect.poll(() => page.locator('.hover-card').innerText()).toContain('point 3');
    await visit.shot('hover');
    const nowhere = await screenOf(0.3, 0.3);
    await page.mouse.move(nowhere.x, nowhere.y);
    await expect.poll(() => page.locator('.hover-card').count()).toBe(0);
  });

  it.runIf(withBrowser)('opens what is clicked on, and closes it on Back; more like it are found on the search page', async () => {
    await open(cross);
    await clickAt(0.5, 0, 'point 1');
    const card = page.getByRole('dialog');
    await expect.poll(() => card.getByRole('heading').innerText()).toBe('point 1');
    await expect.poll(() => card.locator('img').evaluate((image: any) => image.naturalWidth as number)).toBe(32);
    await expect.poll(() => page.url()).toContain('open=item-1');
    await visit.shot('card');
    await page.goBack();
    await expect.poll(() => card.count()).toBe(0);
    await page.goForward();
    await expect.poll(() => card.getByRole('link', { name: 'More like this' }).getAttribute('href')).toBe(`${publicPath}/?like=item-1`);
  });

  it.runIf(withBrowser)('goes from point to point by arrow keys, opens one by Enter, and draws circles by Space', async () => {
    await open(cross);
    await stage().focus();
    const said = async (title: string) => expect.poll(() => page.locator('.hover-card').innerText()).toContain(title);
    await page.keyboard.press('ArrowDown');
    await said('point 0');
    for (const [key, title] of [['ArrowRight', 'point 1'], ['ArrowLeft', 'point 0'], ['ArrowUp', 'point 4'], ['ArrowDown', 'point 0'], ['ArrowLeft', 'point 2']] as const) {
      await page.keyboard.press(key);
      await said(title);
    }
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('dialog').getByRole('heading').innerText()).toBe('point 2');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);

    await page.keyboard.press('Space');
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('1 selected');
    // 48 pixels at first, and each time 1.4 times as many: over 0.5 of the stage's 300 pixels a unit after four.
    for (let times = 0; times < 4; times++) await page.keyboard.press('Space');
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('2 selected');
    await visit.shot('circle');
    for (let times = 0; times < 3; times++) await page.keyboard.press('Shift+Space');
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('1 selected');
    await page.keyboard.press('Escape');
    await expect.poll(() => selection().count()).toBe(0);
  });

  it.runIf(withBrowser)('takes what an outline holds, keeps it in the address, and exports its ids', async () => {
    await open(cross);
    await lasso(aroundRight);
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('1 selected');
    await expect.poll(titles).toEqual(['point 1']);
    await lasso([[-0.7, -0.7], [0.2, -0.7], [0.2, 0.2], [-0.7, 0.2]]);
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('3 selected');
    await expect.poll(titles).toEqual(['point 0', 'point 2', 'point 4']);
    await visit.shot('outline');
    await page.reload();
    await expect.poll(titles).toEqual(['point 0', 'point 2', 'point 4']);
    const [download] = await Promise.all([page.waitForEvent('download'), selection().getByRole('button', { name: 'Export' }).click()]);
    expect(await readFile(await download.path(), 'utf8')).toBe('{"id":"item-0"}\n{"id":"item-2"}\n{"id":"item-4"}\n');
    await selection().getByRole('button', { name: 'Classify these' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.getAll('ids')).toEqual(['item-0', 'item-2', 'item-4']);
    await expect.poll(() => page.url()).toContain('view=classify');
  });

  it.runIf(withBrowser)('labels what was chosen, and deletes it once that is confirmed', async () => {
    await open({ ...cross, metadataOf: (number) => ({ year: 2000 + number }) });
    const sent: [method: string, path: string, body: unknown][] = [];
    await page.route(/\/collections\/default\/items(\/item-\d+)?$/, async (route) => {
      const request = route.request();
      if (request.method() === 'GET') return route.fallback();
      sent.push([request.method(), new URL(request.url()).pathname.split('/').pop()!, request.postDataJSON()]);
      return request.method() === 'DELETE' ? route.fulfill({ status: 204 }) : route.fulfill({ json: { updated: 1, missing: [], failed: [], failures: 0 } });
    });
    await lasso(aroundRight);
    await selection().getByRole('button', { name: 'Label' }).click();
    await page.getByLabel('Value').fill('cat');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.locator('.notices').innerText()).toContain('1 item has its label.');
    expect(sent).toEqual([['PATCH', 'items', { ids: ['item-1'], metadata: { label: 'cat' } }]]);

    await selection().getByRole('button', { name: 'Delete' }).click();
    await visit.shot('delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(sent.length).toBe(1);
    await selection().getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => page.locator('.map-count').innerText()).toBe('5 items');
    expect(sent[1]!.slice(0, 2)).toEqual(['DELETE', 'item-1']);
    await expect.poll(() => selection().innerText()).toContain('There is nothing inside.');
    await expect.poll(() => colorAt('pictures', 0.56, 0.06)).toEqual([0, 0, 0, 0]);
  });

  it.runIf(withBrowser)('makes a classifier of what was chosen', async () => {
    await open(cross);
    const sent: unknown[] = [];
    await page.route(/\/v1\/classifiers\//, (route) => {
      sent.push([route.request().method(), new URL(route.request().url()).pathname, route.request().postDataJSON()]);
      return route.fulfill({ json: {} });
    });
    await lasso(aroundRight);
    await selection().getByRole('button', { name: 'New classifier' }).click();
    await page.getByLabel('Name of the classifier').fill('pets');
    await page.getByLabel('These are').fill('a pet');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.locator('.notices').innerText()).toContain('The classifier pets was made.');
    expect(sent).toEqual([
      ['PUT', `${publicPath}/v1/classifiers/pets`, { labels: ['a pet', 'something else'] }],
      ['POST', `${publicPath}/v1/classifiers/pets/examples`, { label: 'a pet', collection: 'default', ids: ['item-1'] }],
    ]);
  });

  it.runIf(withBrowser)('makes a map where there is none, and places on it what came since', { timeout: 60_000 }, async () => {
    const client = new MixspaceClient({ url: server.url });
    await client.createCollection({ name: 'drawn' });
    const files = await Promise.all(Array.from({ length: 25 }, async (_, seed) => ({ name: `drawn-${seed}.png`, blob: new Blob([await drawn(seed)]), metadata: { name: `drawing ${seed}`, parity: seed % 2 === 0 ? 'even' : 'odd' } })));
    await client.uploadItems('drawn', files.slice(0, 24));
    await page.goto(`${server.url}/?view=map&collection=drawn`);
    await expect.poll(() => page.locator('main').innerText()).toContain('No map yet');
    await visit.shot('start');
    await page.getByRole('button', { name: 'Make a map' }).click();
    await expect.poll(() => page.locator('.map-count').innerText(), { timeout: 30_000 }).toBe('24 items');
    const colored = () => page.locator('canvas.pictures').evaluate((canvas: any) => (canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data as Uint8Array).filter((value, index) => index % 4 === 3 && value === 255).length);
    await expect.poll(colored, { timeout: 30_000 }).toBeGreaterThan(2_000);
    await page.getByLabel('Color by').selectOption('parity');
    await page.locator('.map-legend').getByRole('button', { name: 'odd' }).click();
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('12 shown');
    await expect.poll(async () => (await titles()).every((title) => Number(title.split(' ')[1]) % 2 === 1)).toBe(true);
    await visit.shot('made');

    await client.uploadItems('drawn', files.slice(24));
    await page.reload();
    await expect.poll(() => page.locator('.map-stale').innerText()).toContain('1 item was added');
    await page.getByRole('button', { name: 'Place the new ones' }).click();
    await expect.poll(() => page.locator('.map-count').innerText(), { timeout: 30_000 }).toBe('25 items');
    await expect.poll(() => page.locator('.map-stale').count()).toBe(0);
  });

  it.runIf(withBrowser)('says in place what fails, and tries again', async () => {
    await answerMap(page, cross);
    visit.allow(/503|500/);
    let isBroken = true;
    await page.route(/\/map\/points/, (route) => (isBroken ? route.fulfill({ status: 500, json: { error: { message: 'The points cannot be read.', type: 'server_error', param: null, code: 'internal' } } }) : route.fallback()));
    await page.goto(`${server.url}/?view=map`);
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('The points cannot be read.');
    isBroken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
    await expect.poll(async () => (await colorAt('pictures', 0.06, 0.06))[3]).toBe(255);
  });

  it.runIf(withBrowser)('speaks German and Chinese, on a phone and in the dark', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const [language, count, selected] of [['Deutsch', '6 Einträge', '6 ausgewählt'], ['中文', '6 个条目', '已选 6 个']] as const) {
      await answerMap(page, cross);
      await page.goto(`${server.url}/?view=map&area=o0,0,2`);
      await page.locator('.pages select').last().selectOption(language);
      await expect.poll(() => page.locator('.map-count').innerText()).toBe(count);
      await expect.poll(() => selection().getByRole('heading').innerText()).toBe(selected);
      await visit.shot(`phone-${language}`);
    }
    const dark = await colorAt('dots', 0.3, 0.3);
    expect(Math.max(...dark.slice(0, 3))).toBeLessThan(60);
    await expect.poll(() => page.evaluate(() => (globalThis as any).document.documentElement.scrollWidth as number)).toBeLessThanOrEqual(390);
  });

  // 40 x 40 points in a lattice, far enough apart that each one's dot stands alone.
  const lattice = Float32Array.from({ length: 3200 }, (_, index) => ((index % 2 === 0 ? (index >> 1) % 40 : Math.floor((index >> 1) / 40)) + 0.5) / 20 - 1);
  const numberAt = (column: number, row: number): number => row * 40 + column;
  const placeOf = (number: number): [number, number] => [lattice[2 * number]!, lattice[2 * number + 1]!];

  it.runIf(withBrowser)('lights up what is like the typed words', async () => {
    const bright = numberAt(30, 10);
    const scores = Float32Array.from({ length: 1600 }, (_, number) => 0.3 - 0.005 * Math.hypot(placeOf(number)[0] - placeOf(bright)[0], placeOf(number)[1] - placeOf(bright)[1]) * 20);
    const asked = await open({ positions: lattice, scores: () => scores });
    await page.getByRole('searchbox').fill('a red bicycle');
    await expect.poll(() => page.locator('.map-legend').innerText()).toContain('Similarity');
    expect(asked.queries.at(-1)).toBe('a red bicycle');
    await expect.poll(() => page.locator('.map-legend').innerText()).toContain('0.30');
    const warmth = async (number: number): Promise<number> => {
      const [red = 0, , blue = 0] = await colorAt('dots', ...placeOf(number));
      return red - blue;
    };
    await expect.poll(() => warmth(bright)).toBeGreaterThan(150);
    await expect.poll(() => warmth(numberAt(33, 12))).toBeGreaterThan(100);
    expect(Math.abs(await warmth(numberAt(1, 38)))).toBeLessThan(15);
    await expect.poll(() => page.url()).toContain('q=a+red+bicycle');
    await visit.shot('light-up');
    await page.getByRole('searchbox').fill('');
    await expect.poll(() => page.locator('.map-legend').count()).toBe(0);
  });

  it.runIf(withBrowser)('colors by a field, and shows one value alone on the map and in the grid', async () => {
    const halves = Uint8Array.from({ length: 1600 }, (_, number) => (placeOf(number)[0] < 0 ? 0 : placeOf(number)[1] < 0 ? 1 : 255));
    const hostile = '<img src=x onerror=alert(1)>\u202e';
    await open({ positions: lattice, metadataOf: () => ({ side: 'x' }), values: { side: { field: 'side', kind: 'categories', categories: ['left', hostile], rest: 400, missing: 0, values: encoded(halves) } } });
    await page.getByLabel('Color by').selectOption('side');
    await expect.poll(() => page.locator('.map-legend').innerText()).toContain('left');
    await expect.poll(() => page.locator('.map-legend').innerText()).toContain(hostile);
    const colors = new Set([await colorAt('dots', ...placeOf(numberAt(3, 20))), await colorAt('dots', ...placeOf(numberAt(36, 3))), await colorAt('dots', ...placeOf(numberAt(36, 36)))].map(String));
    expect(colors.size).toBe(3);
    await page.locator('.map-legend').getByRole('button', { name: 'left' }).click();
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('800 shown');
    await expect.poll(async () => (await titles()).length).toBeGreaterThan(10);
    for (const title of await titles()) expect(placeOf(Number(title.split(' ')[1]))[0]).toBeLessThan(0);
    // Those that stand back are nearly the ground's color.
    await expect.poll(async () => Math.min(...(await colorAt('dots', ...placeOf(numberAt(36, 3)))))).toBeGreaterThan(200);
    await visit.shot('categories');
    await lasso([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]);
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('200 selected');
  });

  it.runIf(withBrowser)('names clusters in place', async () => {
    const halves = Uint8Array.from({ length: 1600 }, (_, number) => (placeOf(number)[0] < 0 ? 0 : 1));
    await open({ positions: lattice, values: { $cluster: { field: '$cluster', kind: 'categories', categories: ['boats', 'trees'], missing: 0, values: encoded(halves) } } });
    const boats = page.locator('.labels').getByRole('button', { name: 'boats' });
    const middle = await screenOf(-0.5, 0);
    await expect.poll(async () => {
      const box = await boats.boundingBox();
      return box && Math.hypot(box.x + box.width / 2 - middle.x, box.y + box.height / 2 - middle.y);
    }).toBeLessThan(16);
    await boats.click();
    await expect.poll(() => selection().getByRole('heading').innerText()).toBe('800 shown');
  });

  it.runIf(withBrowser)('shows 100,000 points with pictures that never overlap, at every zoom', { timeout: 60_000 }, async () => {
    let state = 11;
    const random = (): number => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
    const many = Float32Array.from({ length: 200_000 }, () => (random() + random() + random()) / 1.5 - 1);
    await page.addInitScript(`
      globalThis.drawn = [];
      const clear = CanvasRenderingContext2D.prototype.clearRect, draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.clearRect = function (...all) { globalThis.drawn = []; return clear.apply(this, all); };
      CanvasRenderingContext2D.prototype.drawImage = function (...all) { globalThis.drawn.push({ left: all[5], top: all[6], width: all[7], height: all[8], from: all[1] + ' ' + all[2], alpha: this.globalAlpha }); return draw.apply(this, all); };
    `);
    const asked = await open({ positions: many });
    const pictures = () =>
      page.evaluate(async () => {
        for (let frames = 0; frames < 3; frames++) await new Promise((resolve) => (globalThis as any).requestAnimationFrame(resolve));
        return (globalThis as any).drawn as { left: number; top: number; width: number; height: number; alpha: number }[];
      });
    const atRest = async () => {
      let [before, times] = ['', 0];
      await expect
        .poll(async () => {
          const now = JSON.stringify(await pictures());
          times = now === before ? times + 1 : 0;
          before = now;
          return times;
        }, { timeout: 15_000, interval: 150 })
        .toBeGreaterThan(2);
      return pictures();
    };
    const first = await atRest();
    expect(first.length).toBeGreaterThan(30);
    expect(asked.sheets.length).toBeLessThan(20);
    await visit.shot('many');
    const box = (await stage().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let step = 0; step < 3; step++) {
      await page.mouse.wheel(0, -500);
      await page.mouse.wheel(0, -500);
      const shown = await atRest();
      expect(shown.length).toBeGreaterThan(10);
      for (const [index, a] of shown.entries()) {
        expect(a.alpha).toBe(1);
        for (const b of shown.slice(index + 1)) expect(a.left + a.width <= b.left + 0.01 || b.left + b.width <= a.left + 0.01 || a.top + a.height <= b.top + 0.01 || b.top + b.height <= a.top + 0.01).toBe(true);
      }
    }
    await visit.shot('near');
    // What is seen before and after a small pan is the same pictures, moved.
    const before = await atRest();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 40, box.y + box.height / 2 + 25, { steps: 4 });
    await page.mouse.up();
    const after = new Set((await atRest()).map(({ left, top }) => `${Math.round(left)} ${Math.round(top)}`));
    const inner = before.filter(({ left, top, width, height }) => left > 60 && top > 60 && left + width < box.width - 110 && top + height < box.height - 90);
    expect(inner.length).toBeGreaterThan(5);
    for (const { left, top } of inner) expect(after.has(`${Math.round(left + 40)} ${Math.round(top + 25)}`)).toBe(true);
  });
});
