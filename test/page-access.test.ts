/** The page as assistive technology meets it: axe-core (WCAG 2.2 AA) over each state, in light and dark. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { inBrowser, withBrowser } from './page-browser.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

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

/** Another state is another line. */
const states: State[] = [
  { name: 'all pictures', at: '/' },
  { name: 'results of words', at: '/?q=blue' },
  { name: 'an opened picture', at: '/', enter: open },
  { name: 'more like one', at: '/?like=p1' },
  { name: 'an empty collection', at: '/?collection=empty' },
  { name: 'a collection that is not there', at: '/?collection=nowhere', allow: /404/ },
  { name: 'map', at: '/?view=map' },
  { name: 'classify', at: '/?view=classify' },
  { name: 'compare', at: '/?view=compare' },
  { name: 'library', at: '/?view=library' },
  { name: 'library: a new collection', at: '/?view=library', enter: press('New collection') },
  { name: 'library: recall measured', at: '/?view=library', enter: press('Measure now') },
  { name: 'library: asks before it deletes', at: '/?view=library', enter: press('Delete collection') },
  { name: 'library: duplicates', at: '/?view=library&part=duplicates' },
  { name: 'library: clusters, one being renamed', at: '/?view=library&part=clusters', enter: (page) => page.locator('.cluster-name button').first().click() },
  { name: 'library: jobs', at: '/?view=library&section=jobs' },
  { name: 'library: models', at: '/?view=library&section=models' },
];

describe('the page, to axe', () => {
  let server: RunningServer;
  let axe: string;
  const visit = inBrowser(() => [server.url]);

  beforeAll(async () => {
    if (!withBrowser) return;
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    server = await startServer();
    const client = new MixspaceClient({ url: server.url });
    const pictures = await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => ({ id: `p${seed}`, name: `${seed}.png`, blob: new Blob([new Uint8Array(await drawn(seed))]), metadata: { name: `drawing ${seed}`, year: 2000 + seed } })));
    const again = { id: 'again', name: 'again.png', blob: new Blob([new Uint8Array(await drawn(1, 'png', 640, 480))]) };
    await client.uploadItems('default', [...pictures, again]);
    await client.createCollection({ name: 'empty' });
    const jobs = [await client.makeClusters('default', { count: 2 }), await client.findDuplicates('default')];
    for (const { id } of jobs) for await (const { job } of client.followJob(id)) if (job.ended_at !== undefined) expect(job.state).toBe('done');
  });
  afterAll(() => server?.remove());

  for (const { name, at, enter, allow } of states) {
    it.runIf(withBrowser)(`finds nothing wrong with ${name}`, async () => {
      if (allow) visit.allow(allow);
      const { page } = visit;
      await page.goto(server.url + at, { waitUntil: 'networkidle' });
      await expect.poll(() => page.locator('main').count()).toBe(1);
      await enter?.(page);
      await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.evaluate(axe);
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
