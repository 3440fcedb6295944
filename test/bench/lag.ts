import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { withPhotoFolder } from './photo-folder.js';
import { perPicture, readStages } from './stages.js';
import { milliseconds, percentile, seconds } from './timing.js';

const healthEveryMs = 50;
const searchEveryMs = 250;
const resolution = 10;
const wordings = ['a dog in the snow', 'children at play', 'a red car', 'two people on a bench', 'ein Hund am Strand', '一个骑自行车的男孩'];

/** How long others wait while a bulk ingest takes the whole machine; "bare" is this process, which only asks, on the same machine. */
export async function lag(quick: boolean, asked?: BenchModel): Promise<void> {
  const model = asked ?? (await defaultModel());
  const duration = quick ? 10_000 : 70_000;
  await withPhotoFolder(quick ? 200 : 2_000, async (folder) => {
    const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_CACHE: '0', ...settingsFor(model) }, patience: 120_000 });
    const client = new MixspaceClient({ url: server.url });
    const health = (): Promise<unknown> => fetch(`${server.url}/healthz`).then((response) => response.text());
    const words = (turn: number): Promise<unknown> => client.search('default', wordings[turn % wordings.length], { limit: 10 });
    const items = async (): Promise<number> => (await client.collection('default')).counts.total;
    let load: ChildProcess | undefined;
    try {
      await client.addItems('default', wordings.map((text) => ({ text })));
      const idle = await every(healthEveryMs, 5_000, health);

      load = fork(path.join(import.meta.dirname, 'ingest-load.ts'), [server.url, folder]);
      const ended = once(load, 'exit');
      const before = await items();
      while ((await items()) === before) await delay(100);
      const own = monitorEventLoopDelay({ resolution });
      own.enable();
      const [stagesBefore, itemsBefore, processorBefore] = [await readStages(server.url), await items(), processorTimes()];
      const [healthTimes, searchTimes] = await Promise.all([every(healthEveryMs, duration, health), every(searchEveryMs, duration, words)]);
      const [busy, stagesAfter, itemsAfter] = [busyShare(processorBefore, processorTimes()), await readStages(server.url), await items()];
      own.disable();
      if (load.connected) load.disconnect();
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`The load generator ended with ${code}.`);

      const lagMs = 1_000 * stagesAfter.lagP99;
      const ownMs = Math.max(0, own.percentile(99) / 1e6 - resolution);
      const [health99, idle99] = [percentile(healthTimes, 0.99), percentile(idle, 0.99)];
      const taken = itemsAfter - itemsBefore;
      console.log(`lag, event loop p99: ours ${milliseconds(lagMs)}, bare ${milliseconds(ownMs)}, ratio ${(lagMs / ownMs).toFixed(2)}`);
      console.log(`lag, /healthz p99: ours ${milliseconds(health99)} under load, bare ${milliseconds(idle99)} idle, ratio ${(health99 / idle99).toFixed(1)} (${spread(healthTimes)})`);
      console.log(`lag, text search p99: ${milliseconds(percentile(searchTimes, 0.99))} (${spread(searchTimes)})`);
      console.log(`lag: ${taken} pictures uploaded in ${duration / 1_000} s, ${((1_000 * taken) / duration).toFixed(1)}/s, processors ${(100 * busy).toFixed(0)} % busy`);
      console.log(`lag: ours, milliseconds a picture: ${perPicture(stagesBefore, stagesAfter, taken)}`);
    } finally {
      load?.kill('SIGKILL');
      await server.remove();
    }
  });
}

const spread = (times: number[]): string => `p50 ${milliseconds(percentile(times, 0.5))}, highest ${milliseconds(Math.max(...times))}, ${times.length} calls`;

/** Begins `work` at a fixed pace, whether or not the last has ended. Milliseconds of each. */
async function every(ms: number, duration: number, work: (turn: number) => Promise<unknown>): Promise<number[]> {
  const running: Promise<number>[] = [];
  const began = performance.now();
  for (let turn = 0; turn * ms < duration; turn++) {
    await delay(Math.max(0, began + turn * ms - performance.now()));
    running.push(seconds(() => work(turn)));
  }
  return (await Promise.all(running)).map((each) => each * 1_000);
}

function processorTimes(): { idle: number; total: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, each) => sum + each.idle, 0);
  return { idle, total: times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle) };
}

function busyShare(before: ReturnType<typeof processorTimes>, after: ReturnType<typeof processorTimes>): number {
  return 1 - (after.idle - before.idle) / (after.total - before.total);
}
