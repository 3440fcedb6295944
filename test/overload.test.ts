import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEncoder } from '../src/encoder/open.js';
import type { Encoder } from '../src/encoder/encoder.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { limits } from './parity/compare.js';
import { drawn } from './pictures.js';
import { startServer, tinyModels, type RunningServer } from './server.js';
import { fixtures } from './small-towers.js';

const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));
const interactive = { priority: 'interactive' } as const;
const bulk = { priority: 'bulk' } as const;

/** As many as the queue takes of each rank. */
const queueLimit = 24;

let server: RunningServer;
let photo: Buffer;

beforeAll(async () => {
  photo = await drawn(3, 'jpeg', 1200, 900);
  server = await startServer({ env: { MIXSPACE_WORKERS: '1', MIXSPACE_CACHE: '0', MIXSPACE_QUEUE_LIMIT: String(queueLimit), LOG_LEVEL: 'error' } });
});
afterAll(() => server.remove());

/** Calls on and on, several at once, until `isOver`; the answers. */
async function keepCalling(atOnce: number, isOver: () => boolean, one: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (!isOver()) {
        const answer = await one();
        answers.push(answer);
        if (answer.status === 429) await delay(20);
      }
    }),
  );
  return answers;
}

const statuses = (answers: Answer[]): number[] => [...new Set(answers.map(({ status }) => status))].sort();

it('answers searches, small requests and /readyz while bulk work and requests of several pictures are refused', async () => {
  let over = false;
  const image = base64(photo);
  const embed = (input: unknown) => call(server.url, 'POST', '/v1/embeddings', { input });
  let uploads = 0;
  const bulkWork = keepCalling(6, () => over, () => call(server.url, 'POST', items(), { items: Array.from({ length: 8 }, () => ({ id: `p${uploads++ % 16}`, metadata: { at: uploads }, image: base64(Buffer.concat([photo, Buffer.from(String(uploads))])) })) }));
  const batches = keepCalling(8, () => over, () => embed(Array.from({ length: 6 }, () => ({ image }))));
  const wereRefused = async (): Promise<void> => {
    for (;;) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => embed(Array.from({ length: 20 }, () => ({ image })))));
      if (answers.some(({ status }) => status === 429)) return;
    }
  };
  await wereRefused();
  const ready = keepCalling(1, () => over, async () => {
    await delay(20);
    return call(server.url, 'GET', '/readyz');
  });
  const searches = await Promise.all(Array.from({ length: 4 }, async (_, person) => {
    const answers: Answer[] = [];
    for (let turn = 0; turn < 6; turn++) answers.push(await call(server.url, 'POST', searchIn(), { query: `a dog ${person} ${turn}` }));
    return answers;
  }));
  const texts = await embed(['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']);
  const byPicture = await call(server.url, 'POST', searchIn(), { query: { image } });
  const classified = await call(server.url, 'POST', '/v1/classify', { input: [{ image }], labels: ['cat', 'dog'] });
  over = true;
  expect(statuses(searches.flat())).toEqual([200]);
  expect([texts.status, byPicture.status, classified.status]).toEqual([200, 200, 200]);
  expect(statuses(await ready)).toEqual([200]);
  expect(statuses([...(await bulkWork), ...(await batches)])).toEqual([200, 429]);
}, 180_000);

async function withOneWorker(use: (encoder: Encoder, picture: Buffer) => Promise<void>): Promise<void> {
  const encoder = await openEncoder({ modelsDirectory: tinyModels, defaultModel: 'clip-tiny', workers: 1, limits, startWorker, log: () => undefined });
  try {
    await use(encoder, await readFile(join(fixtures, 'images', 'landscape.jpg')));
  } finally {
    await encoder.close();
  }
}

it('answers who waits before most of the bulk work that was there first: a text after 3 batches at most, several pictures after a few', () =>
  withOneWorker(async (encoder, picture) => {
    let done = 0;
    const waiting = Array.from({ length: 24 }, () => encoder.encodeImages('clip-tiny', Array<Buffer>(4).fill(picture), bulk).then(() => done++));
    await encoder.encodeTexts('clip-tiny', ['now'], interactive);
    const beforeText = done;
    await encoder.encodeImages('clip-tiny', Array<Buffer>(4).fill(picture), interactive);
    const beforePictures = done - beforeText;
    await Promise.all(waiting);
    expect(beforeText).toBeLessThanOrEqual(3);
    expect(beforePictures).toBeLessThanOrEqual(6);
  }), 180_000);

it('answers one picture before the several that wait', () =>
  withOneWorker(async (encoder, picture) => {
    let done = 0;
    const waiting = Array.from({ length: 12 }, () => encoder.encodeImages('clip-tiny', Array<Buffer>(4).fill(picture), interactive).then(() => done++));
    await encoder.encodeImages('clip-tiny', [picture], interactive);
    const before = done;
    await Promise.all(waiting);
    expect(before).toBeLessThanOrEqual(4);
  }), 180_000);

it('comes to the end of bulk work although pictures are asked without a pause', () =>
  withOneWorker(async (encoder, picture) => {
    let bulkDone = false;
    let asked = 0;
    const asking = Promise.all(Array.from({ length: 6 }, async () => {
      while (!bulkDone && asked < 400) {
        asked++;
        await encoder.encodeImages('clip-tiny', [picture, picture], interactive);
      }
    }));
    await encoder.encodeImages('clip-tiny', Array<Buffer>(8).fill(picture), bulk);
    bulkDone = true;
    await asking;
    expect(asked).toBeLessThan(400);
  }), 180_000);
