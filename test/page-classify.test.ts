import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, items } from './api.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { flat, readsTexts, startSmall, type Package, type SmallService } from './small-service.js';

const calibration = {
  sharpness: 20,
  slope: 15,
  offset: 2.5,
  abstain: 1,
  numbers: [
    { labels: 2, temperature: 1.5, closed: 0.8 },
    { labels: 8, temperature: 0.75, closed: 0.4 },
  ],
};
const calibrated: Package = { ...readsTexts, 'calibration.json': calibration };
const colors = { red: [250, 10, 10], green: [10, 240, 20], blue: [15, 15, 245], yellow: [230, 220, 20], grey: [120, 120, 120], dark: [20, 22, 25] } as const;
type Color = keyof typeof colors;
const labels = ['fire', 'grass', 'sea'];

describe('the classify view', () => {
  let service: SmallService;
  const pictures = new Map<Color, string>();
  const visit = inBrowser(() => [service.server.url]);
  let page: Page;

  beforeAll(async () => {
    if (!withBrowser) return;
    service = await startSmall({ calibrated });
    for (const [name, [red, green, blue]] of Object.entries(colors)) pictures.set(name as Color, await flat(red, green, blue));
    const truth: Record<string, string> = { red: 'fire', green: 'grass', blue: 'sea', yellow: 'fire' };
    await service.add('default', [...pictures].map(([name, image]) => ({ id: name, image, metadata: { name: `the ${name} one`, ...(truth[name] ? { truth: truth[name] } : {}) } })));
  }, 120_000);
  afterAll(() => service?.remove());
  beforeEach(() => void (page = visit.page));

  const at = (query: Record<string, string> = {}): string => `${service.server.url}/?${new URLSearchParams({ view: 'classify', ...query }).toString()}`;
  const labelBox = () => page.getByRole('textbox', { name: 'Labels', exact: true });
  const card = (name: string) => page.locator('.card').filter({ hasText: name });
  const give = (...names: Color[]): Promise<void> => page.locator('.chosen-bar input[type=file]').setInputFiles(names.map((name) => ({ name: `${name}.png`, mimeType: 'image/png', buffer: Buffer.from(pictures.get(name)!, 'base64') })));
  /** What stands on the bars of a picture, by label. */
  const bars = async (name: string): Promise<Record<string, string>> =>
    Object.fromEntries((await card(name).locator('.bars li').all()).length === 0 ? [] : await card(name).locator('.bars li').evaluateAll((rows: any[]) => rows.map((row) => [row.querySelector('bdi, .bar > span:not(.fill)').textContent, row.querySelector('.value').textContent])));
  const percent = (share: number): string => new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(share);
  /** What the service answers the test itself. */
  const answered = async (image: string, more: object): Promise<Record<string, string>> => {
    const { status, body } = await service.post('/v1/classify', { input: [{ image }], abstain: 'auto', ...more });
    expect(status).toBe(200);
    const [{ predictions, none }] = body.data;
    return Object.fromEntries([...predictions.map(({ label, score }: any) => [label, percent(score)]), ...(none === undefined ? [] : [['None of these', percent(none)]])]);
  };
  const thumbnail = async (id: string): Promise<string> => Buffer.from(await (await fetch(`${service.server.url}${items()}/${id}/image`)).arrayBuffer()).toString('base64');
  const classifier = async (name: string): Promise<any> => (await service.get(`/v1/classifiers/${name}`)).body;

  it.runIf(withBrowser)('shows as bars what the service answers, for pictures that are given and for those of the collection', async () => {
    const sent: number[] = [];
    page.on('request', (request) => request.url().endsWith('/v1/classify') && sent.push((request.postDataJSON() as { input: unknown[] }).input.length));
    await page.goto(at({ ids: 'blue,dark' }));
    await give('red', 'green');
    await labelBox().pressSequentially('fire, grass\nsea', { delay: 15 });
    await expect.poll(() => bars('red.png')).toEqual(await answered(pictures.get('red')!, { labels }));
    await expect.poll(() => bars('green.png')).toEqual(await answered(pictures.get('green')!, { labels }));
    await expect.poll(async () => bars('the blue one')).toEqual(await answered(await thumbnail('blue'), { labels }));
    expect(Object.keys(await bars('the dark one'))).toEqual([...labels, 'None of these']);
    await expect.poll(() => card('red.png').locator('.best').count()).toBe(1);
    await expect.poll(() => page.locator('.chips bdi').allInnerTexts()).toEqual(labels);
    expect(new URL(page.url()).searchParams.get('labels')).toBe('fire, grass\nsea');
    // Typing is waited for: one call holds all four pictures, and not every one of 15 letters makes one.
    expect(Math.max(...sent)).toBeLessThanOrEqual(8);
    expect(sent.length).toBeLessThan(15);
    await visit.shot('bars');

    await page.getByText('Each label by itself').click();
    const each = (await service.post('/v1/classify', { input: [{ image: pictures.get('red')! }], labels, multi_label: true })).body.data[0];
    await expect.poll(() => bars('red.png')).toEqual(Object.fromEntries(each.predictions.map(({ label, score }: any) => [label, percent(score)])));
    await expect.poll(() => card('red.png').locator('.best').count()).toBe(each.labels.length);

    await page.getByText('Each label by itself').click();
    await page.getByText('Sentences around the labels').click();
    await page.getByRole('textbox', { name: 'Sentences around the labels' }).fill('{} in the dark');
    await expect.poll(() => bars('red.png')).toEqual(await answered(pictures.get('red')!, { labels, templates: ['{} in the dark'] }));
  });

  it.runIf(withBrowser)('never shows an answer to labels that were changed meanwhile', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let holding = 0;
    await page.route('**/v1/classify', async (route) => {
      if ((route.request().postDataJSON() as { labels: string[] }).labels.length === 1) {
        holding++;
        await held;
      }
      await route.continue().catch(() => {});
    });
    await page.goto(at());
    await give('red');
    await labelBox().fill('fire');
    await expect.poll(() => holding).toBe(1);
    expect((await bars('red.png'))['fire']).toBe('…');
    await labelBox().fill('fire\ngrass');
    const expected = await answered(pictures.get('red')!, { labels: ['fire', 'grass'] });
    await expect.poll(() => bars('red.png')).toEqual(expected);
    release();
    await page.waitForTimeout(400);
    await expect.poll(() => bars('red.png')).toEqual(expected);
    await labelBox().fill('fire\ngrass\nsea');
    await expect.poll(() => bars('red.png')).toEqual(await answered(pictures.get('red')!, { labels }));
  });

  it.runIf(withBrowser)('learns from a correction, shows how the figure moves, and takes it back', async () => {
    await page.goto(at({ labels: labels.join('\n'), ids: 'red,green,blue,yellow' }));
    await expect.poll(() => page.locator('.card .best').count()).toBeGreaterThan(0);
    const teach = (picture: string, label: string) => card(picture).getByRole('button', { name: new RegExp(`^${label}, .*Teach`) });
    await teach('the red one', 'sea').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByLabel('Name of the classifier').evaluate((box: any) => box === box.ownerDocument.activeElement)).toBe(true);
    await page.keyboard.type('colors-1');
    await visit.shot('name');
    await page.keyboard.press('Enter');
    await expect.poll(() => card('the red one').locator('.lesson').innerText()).toContain('Example of “sea”');
    expect((await classifier('colors-1')).examples).toEqual([{ label: 'sea', count: 1, not: 0 }]);
    await expect.poll(() => page.url()).toContain('classifier=colors-1');
    const figures = async (): Promise<string[]> => page.locator('.accuracy dd b').allInnerTexts();
    const told = async (): Promise<string[]> => {
      const { accuracy } = await classifier('colors-1');
      return [accuracy.zero_shot, accuracy.leave_one_out].map((share: number) => `${Math.round(share * 100)}%`);
    };
    await expect.poll(figures).toEqual(await told());
    const before = await figures();

    // Another label for the same picture takes the place of the first.
    await teach('the red one', 'fire').click();
    await expect.poll(async () => (await classifier('colors-1')).examples).toEqual([{ label: 'fire', count: 1, not: 0 }]);
    for (const [picture, label] of [['green', 'grass'], ['blue', 'sea'], ['yellow', 'fire']] as const) {
      await teach(`the ${picture} one`, label).click();
      await expect.poll(() => card(`the ${picture} one`).locator('.lesson').count()).toBe(1);
    }
    expect((await classifier('colors-1')).examples.map(({ label, count }: any) => [label, count])).toEqual([['fire', 2], ['grass', 1], ['sea', 1]]);
    await expect.poll(figures).toEqual(await told());
    await expect.poll(() => figures()).not.toEqual(before);
    await expect.poll(() => page.locator('.chips li').first().innerText()).toMatch(/fire\s*2/);
    await expect.poll(async () => bars('the blue one')).toEqual(await answered(await thumbnail('blue'), { classifier: 'colors-1' }));
    await visit.shot('learnt');

    await card('the yellow one').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(async () => (await classifier('colors-1')).examples.map(({ count }: any) => count)).toEqual([1, 1, 1]);
    await card('the yellow one').getByRole('button', { name: 'Teach: it is not “sea”' }).click();
    await expect.poll(async () => (await classifier('colors-1')).examples.find(({ label }: any) => label === 'sea')).toEqual({ label: 'sea', count: 2, not: 1 });
    await page.locator('.notices').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(async () => (await classifier('colors-1')).examples.find(({ label }: any) => label === 'sea')).toEqual({ label: 'sea', count: 1, not: 0 });

    // The saved set is there for whoever comes back, and says when it is changed.
    await page.goto(at({ classifier: 'colors-1', ids: 'red' }));
    await expect.poll(() => labelBox().inputValue()).toBe(labels.join('\n'));
    await labelBox().fill([...labels, 'night'].join('\n'));
    await expect.poll(() => page.locator('.changed').innerText()).toContain('not saved in “colors-1” yet');
    await page.getByRole('button', { name: 'Save the changes' }).click();
    await expect.poll(async () => (await classifier('colors-1')).labels).toEqual([...labels, 'night']);
    await expect.poll(() => page.locator('.changed').count()).toBe(0);
    expect((await classifier('colors-1')).examples).toHaveLength(3);
  });

  it.runIf(withBrowser)('labels the whole collection by a job, shows what was taken for what, and gives a file of it', async () => {
    await page.goto(at({ labels: labels.join('\n'), truth: 'truth' }));
    await page.getByLabel('Metadata field to write into').fill('thing');
    await page.getByRole('button', { name: 'Label all' }).click();
    await expect.poll(() => page.locator('.job').innerText(), { timeout: 15_000 }).toContain(`Done: ${pictures.size} items were labelled`);
    const written = (await service.get(items())).body.items.map(({ id, metadata }: any) => ({ id, said: metadata.thing.label as string | null, probability: metadata.thing.probability as number, truth: metadata.truth as string | undefined }));
    await expect.poll(() => page.locator('.job-result').innerText()).toContain('“thing”');
    const counted = new Map<string, number>();
    for (const { said, truth } of written) if (truth !== undefined) counted.set(`${truth} ${said}`, (counted.get(`${truth} ${said}`) ?? 0) + 1);
    const cells = await page.locator('.confusion button').all();
    expect(cells).toHaveLength(counted.size);
    for (const [key, count] of counted) {
      const [truth, said] = key.split(' ') as [string, string];
      await expect.poll(() => page.getByRole('button', { name: `True ${truth}, said ${said === 'null' ? 'None of these' : said}: ${count}` }).count()).toBe(1);
    }
    await visit.shot('confusion');
    await cells[0]!.click();
    const [truth, said] = [...counted.keys()].sort((a, b) => labels.indexOf(a.split(' ')[0]!) - labels.indexOf(b.split(' ')[0]!))[0]!.split(' ') as [string, string];
    await expect.poll(() => page.locator('.looked img').count()).toBe(written.filter((each: any) => each.truth === truth && String(each.said) === said).length);
    expect(new URL((await page.getByRole('link', { name: 'All of them in the search' }).getAttribute('href'))!, page.url()).searchParams.getAll('is').map((each) => JSON.parse(each) as unknown)).toEqual([['truth', truth], ['thing.label', said === 'null' ? null : said]]);
    await page.getByRole('button', { name: 'Take them up there' }).click();
    await expect.poll(() => page.locator('.card').count()).toBeGreaterThan(0);

    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.job-result').getByRole('button', { name: 'Download as CSV' }).click()]);
    const rows = (await readFile(await download.path(), 'utf8')).replace('\uFEFF', '').trim().split('\r\n').map((line) => line.split(','));
    expect(rows[0]).toEqual(['id', 'source', 'label', 'probability', 'truth']);
    expect(rows.slice(1).map(([id, , label, probability]) => [id, label, Number(probability)])).toEqual(written.map((each: any) => [each.id, each.said ?? '', each.probability]));

    await page.reload();
    await expect.poll(() => page.locator('.job').innerText()).toContain('Done:');
  });

  it.runIf(withBrowser)('stops a job where one asks it to, and says that what was written stays', async () => {
    await page.route('**/v1/collections/default/classify', async (route) => {
      const { field } = route.request().postDataJSON() as { field: string };
      await route.fulfill({ status: 202, json: { job: { id: 'classify-x', kind: 'classify', collection: 'default', state: 'running', done: 0, failed: 0, problem: null, created_at: '2026-01-01T00:00:00Z' } } });
      expect(field).toBe('label');
    });
    const job = { id: 'classify-x', kind: 'classify', collection: 'default', state: 'running', done: 2, total: 6, failed: 0, problem: null, created_at: '2026-01-01T00:00:00Z', seconds_left: 40 };
    await page.route('**/v1/jobs/classify-x', (route) => route.fulfill({ json: job }));
    await page.route('**/v1/jobs/classify-x/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: `id: 1\nevent: progress\ndata: ${JSON.stringify(job)}\n\n` }));
    await page.route('**/v1/jobs/classify-x/cancel', (route) => route.fulfill({ json: { ...job, state: 'cancelled', ended_at: '2026-01-01T00:00:09Z' } }));
    await page.goto(at({ labels: labels.join('\n') }));
    await page.getByRole('button', { name: 'Label all' }).click();
    await expect.poll(() => page.locator('.job').innerText()).toMatch(/2 of 6 · about 40 s left/);
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => page.locator('.job').innerText()).toContain('Stopped: the 2 labels that were written stay.');
  });

  it.runIf(withBrowser)('says in place what went wrong, tries again, and loses nothing that was typed', async () => {
    visit.allow(/Failed to load resource|415|400/);
    await page.route('**/v1/classify', (route) => route.abort());
    await page.goto(at({ ids: 'red' }));
    await labelBox().fill('fire\n<img src=x onerror=alert(1)>');
    await expect.poll(() => page.locator('.answered > .problem').innerText()).toContain('No mixspace answers');
    await page.unroute('**/v1/classify');
    await page.getByRole('button', { name: 'Try again' }).click();
    const odd = ['fire', '<img src=x onerror=alert(1)>'];
    await expect.poll(async () => bars('the red one')).toEqual(await answered(await thumbnail('red'), { labels: odd }));
    expect(await page.locator('.bars img, .chips img').count()).toBe(0);

    // One that is no picture is named; the others are answered.
    await page.locator('.chosen-bar input[type=file]').setInputFiles([
      { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') },
      { name: 'fine.png', mimeType: 'image/png', buffer: Buffer.from(pictures.get('green')!, 'base64') },
    ]);
    await expect.poll(() => card('broken.png').getByRole('alert').count()).toBe(1);
    await expect.poll(() => bars('fine.png')).toEqual(await answered(pictures.get('green')!, { labels: odd }));
    await page.reload();
    await expect.poll(() => labelBox().inputValue()).toBe(odd.join('\n'));

    const long = Array.from({ length: 400 }, (_, index) => `label number ${index}`).join('\n');
    await labelBox().fill(long);
    await expect.poll(() => new URL(page.url()).searchParams.get('labels')).not.toBe(odd.join('\n'));
    await expect.poll(() => page.url().length).toBeLessThan(2_500);
    await page.reload();
    await expect.poll(() => labelBox().inputValue()).toBe(long);
  });

  it.runIf(withBrowser)('takes pictures of the collection by words, fits a narrow screen, and speaks German', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(at({ labels: 'fire\nsea' }));
    await page.getByRole('button', { name: 'Take some of the collection' }).click();
    await page.getByRole('searchbox').fill('a green thing');
    await expect.poll(() => page.locator('.picker li button').count()).toBe(pictures.size);
    await page.locator('.picker li button').first().click();
    await expect.poll(() => page.locator('.picker [aria-pressed=true]').count()).toBe(1);
    await expect.poll(() => page.locator('.card .value').allInnerTexts()).toHaveLength(3);
    await page.getByRole('combobox', { name: 'Language' }).selectOption('de');
    await expect.poll(() => page.locator('.none').innerText()).toContain('Nichts davon');
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await expect.poll(() => page.locator('.card .value').first().innerText()).toMatch(/^\d+,\d\s%$/);
    await visit.shot('narrow');
    await page.goBack();
    await expect.poll(() => page.locator('.card').count()).toBe(0);
  });

  it.runIf(withBrowser)('deletes a classifier only when asked twice', async () => {
    await call(service.server.url, 'PUT', '/v1/classifiers/short-lived', { labels });
    await page.goto(at({ classifier: 'short-lived' }));
    await page.getByRole('button', { name: 'Delete' }).click();
    expect((await service.get('/v1/classifiers/short-lived')).status).toBe(200);
    await page.getByRole('alert').getByRole('button', { name: 'Delete' }).click();
    await expect.poll(async () => (await service.get('/v1/classifiers/short-lived')).status).toBe(404);
    await expect.poll(() => labelBox().inputValue()).toBe(labels.join('\n'));
  });
});
