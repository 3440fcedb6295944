/** The library in the page: what it shows is what the service tells, and what it is asked to do is done. */
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { RecallResponse } from '../src/contract/collections.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { repository, startServer, tinyModels, type RunningServer } from './server.js';

const key = 'a-key-of-the-test';
const textCount = 600;
const fixtures = path.join(repository, 'test/fixtures/reference');
// Each batch takes so long that a job is met under way.
const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'paced-encoder.mjs')).href}`, PACE_MS: '20' };
const bytesOf = (buffer: Buffer) => new Blob([new Uint8Array(buffer)]);

describe('the library', () => {
  let models: string;
  let server: RunningServer;
  let locked: RunningServer;
  let client: MixspaceClient;
  const visit = inBrowser(() => [server.url, locked.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    models = await mkdtemp(path.join(tmpdir(), 'mixspace-models-'));
    await symlink(path.join(tinyModels, 'clip-tiny'), path.join(models, 'first'));
    await symlink(path.join(repository, 'models/mixspace-graft-0.3'), path.join(models, 'golden'));
    await symlink(path.join(fixtures, 'siglip2-tiny'), path.join(models, 'second'));
    await cp(path.join(fixtures, 'clip-tiny'), path.join(models, 'broken'), { recursive: true });
    await writeFile(path.join(models, 'broken/onnx/vision_model.onnx'), '{');
    [server, locked] = await Promise.all([startServer({ env: { ...paced, MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'first' } }), startServer({ env: { MIXSPACE_API_KEYS: key } })]);
    client = new MixspaceClient({ url: server.url });
    const large = await drawn(3, 'png', 640, 480);
    const small = await sharp(large).resize(320, 240).png().toBuffer();
    const pictures = { large, small, another: await drawn(11, 'png', 640, 480), third: await drawn(25, 'png', 640, 480) };
    const files = Object.entries(pictures).map(([id, bytes]) => ({ id, name: `${id}.png`, blob: bytesOf(bytes), metadata: { title: `the ${id} one` } }));
    await client.createCollection({ name: 'shelf', description: 'what stands on the shelf' });
    await client.uploadItems('shelf', files);
    await client.createCollection({ name: 'many' });
    const { fingerprint, dimensions } = await client.collection('many');
    await client.addItems('many', [...Array.from({ length: textCount }, (_, i) => ({ id: `text-${i}`, text: `sentence number ${i}` })), { id: 'given', modality: 'text', embedding: Array.from({ length: dimensions }, (_, i) => i + 1), fingerprint }]);
    await new MixspaceClient({ url: locked.url, apiKey: key }).uploadItems('default', files);
  });
  afterAll(async () => {
    await Promise.all([server?.remove(), locked?.remove()]);
    if (models) await rm(models, { recursive: true, force: true });
  });

  let page: Page;
  beforeEach(() => void (page = visit.page));
  const { shot } = visit;

  const button = (name: string, within: Page | Locator = page) => within.getByRole('button', { name, exact: true });
  /** Of the facts by their names. */
  const facts = async (): Promise<Record<string, string>> =>
    Object.fromEntries(await page.locator('.facts > div').evaluateAll((all: { children: Record<number, { innerText: string }> }[]) => all.map(({ children }) => [children[0]!.innerText, children[1]!.innerText])));
  const heading = (text: string) => page.locator('section.card', { has: page.getByRole('heading', { name: text, exact: true }) });
  const jobCard = (kind: string) => page.locator('li.job', { hasText: kind }).first();

  it.runIf(withBrowser)('lists collections with the counts, the bytes and the states that the service tells', async () => {
    await page.goto(`${server.url}/?view=library&collection=shelf`);
    await expect.poll(() => page.locator('.collection-list a').count()).toBe(3);
    const told = await client.collections();
    const listed = await page.locator('.collection-list a').allInnerTexts();
    for (const { name, counts, bytes, model } of told) {
      const size = bytes === 0 ? '0 bytes' : bytes < 1e6 ? `${Number((bytes / 1e3).toFixed(1))} kB` : `${Number((bytes / 1e6).toFixed(1))} MB`;
      expect(listed).toContain([name, `${counts.total} items · ${size}`, model].join('\n'));
    }
    const shelf = told.find(({ name }) => name === 'shelf')!;
    expect(shelf).toMatchObject({ counts: { image: 4, text: 0 }, parts: 4, not_embedded: 0, graph: { state: 'none' } });
    expect(await facts()).toMatchObject({
      Pictures: String(shelf.counts.image),
      Embeddings: String(shelf.parts),
      'Not embedded': String(shelf.not_embedded),
      Model: 'first',
      Dimensions: String(shelf.dimensions),
      Originals: 'kept',
      Fingerprint: shelf.fingerprint,
      Cells: 'none: searches compare with everything',
      'Full text': 'ready',
    });
    await expect.poll(() => page.locator('.description').innerText()).toBe('what stands on the shelf');
    await shot('overview');
  });

  it.runIf(withBrowser)('creates a collection as it was filled in, and deletes it once its name has been typed', async () => {
    await page.goto(`${server.url}/?view=library`);
    await button('New collection').click();
    const form = page.getByRole('form', { name: 'New collection' });
    await form.getByLabel('Name').fill('brief');
    await form.getByLabel('Description').fill('not for long');
    await form.getByLabel('Model').selectOption('second');
    await form.getByLabel('Originals of pictures').selectOption('thumbnail');
    await form.getByLabel('Tiles').selectOption('2x2');
    await button('Create', form).click();
    await expect.poll(() => page.locator('h3.chosen').innerText()).toBe('brief');
    await expect.poll(() => page.url()).toContain('collection=brief');
    expect(await client.collection('brief')).toMatchObject({ description: 'not for long', model: 'second', originals: 'thumbnail', tiles: '2x2' });

    await button('Delete collection').click();
    const dialog = page.getByRole('dialog');
    const confirm = button('Delete collection', dialog);
    await dialog.getByRole('textbox').fill('brie');
    await expect.poll(() => confirm.isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('brief');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await client.collections()).map(({ name }) => name)).not.toContain('brief');
    await expect.poll(() => page.locator('.collection-list b').allInnerTexts()).toEqual(expect.not.arrayContaining(['brief']));
    await expect.poll(() => page.url()).not.toContain('brief');
  });

  it.runIf(withBrowser)('keeps what was typed where a collection cannot be created, and says why', async () => {
    visit.allow(/409/);
    await page.goto(`${server.url}/?view=library`);
    await button('New collection').click();
    const form = page.getByRole('form', { name: 'New collection' });
    await form.getByLabel('Name').fill('shelf');
    await button('Create', form).click();
    await expect.poll(() => form.getByRole('alert').innerText()).toContain('shelf');
    await expect.poll(() => form.getByLabel('Name').inputValue()).toBe('shelf');
  });

  it.runIf(withBrowser)('measures recall now, and shows each kind of query with its interval and age', async () => {
    await page.goto(`${server.url}/?view=library&collection=many`);
    const [answer] = await Promise.all([page.waitForResponse('**/recall'), button('Measure now').click()]);
    const { queries, low } = ((await answer.json()) as RecallResponse).bands[0]!;
    expect(queries).toBeGreaterThan(9);
    const row = page.locator('tbody tr');
    await expect.poll(() => row.count()).toBe(1);
    const cells = await row.locator('td').allInnerTexts();
    expect(cells.slice(0, 6)).toEqual(['Texts', 'by an item', '100.0%', '100.0% (exact)', `${(100 * low).toFixed(1)}% – 100.0%`, String(queries)]);
    expect(cells[6]).toMatch(/now|second/);
  });

  it.runIf(withBrowser)('cuts what is there into tiles as a job, and sets text fields', async () => {
    await page.goto(`${server.url}/?view=library&collection=shelf`);
    const settings = heading('Settings');
    await settings.getByLabel('Tiles').selectOption('2x2');
    await settings.getByLabel('Text fields').fill('title, caption');
    await button('Save', settings).click();
    await expect.poll(() => settings.locator('.outcome').innerText()).toContain('Tiles 2x2: 4 pictures from originals, 0 from thumbnails, 0 out of reach');
    await expect.poll(async () => (await facts())['Embeddings']).toBe('20');
    expect(await client.collection('shelf')).toMatchObject({ parts: 20, tiles: '2x2', text_fields: ['title', 'caption'] });
  });

  it.runIf(withBrowser)('tells the plan before it embeds again; the job is paused, goes on, and lists what failed', async () => {
    visit.allow(/409/);
    await page.goto(`${server.url}/?view=library&collection=many`);
    const again = heading('Embed again');
    await again.getByLabel('Model').selectOption('second');
    await button('Show the plan', again).click();
    await expect.poll(() => again.locator('.plan').innerText()).toContain(`${textCount + 1} items are to be embedded with second, 0 of them from thumbnails; 0 have an embedding already; 1 cannot be embedded.`);
    const { plan } = await client.reembed('many', { model: 'second', dry_run: true });
    await expect.poll(() => again.locator('.plan li').innerText()).toBe(`given: ${plan!.first_impossible[0]!.reason}`);
    expect((await client.collection('many')).reembedding).toBeUndefined();
    await shot('plan');

    await button('Embed again', again).click();
    await expect.poll(() => again.getByRole('alert').innerText()).toContain('cannot be embedded');
    await again.getByLabel('Go over although').check();
    await button('Show the plan', again).click();
    await button('Embed again', again).click();
    await expect.poll(() => again.innerText()).toContain('On its way to second');

    await page.getByRole('link', { name: 'Jobs' }).click();
    const card = jobCard('Embedding again');
    // A quick machine has done it all before one can press.
    await button('Pause', card).click({ timeout: 5_000 }).catch(() => undefined);
    await expect.poll(() => card.locator('.state').innerText()).toMatch(/^(paused|done)$/);
    const [job] = (await client.jobs({ kind: 'reembed' })).jobs;
    if (job!.state === 'paused') {
      await expect.poll(() => card.locator('.job-progress p').innerText()).toContain(`${job!.done} of ${job!.total} done`);
      await shot('paused');
      await button('Resume', card).click();
    }
    await expect.poll(() => card.locator('.state').innerText()).toBe('done');
    await expect.poll(() => card.locator('.outcome').innerText()).toBe(`${textCount} items are in the space of second, 1 could not be embedded.`);
    expect((await client.collection('many')).model).toBe('second');
    const { failures } = await client.jobFailures(job!.id);
    await card.getByText('What failed, and why').click();
    await expect.poll(() => card.locator('.failures li').allInnerTexts()).toEqual(failures.map(({ id, reason }) => `${id}: ${reason}`));
    expect(failures).toHaveLength(1);
    await page.getByLabel('Show').selectOption('failed');
    await expect.poll(() => page.locator('li.job').count()).toBe(0);
    await expect.poll(() => page.url()).toContain('state=failed');
  });

  it.runIf(withBrowser)('shows duplicates side by side, what to keep and why, and deletes the others once that is confirmed', async () => {
    await page.goto(`${server.url}/?view=library&collection=shelf&part=duplicates`);
    await expect.poll(() => page.locator('.duplicates').innerText()).toContain('Nobody has looked for duplicates yet.');
    await button('Look for duplicates').click();
    await expect.poll(() => page.locator('.duplicates').innerText()).toContain('1 group among 4 items: 1 could go.');
    const group = page.locator('.group');
    await expect.poll(() => group.locator('.name').allInnerTexts()).toEqual(['the large one', 'the small one']);
    await expect.poll(() => group.innerText()).toContain('The first is kept: it is larger.');
    await expect.poll(() => group.innerText()).toContain('640 × 480');
    await expect.poll(() => group.locator('img').evaluateAll((all: { naturalWidth?: number }[]) => all.every(({ naturalWidth }) => naturalWidth! > 0))).toBe(true);
    await shot('duplicates');

    await group.getByLabel('Keep the small one').check();
    await expect.poll(() => button('Delete the other', group).count()).toBe(0);
    await group.getByLabel('Keep the small one').uncheck();
    await button('Delete the other', group).click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.innerText()).toContain('Delete 1 item?');
    expect((await client.itemsExist('shelf', ['small'])).missing).toEqual([]);
    await button('Delete', dialog).click();
    await expect.poll(() => page.locator('.notices').innerText()).toContain('1 item is deleted.');
    expect((await client.itemsExist('shelf', ['large', 'small', 'another', 'third'])).missing).toEqual(['small']);
    await expect.poll(() => page.locator('.duplicates').innerText()).toContain('Nothing is left of what was found.');
    await expect.poll(() => group.count()).toBe(0);
  });

  it.runIf(withBrowser)('makes clusters, and renames one where it stands, by keyboard', async () => {
    visit.allow(/409/);
    const client = new MixspaceClient({ url: locked.url, apiKey: key });
    await page.addInitScript(`sessionStorage.setItem('mixspace-api-key', '${key}')`);
    await page.goto(`${locked.url}/?view=library&part=clusters`);
    await page.getByLabel('How many clusters').fill('2');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.clusters-list > li').count()).toBe(2);
    const { clusters } = await client.clusters('default');
    await expect.poll(() => page.locator('.cluster-name').allInnerTexts()).toEqual(clusters.map(({ name }) => name));
    const name = page.locator('.cluster-name').first();
    await button(`Rename ${clusters[0]!.name}`).focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => name.locator('input:focus').count()).toBe(1);
    await page.keyboard.type(clusters[1]!.name);
    await page.keyboard.press('Enter');
    await expect.poll(() => name.getByRole('alert').innerText()).toContain(clusters[1]!.name);
    await name.getByRole('textbox').fill('Holidays');
    await page.keyboard.press('Enter');
    await expect.poll(() => name.innerText()).toBe('Holidays');
    expect((await client.clusters('default')).clusters[0]!.name).toBe('Holidays');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Holidays');
  });

  it.runIf(withBrowser)('lists models with their state and the reason, and verifies one now', async () => {
    await page.goto(`${server.url}/?view=library&section=models`);
    const card = (id: string) => page.locator('.model', { has: page.getByRole('heading', { name: id }) });
    await expect.poll(() => page.locator('.model').count()).toBe(4);
    await expect.poll(() => card('broken').locator('.state').innerText()).toBe('unusable');
    const told = Object.fromEntries((await client.models()).map((model) => [model.id, model]));
    await expect.poll(() => card('broken').locator('.reason').innerText()).toBe(told['broken']!.self_test.error);
    await expect.poll(() => card('first').getByRole('heading').innerText()).toContain('default');
    await expect.poll(() => card('first').locator('.facts').innerText()).toContain(`${told['first']!.dimensions}`);
    await expect.poll(() => card('first').locator('.facts').innerText()).toContain(told['first']!.fingerprint!);
    await expect.poll(() => card('golden').locator('.state').innerText()).toBe('usable');
    await expect.poll(() => card('first').innerText()).toContain('no golden vectors');
    await button('Verify now', card('golden')).click();
    await expect.poll(() => card('golden').innerText()).toContain('Verified just now');
    const { image, text } = await client.selfTest('golden');
    const shown = await card('golden').locator('.self-test').innerText();
    expect(shown).toContain(`${image!.count} pictures: lowest cosine ${image!.lowest_cosine.toString().slice(0, 8)}`);
    expect(shown).toContain(`${text!.count} texts: lowest cosine ${text!.lowest_cosine.toString().slice(0, 8)}, ${text!.other_tokens} came to other tokens`);
  });

  it.runIf(withBrowser)('exports what there is, with a link or, where a key is needed, with the key', async () => {
    const lines = async (): Promise<string[]> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Export as JSON Lines').click()]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      expect(download.suggestedFilename()).toMatch(/\.jsonl$/);
      return Buffer.concat(chunks).toString('utf8').trim().split('\n');
    };
    await page.goto(`${server.url}/?view=library&collection=shelf`);
    expect((await lines()).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual((await client.itemPage('shelf')).items.map(({ id }) => id));
    visit.allow(/401/);
    await page.goto(`${locked.url}/?view=library`);
    await page.getByPlaceholder('API key').fill(key);
    await page.keyboard.press('Enter');
    await expect.poll(() => button('Export as JSON Lines').count()).toBe(1);
    await expect.poll(() => lines()).toHaveLength(4);
  });

  it.runIf(withBrowser)('is in German and Chinese too, and fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const [language, words] of [['de', 'Nicht eingebettet'], ['zh', '未嵌入']] as const) {
      await page.addInitScript(`localStorage.setItem('mixspace-language', '${language}')`);
      for (const rest of ['', '&part=duplicates', '&part=clusters', '&section=jobs', '&section=models']) {
        await page.goto(`${server.url}/?view=library&collection=shelf${rest}`);
        await expect.poll(() => page.locator('main [aria-busy=true]').count()).toBe(0);
        if (rest === '') await expect.poll(() => page.locator('main').innerText()).toContain(words);
        await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      }
    }
  });
});
