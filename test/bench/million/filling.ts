import { setTimeout as delay } from 'node:timers/promises';
import { inFlight, milliseconds, percentile, seconds } from '../timing.js';
import type { CloudFile } from './cloud-file.js';
import { withProgress } from './progress.js';
import { collection, find, residentMegabytes, type Subject } from './subject.js';

const perRequest = 1_000;
const requestsInFlight = 2;
const searchEveryMs = 50;
const searchesInFlight = 8;
const pollEveryMs = 500;
const done = ['ready', 'none', 'exact'];

interface IndexState {
  state: string;
  indexed: number;
  total: number;
}

/** Sends every item while it is searched, and waits until the index has all of them. */
export async function fill(subject: Subject, file: CloudFile, count: number, queries: number[][]): Promise<void> {
  let sent = 0;
  const firsts = Array.from({ length: Math.ceil(count / perRequest) }, (_, batch) => batch * perRequest);
  const sending = (): Promise<number> =>
    seconds(() =>
      inFlight(firsts, requestsInFlight, async (first) => {
        const outcomes = await subject.client.addItems(collection, await file.items(first, Math.min(perRequest, count - first)));
        const refused = outcomes.find(({ status }) => status !== 'created');
        if (refused) throw new Error(`An item was ${refused.status}: ${refused.error?.message ?? ''}`);
        sent += outcomes.length;
      }),
    );
  const took = await withProgress(
    'ingest',
    () => `${sent} of ${count} items, ${residentMegabytes(subject)} MB resident`,
    () => searchMeanwhile('while ingesting', subject, queries, sending()),
  );
  console.log(`million, ingest: ${count} items in ${took.toFixed(1)} s, ${(count / took).toFixed(0)} items/s`);
  const built = await untilReady(subject, queries);
  console.log(`million, ingest and index: ${(took + built).toFixed(1)} s, ${(count / (took + built)).toFixed(0)} items/s`);
}

/** Seconds until the index has every item. */
export async function untilReady(subject: Subject, queries: number[][]): Promise<number> {
  let state = await indexState(subject);
  const waiting = (): Promise<number> =>
    seconds(async () => {
      for (; !isReady(state); state = await indexState(subject)) await delay(pollEveryMs);
    });
  const took = isReady(state)
    ? 0
    : await withProgress('index', () => `${state.state}, ${state.indexed} of ${state.total}, ${residentMegabytes(subject)} MB resident`, () => searchMeanwhile('while the index is built', subject, queries, waiting()));
  console.log(`million, index: ${state.state}, ${state.indexed} of ${state.total} in it, ${took.toFixed(1)} s later`);
  return took;
}

/** Where nothing was built, exact searches have everything. */
function isReady({ state, indexed, total }: IndexState): boolean {
  return done.includes(state) && (state !== 'ready' || indexed >= total);
}

async function indexState({ client }: Subject): Promise<IndexState> {
  const { counts, ...rest } = await client.collection(collection);
  const { state = 'none', indexed = 0 } = (rest as { graph?: { state?: string; indexed?: number } }).graph ?? {};
  return { state, indexed, total: counts.total };
}

/** Searches at a fixed pace until `work` has ended; one that would be too many at once is left out, and counted. */
async function searchMeanwhile<T>(when: string, subject: Subject, queries: number[][], work: Promise<T>): Promise<T> {
  const times: number[] = [];
  let [underWay, leftOut, failed, over] = [0, 0, 0, false];
  const asking = (async () => {
    const began = performance.now();
    for (let turn = 0; !over; turn++) {
      await delay(Math.max(0, began + turn * searchEveryMs - performance.now()));
      if (underWay >= searchesInFlight) {
        leftOut++;
        continue;
      }
      underWay++;
      void seconds(() => find(subject, queries[turn % queries.length]!))
        .then((took) => times.push(1_000 * took), () => failed++)
        .finally(() => underWay--);
    }
    while (underWay > 0) await delay(10);
  })();
  try {
    return await work;
  } finally {
    over = true;
    await asking;
    console.log(`million, a search each ${searchEveryMs} ms ${when}: p50 ${milliseconds(percentile(times, 0.5))} p99 ${milliseconds(percentile(times, 0.99))} of ${times.length}; ${failed} failed, ${leftOut} left out with ${searchesInFlight} in flight`);
  }
}
