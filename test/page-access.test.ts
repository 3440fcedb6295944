/** The page as assistive technology meets it: axe-core (WCAG 2.2 AA) over each state, in light and dark. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { readsOtherwise, readsTexts, startSmall, type SmallService } from './small-service.js';

interface State {
  name: string;
  /** Behind the service's address. */
  at: string;
  /** What leads there, once the page is there. */
  enter?: (page: Page) => Promise<unknown>;
  /** Errors in the browser's log that belong to it. */
  allow?: RegExp;
}

const open = (page: Page): Promise<void> => page.locator('.grid .tile').first().click();
const press = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).first().click();

const shows = (what: string) => (page: Page) => expect.poll(() => page.locator(what).count(), { timeout: 20_000 }).toBeGreaterThan(0);
const drawnMap = shows('.map-count');
const everywhere = 'area=o0,0,2.9';

/** Another state is another line. */
const states: State[] = [
  { name: 'all pictures', at: '/' },
  { name: 'results of words', at: '/?q=blue' },
  { name: 'an opened picture', at: '/', enter: open },
  { name: 'more like one', at: '/?like=p1' },
  { name: 'an empty collection', at: '/?collection=empty' },
  { name: 'a collection that is not there', at: '/?collection=nowhere', allow: /404/ },
  { name: 'no map yet', at: '/?view=map&collection=empty' },
  { name: 'map', at: '/?view=map', enter: drawnMap },
  { name: 'map: colored by a number, a range of it alone', at: '/?view=map&color=year&from=2002&to=2004', enter: drawnMap },
  { name: 'map: colored by clusters, with their names', at: '/?view=map&color=%24cluster', enter: drawnMap },
  { name: 'map: a live query, a selection and its grid', at: `/?view=map&q=blue&${everywhere}`, enter: drawnMap },
  { name: 'map: an opened picture', at: '/?view=map&open=p1', enter: drawnMap },
  { name: 'map: duplicates of a selection', at: `/?view=map&${everywhere}`, enter: press('Duplicates') },
  { name: 'map: asks for a label', at: `/?view=map&${everywhere}`, enter: press('Label') },
  { name: 'map of texts', at: '/?view=map&collection=texts', enter: drawnMap },
  { name: 'classify', at: '/?view=classify' },
  { name: 'classify: pictures and labels', at: '/?view=classify&ids=p1,p2,p3&labels=red%0Ablue%0Agreen', enter: shows('.bars li') },
  { name: 'classify: a saved set with examples', at: '/?view=classify&ids=p1,p2&classifier=taught', enter: shows('.bars li') },
  { name: 'classify: a confusion table', at: '/?view=classify&labels=red%0Ablue&job={classify}', enter: shows('.confusion button') },
  { name: 'compare', at: '/?view=compare' },
  { name: 'compare: a matrix', at: '/?view=compare&ids=p1,p2,p3&texts=red%0Ablue', enter: shows('.matrix td button') },
  { name: 'compare: a cell before the background', at: '/?view=compare&ids=p1,p2,p3&texts=red%0Ablue&cell=0.1', enter: shows('.matrix td button') },
  { name: 'compare: two models, as probabilities', at: '/?view=compare&ids=p1,p2&texts=red%0Ablue&beside=other&show=probability', enter: shows('.matrix td button') },
  { name: 'library', at: '/?view=library' },
  { name: 'library: a new collection', at: '/?view=library', enter: press('New collection') },
  { name: 'library: recall measured', at: '/?view=library', enter: press('Measure now') },
  { name: 'library: asks before it deletes', at: '/?view=library', enter: press('Delete collection') },
  { name: 'library: duplicates', at: '/?view=library&part=duplicates' },
  { name: 'library: clusters, one being renamed', at: '/?view=library&part=clusters', enter: (page) => page.locator('.cluster-name button').first().click() },
  { name: 'library: jobs', at: '/?view=library&section=jobs' },
  { name: 'library: models', at: '/?view=library&section=models' },
  { name: 'library: keys', at: '/?view=library&section=keys', enter: shows('.page-library section > p') },
];

describe('the page, to axe', () => {
  let service: SmallService;
  let jobs: Record<string, string> = {};
  let axe: string;
  const visit = inBrowser(() => [service.server.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    service = await startSmall({ first: readsTexts, other: readsOtherwise });
    const client = new MixspaceClient({ url: service.server.url });
    const pictures = await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => ({ id: `p${seed}`, name: `${seed}.png`, blob: new Blob([new Uint8Array(await drawn(seed))]), metadata: { name: `drawing ${seed}`, year: 2000 + seed, truth: seed % 2 === 0 ? 'red' : 'blue' } })));
    const again = { id: 'again', name: 'again.png', blob: new Blob([new Uint8Array(await drawn(1, 'png', 640, 480))]) };
    await client.uploadItems('default', [...pictures, again]);
    await client.createCollection({ name: 'empty' });
    await client.createCollection({ name: 'texts' });
    await client.addItems('texts', Array.from({ length: 9 }, (_, number) => ({ id: `t${number}`, text: `The text number ${number}, of a few words.` })));
    await client.putClassifier('taught', { labels: ['red', 'blue'] });
    await client.addExamples('taught', { label: 'blue', collection: 'default', ids: ['p1', 'p3'] });
    const started = [
      await client.classifyCollection('default', { labels: ['red', 'blue'], field: 'said', truth: 'truth' }),
      await client.makeClusters('default', { count: 2 }),
      await client.findDuplicates('default'),
      await client.makeMap('default'),
      await client.makeMap('texts'),
    ];
    for (const { id } of started) for await (const { job } of client.followJob(id)) if (job.ended_at !== undefined) expect(job).toMatchObject({ state: 'done' });
    jobs = Object.fromEntries(started.map(({ id, kind }) => [kind, id]));
  });
  afterAll(() => service?.remove());

  for (const { name, at, enter, allow } of states) {
    it.runIf(withBrowser)(`finds nothing wrong with ${name}`, async () => {
      if (allow) visit.allow(allow);
      const { page } = visit;
      await page.goto(service.server.url + at.replace(/\{(\w+)\}/, (_, kind: string) => jobs[kind]!), { waitUntil: 'networkidle' });
      await expect.poll(() => page.locator('main').count()).toBe(1);
      await enter?.(page);
      await visit.shot(`axe-${name.replaceAll(/\W+/g, '-')}`);
      await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0);
      await page.evaluate(axe);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // In the dark only the colors are others.
        const run = colorScheme === 'light' ? { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] } : { runOnly: { type: 'rule', values: ['color-contrast'] } };
        const found = await page.evaluate<{ passed: number; wrong: string[] }>(
          `axe.run(document, ${JSON.stringify(run)}).then(({ violations, passes }) => ({ passed: passes.length, wrong: violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => id + ' (' + help + ') at ' + target.join(' ') + ': ' + failureSummary)) }))`,
        );
        expect(found.wrong, `${name}, ${colorScheme}`).toEqual([]);
        expect(found.passed).toBeGreaterThan(0);
      }
    });
  }
});
