import { readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { call, items, searchIn } from './api.js';
import { request } from './behind-nginx.js';
import { startServer, type RunningServer } from './server.js';

const routes: [method: string, at: string][] = [
  ['POST', '/v1/embeddings'],
  ['POST', '/v1/classify'],
  ['POST', '/v1/collections'],
  ['POST', '/v1/collections/default/reembed'],
  ['POST', items()],
  ['POST', `${items()}/exists`],
  ['PATCH', `${items()}/a`],
  ['POST', searchIn()],
];

/** Each is refused at every route: what it swells stands in fields of them all. */
const fields = ['input', 'labels', 'items', 'ids', 'query', 'metadata', 'templates', 'name', 'model'];
const everywhere = (value: string): string => `{${fields.map((field) => `"${field}":${value}`).join()}}`;
const inOne = (value: string): string => `{"none":${value}}`;
const list = (entry: string, count: number): string => `[${`${entry},`.repeat(count - 1)}${entry}]`;
/** A million values and strings of 20 MB are what the service under test takes. */
const settings = { MIXSPACE_MAX_VALUES: '1000000', MIXSPACE_MAX_PICTURE: '10MB' };
const swollen = (): [what: string, body: string | Buffer][] => [
  ['100,000 zeros in each list', everywhere(list('0', 100_000))],
  ['3 million zeros', inOne(list('0', 3_000_000))],
  ['lists of lists of zeros', inOne(list(list('0', 60_000), 20))],
  ['a million empty objects', inOne(list('{}', 1_000_000))],
  ['lists of empty objects', inOne(list(list('{}', 60_000), 5))],
  ['lists of empty lists', inOne(list(list('[]', 60_000), 5))],
  ['lists of short strings', inOne(list(list('"ab"', 60_000), 20))],
  ['objects of many keys', inOne(list(`{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":0`).join()}}`, 5))],
  ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['a million levels', '['.repeat(1_000_000)],
  ['objects 50,000 deep', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
  ['a string of 21 MB', inOne(`"${'a'.repeat(21_000_000)}"`)],
  ['a text of 8 MB', inOne(`"${'ü'.repeat(4_000_000)}"`)],
  ['escapes', inOne(`"${'\\u00fc'.repeat(1_000_000)}`)],
  ['a key of 5 MB', `{"${'k'.repeat(5_000_000)}":1}`],
  ['a number of 3 million digits', inOne(`1${'0'.repeat(3_000_000)}`)],
  ['5 MB of white space, and no value', ' '.repeat(5_000_000)],
  ['wrong entries', everywhere(list('{"text":5}', 60_000))],
  ['invalid UTF-8 behind 3 MB', Buffer.concat([Buffer.from(`{"none":"${'a'.repeat(3_000_000)}`), Buffer.from([0xff]), Buffer.from('"}')])],
  ['an end in the midst', `{"none":${'[1.5e3,"\\ud83d\\ude00",{"a":null},'.repeat(60)}`],
];

/** Milliseconds. A body that is walked as a whole holds all answers up for seconds; how long they take otherwise is printed. */
const heldUp = 300;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: settings });
  await call(server.url, 'POST', items(), { items: [{ id: 'a', text: 'a' }] });
});
afterAll(() => server.remove());

const megabytes = (name: 'VmRSS' | 'VmHWM'): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))![1]) / 1024;

/** The status of the answer, which may come before all is sent; then no more is. */
function send(method: string, at: string, body: Uint8Array, gzipped: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length, ...(gzipped ? { 'content-encoding': 'gzip' } : {}) };
    const sent = request(server.url + at, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        sent.destroy();
        const { error } = JSON.parse(text) as { error: { message: string; param: string | null } };
        if (error.message.length > 1000 || (error.param ?? '').length > 500) return reject(new Error(`${text.length} characters of error`));
        resolve(response.statusCode!);
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

interface Health {
  /** Milliseconds of the slowest answer since it was last taken. */
  take(): Promise<number>;
  stop(): Promise<unknown>;
}

/** Asks for `/healthz` every few milliseconds, on a thread that does nothing else. */
function poll(url: string): Health {
  const asking = `
    const { get, Agent } = require('node:${new URL(url).protocol.slice(0, -1)}');
    const { parentPort } = require('node:worker_threads');
    const agent = new Agent({ keepAlive: true });
    let worst = 0, isAsked = false;
    const ask = () => {
      const began = performance.now();
      get('${url}/healthz', { agent }, (response) => response.resume().on('end', () => {
        worst = Math.max(worst, performance.now() - began);
        if (isAsked) parentPort.postMessage(worst);
        if (isAsked) worst = 0;
        isAsked = false;
        setTimeout(ask, 5);
      })).on('error', (error) => { throw error; });
    };
    parentPort.on('message', () => (isAsked = true));
    ask();`;
  const worker = new Worker(asking, { eval: true });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  failed.catch(() => undefined);
  return {
    take: () => {
      worker.postMessage('take');
      return Promise.race([failed, new Promise<number>((resolve) => worker.once('message', resolve))]);
    },
    stop: () => worker.terminate(),
  };
}

it('refuses 20 swollen, deep and malformed bodies on each route, plain and gzipped, and answers everyone else meanwhile', { timeout: 300_000 }, async () => {
  const bodies = swollen().map(([what, body]) => ({ what, plain: Buffer.from(body), gzipped: gzipSync(body, { level: 1 }) }));
  writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5');
  const before = megabytes('VmRSS');
  const health = poll(server.url);
  const answers: [what: string, route: string, plain: number, gzipped: number][] = [];
  const slowest: [what: string, milliseconds: number][] = [];
  for (const { what, plain, gzipped } of bodies) {
    // Other work of the machine may hold an answer up once; what a body does it does each time.
    let worst = Infinity;
    for (let attempt = 0; attempt < 3 && worst >= heldUp; attempt++) {
      await health.take();
      await Promise.all(routes.map(async ([method, at]) => answers.push([what, at, await send(method, at, plain, false), await send(method, at, gzipped, true)])));
      worst = Math.min(worst, await health.take());
    }
    slowest.push([what, worst]);
  }
  const peak = megabytes('VmHWM');
  await health.stop();
  const [held, worst] = slowest.reduce((a, b) => (b[1] > a[1] ? b : a));
  const back = before + 100;
  // A process that does nothing collects nothing.
  const afterSomeWork = async (): Promise<number> => {
    await send('POST', '/v1/embeddings', Buffer.from(inOne(`"${'a'.repeat(2_000_000)}"`)), false);
    return megabytes('VmRSS');
  };
  await vi.waitFor(async () => expect(await afterSomeWork()).toBeLessThan(back), { timeout: 180_000, interval: 1_000 });
  console.log(`/healthz: slowest ${worst.toFixed(1)} ms (${held}); resident ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most, ${megabytes('VmRSS').toFixed(0)} MB after`);
  for (const [what, at, ...statuses] of answers) for (const status of statuses) expect([what, at, status === 400 || status === 413]).toEqual([what, at, true]);
  expect(answers.length).toBeGreaterThanOrEqual(bodies.length * routes.length);
  expect([held, Math.min(worst, heldUp)]).toEqual([held, worst]);
  expect((await call(server.url, 'POST', '/v1/embeddings', { input: 'a' })).status).toBe(200);
});
