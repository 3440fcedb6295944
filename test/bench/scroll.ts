/**
 * The page over many pictures, scrolled from end to end in Chromium: `npx tsx test/bench/scroll.ts [COUNT]` (default 50,000).
 * The items are real ones of a real service, of 400 small pictures that come again and again under other ids.
 * MIXSPACE_URL: a service that has them from a run before; else one is started, filled and thrown away.
 * Tasks are told by the time that passed and by the processor time of the page's thread, which other work of the machine does not lengthen.
 */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer, tinyModels } from '../server.js';

const count = Number(process.argv[2] ?? 50_000);
const different = 400;
const batch = 100;
const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => file !== undefined && existsSync(file));
if (executablePath === undefined) throw new Error('There is no Chromium.');

const given = process.env['MIXSPACE_URL'];
const server = given === undefined ? await startServer({ env: { MIXSPACE_WORKERS: '1', MIXSPACE_MODELS_DIR: tinyModels } }) : undefined;
const url = given ?? server!.url;
try {
  await fill();
  await scroll();
} finally {
  await server?.remove();
}

async function fill(): Promise<void> {
  const client = new MixspaceClient({ url });
  const there = (await client.collection('default')).counts.total;
  const pictures = await Promise.all(Array.from({ length: different }, (_, index) => drawn(index)));
  const began = performance.now();
  for (let first = there; first < count; first += batch) {
    const files = Array.from({ length: Math.min(batch, count - first) }, (_, offset) => ({ id: `picture-${first + offset}`, blob: pictures[(first + offset) % different]!, name: `DSC_${String(first + offset).padStart(6, '0')}.png` }));
    const failed = (await client.uploadItems('default', files)).filter(({ status }) => status === 'failed');
    if (failed.length > 0) throw new Error(JSON.stringify(failed[0]));
    if (first % 5_000 === 0) console.log(`${first} added, ${Math.round((performance.now() - began) / 1000)} s`);
  }
}

async function drawn(index: number): Promise<Blob> {
  const [width, height] = [[64, 48], [48, 64], [64, 64], [96, 48]][index % 4] as [number, number];
  const background = { r: (index * 47) % 256, g: (index * 91) % 256, b: (index * 151) % 256 };
  return new Blob([new Uint8Array(await sharp({ create: { width, height, channels: 3, background } }).png().toBuffer())]);
}

interface Seen {
  nodes: number;
  tiles: number;
  longest: number;
  over50: number;
  longestFrame: number;
  frames: number;
  shift: number;
}

async function scroll(): Promise<void> {
  const browser = await chromium.launch({ executablePath: executablePath!, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(url);
  await page.waitForSelector('.tile');
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline', '__metadata'] });
  const began = performance.now();
  const seen = await page.evaluate<Seen>(`(async () => {
    const seen = { nodes: 0, tiles: 0, longest: 0, over50: 0, longestFrame: 0, frames: 0, shift: 0 };
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) { seen.longest = Math.max(seen.longest, duration); seen.over50++; } }).observe({ type: 'longtask' });
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value; }).observe({ type: 'layout-shift' });
    const last = () => document.querySelector('.grid [data-index="${count - 1}"]');
    let before = performance.now();
    let still = 0;
    while (!last() && still < 600) {
      const at = scrollY;
      scrollBy(0, innerHeight * 0.8);
      await new Promise(requestAnimationFrame);
      still = scrollY === at ? still + 1 : 0;
      const now = performance.now();
      seen.frames++;
      seen.longestFrame = Math.max(seen.longestFrame, now - before);
      before = now;
      if (seen.frames % 5 === 0) {
        seen.nodes = Math.max(seen.nodes, document.querySelectorAll('*').length);
        seen.tiles = Math.max(seen.tiles, document.querySelectorAll('.tile').length);
      }
    }
    if (!last()) throw new Error('The end was not reached: ' + document.querySelector('.grid')?.style.height);
    return seen;
  })()`);
  const tasks = tasksOf(await browser.stopTracing());
  console.log(`${count} pictures scrolled from end to end in ${Math.round((performance.now() - began) / 1000)} s and ${seen.frames} frames (Chromium ${browser.version()}, software rendering).`);
  console.log(`Most nodes in the document ${seen.nodes}, most tiles ${seen.tiles}; tasks over 50 ms: ${seen.over50}, the longest ${Math.round(seen.longest)} ms; layout shift ${seen.shift.toFixed(4)}.`);
  console.log(`Of ${tasks.length} tasks of the page's thread the longest took ${tasks.at(-1)?.toFixed(1)} ms of processor time, one in a hundred more than ${tasks[Math.floor(tasks.length * 0.99)]?.toFixed(1)} ms; ${tasks.filter((ms) => ms > 50).length} took more than 50 ms.`);
  // A thumb dragged about over all that is loaded.
  const drag = await page.evaluate<{ longest: number; nodes: number }>(`(async () => {
    let longest = 0;
    const observer = new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); });
    observer.observe({ type: 'longtask' });
    const height = document.documentElement.scrollHeight;
    let nodes = 0;
    for (let step = 0; step < 120; step++) {
      scrollTo(0, height * Math.abs(Math.sin(step * 1.7)));
      await new Promise(requestAnimationFrame);
      nodes = Math.max(nodes, document.querySelectorAll('*').length);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { longest, nodes };
  })()`);
  console.log(`120 jumps over all of it: longest task ${Math.round(drag.longest)} ms, most nodes ${drag.nodes}.`);
  await browser.close();
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  tdur?: number;
  args?: { name?: string };
}

/** Milliseconds of processor time, the longest last. */
function tasksOf(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const main = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, pid, tid, tdur }) => name === 'RunTask' && tdur !== undefined && main.has(`${pid} ${tid}`));
  return tasks.map(({ tdur }) => tdur! / 1000).sort((a, b) => a - b);
}
