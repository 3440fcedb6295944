/** What goes to a worker at once is bounded by what it costs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEncoder } from '../src/encoder/open.js';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { takeBatch, type BatchLimits } from '../src/encoder/pool/batch.js';
import { pixelsOf } from '../src/encoder/pool/cost.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { drawn } from './pictures.js';
import { smallPackage } from './small-towers.js';

const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));
const bulk = { priority: 'bulk' } as const;

describe('a model with a long context', () => {
  let models: string;
  let encoder: OpenEncoder;
  let batches = 0;
  beforeAll(async () => {
    models = await mkdtemp(path.join(tmpdir(), 'mixspace-batches-'));
    await smallPackage(models, 'long', { 'model.json': { pad_token_id: 0, context_length: 8192 } });
    encoder = await openEncoder({
      modelsDirectory: models,
      workers: 1,
      limits: { pictureBytes: 50e6, picturePixels: 100e6 },
      startWorker,
      log: () => undefined,
      onStage: (stage) => void (batches += stage === 'infer' ? 1 : 0),
    });
  });
  afterAll(async () => {
    await encoder.close();
    await rm(models, { recursive: true });
  });

  const batchesOf = async (texts: string[]): Promise<{ count: number; vectors: number[][]; tokens: number[] }> => {
    const before = batches;
    const answers = await encoder.encodeTexts('long', texts, bulk);
    return { count: batches - before, vectors: answers.map(({ embedding }) => [...embedding]), tokens: answers.map(({ tokens }) => tokens) };
  };
  const words = (count: number, word: string): string => Array<string>(count).fill(word).join(' ');

  it('gets long texts one by one, short ones 32 at once', async () => {
    const long = await batchesOf(Array.from({ length: 32 }, (_, i) => words(7000 + i, 'dog')));
    expect(long.tokens.every((tokens) => tokens > 7000)).toBe(true);
    expect(long.count).toBe(32);
    expect((await batchesOf(Array.from({ length: 64 }, (_, i) => `dog ${i}`))).count).toBe(2);
    const middle = await batchesOf(Array.from({ length: 32 }, () => words(500, 'dog')));
    expect(middle.tokens[0]).toBe(502);
    // 4,096 tokens are eight of them.
    expect(middle.count).toBeGreaterThanOrEqual(4);
    expect(middle.count).toBeLessThan(16);
  });

  it('gets short and long texts apart, and answers in the order in which they were sent', async () => {
    const texts = Array.from({ length: 96 }, (_, i) => (i % 3 === 0 ? words(300 + i, 'horse') : `a dog ${i}`));
    const { vectors, tokens } = await batchesOf(texts);
    for (const [i, text] of texts.entries()) {
      const alone = await batchesOf([text]);
      expect(tokens[i], text.slice(0, 20)).toBe(alone.tokens[0]);
      expect(vectors[i]).toEqual(alone.vectors[0]!.map((value) => expect.closeTo(value, 5) as number));
    }
  });
});

describe('a batch', () => {
  const limits: BatchLimits = { inputs: { text: 4, image: 4 }, tokens: 100, pixels: 1000 };
  const text = (cost: number, name: number) => ({ modality: 'text' as const, cost, name });
  const image = (cost: number, name: number) => ({ modality: 'image' as const, cost, name });
  const allOf = <T extends { modality: 'text' | 'image'; cost: number; name: number }>(waiting: T[]): number[][] => {
    const taken: number[][] = [];
    for (let batch = takeBatch(waiting, limits); batch.length > 0; batch = takeBatch(waiting, limits)) taken.push(batch.map(({ name }) => name));
    return taken;
  };

  it('has the one that came first in it, and those nearest to its length beside it', () => {
    expect(allOf([text(10, 0), text(25, 1), text(11, 2), text(24, 3), text(9, 4), text(26, 5), text(25, 6), text(10, 7)])).toEqual([[0, 2, 4, 7], [1, 5, 6], [3]]);
  });

  it('lets nobody be passed over more often than the window is long, however many come after', () => {
    const waiting = [text(10, 0), text(50, -1), ...Array.from({ length: 100 }, (_, i) => text(10, i + 1))];
    let rounds = 0;
    while (waiting.some(({ name }) => name === -1)) {
      takeBatch(waiting, limits);
      rounds++;
      waiting.push(text(10, 1000));
    }
    expect(rounds).toBe(2);
  });

  it('is never larger than its bounds but for one that is larger alone', () => {
    expect(allOf([text(400, 0), text(60, 1), text(60, 2), text(1, 3)])).toEqual([[0], [1], [2], [3]]);
    expect(allOf([image(600, 0), image(300, 1), image(300, 2), image(5000, 3), image(1, 4), image(1, 5), image(1, 6), image(1, 7), image(1, 8)])).toEqual([[0, 1], [2], [3], [4, 5, 6, 7], [8]]);
  });
});

it.each(['jpeg', 'png', 'gif'] as const)("tells a %s's pixels by its header", async (format) => {
  expect(pixelsOf(await drawn(3, format, 640, 480))).toBe(640 * 480);
});

it('takes bytes for pixels where the header does not tell, or is cut off', async () => {
  expect(pixelsOf(Buffer.from('some bytes'))).toBe(80);
  expect(pixelsOf((await drawn(3, 'png', 64, 48)).subarray(0, 20))).toBe(160);
});
