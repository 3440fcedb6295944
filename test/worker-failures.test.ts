import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/open.js';
import { Channel } from '../src/encoder/protocol/channel.js';
import type { WorkerSettings } from '../src/encoder/protocol/messages.js';
import { startWorkerFrom, WorkerDied, WorkerProcess } from '../src/encoder/pool/worker-process.js';
import { base64, call } from './api.js';
import { limits } from './parity/compare.js';
import { startServer, tinyModels, workersOf } from './server.js';
import { fixtures } from './small-towers.js';

const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));
const interactive = { priority: 'interactive' } as const;
const bulk = { priority: 'bulk' } as const;
const settings: WorkerSettings = { packages: { modelsDirectory: tinyModels }, limits, session: { threads: 1, executionProviders: ['cpu'] } };

let workers: ChildProcess[] = [];
let logged: string[] = [];
let encoder: OpenEncoder | undefined;

afterEach(async () => {
  await encoder?.close();
  [encoder, workers, logged] = [undefined, [], []];
});

async function open(options: Partial<EncoderOptions> = {}): Promise<OpenEncoder> {
  encoder = await openEncoder({
    modelsDirectory: tinyModels,
    defaultModel: 'clip-tiny',
    workers: 1,
    limits,
    startWorker: (each) => {
      const worker = startWorker(each);
      workers.push(worker);
      return worker;
    },
    log: (_, message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`),
    ...options,
  });
  return encoder;
}

const picture = () => readFile(join(fixtures, 'images', 'landscape.jpg'));
const badDecoder = new URL('bad-decoder.mjs', import.meta.url);
const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
/** Of the pool's worker, what comes from it. */
const streamOf = (worker: ChildProcess): Duplex => (worker.stdio as unknown as Duplex[])[3]!;

it.each([
  ['a head of 4 GB', Buffer.alloc(8, 0xff)],
  ['a frame that holds no value', Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('junk')])],
  ['an answer that is null', Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff, 0x0f, 0x30])])],
])('replaces a worker that answers with nonsense and loses nothing: %s', async (_, nonsense) => {
  const served = await open();
  const pictures = served.encodeImages('clip-tiny', Array<Buffer>(40).fill(await picture()), bulk);
  streamOf(workers[0]!).emit('data', nonsense);
  expect((await pictures).map(({ ok }) => ok)).toEqual(Array(40).fill(true));
  expect(served.workers().replaced).toBe(1);
  expect(logged.join()).toContain('it answered with nonsense');
});

it('ends a worker that is sent nonsense, which is replaced', async () => {
  const served = await open();
  streamOf(workers[0]!).write(Buffer.alloc(64, 0xff));
  while (served.workers().replaced === 0) await delay(5);
  await expect(served.encodeTexts('clip-tiny', ['still here'], interactive)).resolves.toHaveLength(1);
});

it('answers although what counts its stages throws', async () => {
  const served = await open({
    onStage: () => {
      throw new Error('cannot count');
    },
  });
  const both = await served.encodeTexts('clip-tiny', ['a dog', 'a cat'], interactive);
  expect(both.map(({ tokens }) => tokens)).toEqual([4, 4]);
  const outcomes = await served.encodeImages('clip-tiny', Array<Buffer>(9).fill(await picture()), bulk);
  expect(outcomes.map(({ ok }) => ok)).toEqual(Array(9).fill(true));
});

it('answers whoever waits, however often its worker is killed', async () => {
  const served = await open();
  const bytes = await picture();
  let left = 6;
  const calls = Array.from({ length: left }, (_, i) =>
    (i % 2 === 0 ? served.encodeTexts('clip-tiny', [`text ${i}`], interactive) : served.encodeImages('clip-tiny', Array<Buffer>(12).fill(bytes), bulk)).then(
      (value) => value.length,
      (error: { code: string }) => error.code,
    ).finally(() => left--),
  );
  while (left > 0) {
    workers.at(-1)!.kill('SIGKILL');
    const before = workers.length;
    while (workers.length === before && left > 0) await delay(2);
    // Killed while it starts, loads or encodes, ever later.
    for (const until = performance.now() + 60 * 1.7 ** workers.length; performance.now() < until && left > 0; ) await delay(2);
  }
  for (const told of await Promise.all(calls)) expect(['not_ready', 'unprocessable', 1, 12]).toContain(told);
  await expect(served.encodeTexts('clip-tiny', ['still here'], interactive)).resolves.toHaveLength(1);
});

it('lets other workers answer while what one died of is tried again', async () => {
  const served = await open({ workers: 2, startWorker: startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url), ['--import', badDecoder.href]) });
  const bad = Buffer.concat([await picture(), Buffer.from('this crashes the decoder')]);
  let over = false;
  const outcome = served.encodeImages('clip-tiny', [bad], bulk).finally(() => (over = true));
  let answered = 0;
  while (!over) answered += (await served.encodeTexts('clip-tiny', [`text ${answered}`], interactive)).length;
  expect(await outcome).toMatchObject([{ ok: false, error: { code: 'unprocessable' } }]);
  expect(answered).toBeGreaterThan(10);
});

it('ends a worker that hangs when the service is killed', async () => {
  const server = await startServer({ env: { MIXSPACE_MODELS_DIR: fixtures, MIXSPACE_MODEL: 'clip-tiny', NODE_OPTIONS: `--import=${badDecoder.href}` } });
  let workers: number[] = [];
  try {
    const hanging = Buffer.concat([await picture(), Buffer.from('this hangs the decoder')]);
    const answer = call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(hanging) }] }).catch(() => 'none');
    await expect.poll(() => server.logs()).toContain('The decoder hangs.');
    workers = workersOf(server);
    expect(workers.length).toBeGreaterThan(0);
    await server.kill();
    expect(await answer).toBe('none');
    await expect.poll(() => workers.filter(isThere)).toEqual([]);
  } finally {
    await server.remove();
    for (const pid of workers.filter(isThere)) process.kill(pid, 'SIGKILL');
  }
});

it('gives a worker up that never answers, even while it loads a model', async () => {
  const silent = new WorkerProcess(() => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] }), settings, 200);
  await expect(silent.ask({ kind: 'read', id: 'clip-tiny' })).rejects.toBeInstanceOf(WorkerDied);
  expect(await silent.ended).toBe('it took longer than it may');
  await expect(silent.ask({ kind: 'read', id: 'clip-tiny' })).rejects.toBeInstanceOf(WorkerDied);
});

it('tells of a broken stream once, and takes what comes in any cut until then', async () => {
  const stream = new PassThrough();
  const [messages, broken]: [unknown[], unknown[]] = [[], []];
  const receiving = new PassThrough();
  new Channel<object>(receiving, (message) => void messages.push(message), (error) => broken.push(error));
  const sending = new Channel<object>(stream, () => undefined, () => undefined);
  const sent: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => sent.push(chunk));
  sending.send({ one: new Uint8Array([1, 2, 3]) });
  await new Promise(setImmediate);
  const frame = Buffer.concat(sent);
  for (const byte of frame) receiving.emit('data', Buffer.from([byte]));
  expect(messages).toEqual([{ one: new Uint8Array([1, 2, 3]) }]);
  receiving.emit('data', Buffer.alloc(8, 0xff));
  receiving.emit('data', frame);
  expect([messages.length, broken.length]).toEqual([1, 1]);
});
