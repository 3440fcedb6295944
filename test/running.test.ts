import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { base64, call, items, searchIn } from './api.js';
import { drawn } from './pictures.js';
import { bundled, startServer, type RunningServer } from './server.js';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: bundled });
});
afterAll(() => server.remove());

it('tells health, readiness, metrics, its document and a page to read it', async () => {
  expect((await call(server.url, 'GET', '/healthz')).status).toBe(200);
  expect((await call(server.url, 'GET', '/readyz')).body).toEqual({ status: 'ready' });
  const metrics = (await call<string>(server.url, 'GET', '/metrics')).body;
  expect(metrics).toContain('mixspace_http_request_seconds_bucket');
  expect(metrics).toContain('mixspace_event_loop_lag_p99_seconds');
  expect((await call(server.url, 'GET', '/openapi.json')).body.openapi).toBe('3.1.0');
  const page = await call<string>(server.url, 'GET', '/docs');
  expect(page.body).toContain('swagger-ui');
  for (const [, asset] of page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)) expect([asset, (await call(server.url, 'GET', asset!)).status]).toEqual([asset, 200]);
});

it('keeps to itself: the runtime under it reports to nobody, and it listens on the loopback alone', () => {
  // The reporter's first act is to open its log.
  expect(existsSync(path.join(tmpdir(), `mat-debug-${server.process.pid}.log`))).toBe(false);
  const sockets = readFileSync(`/proc/${server.process.pid}/net/tcp`, 'utf8').split('\n').filter((line) => line.includes(':' + server.port.toString(16).toUpperCase().padStart(4, '0')) && line.includes(' 0A '));
  expect(sockets.map((line) => line.trim().split(/\s+/)[1]!.split(':')[0])).toEqual(['0100007F']);
});

it('finishes what runs on SIGTERM, exits 0 within 10 s, and has everything after the next start', { timeout: 120_000 }, async () => {
  const first = await startServer();
  const entries = await Promise.all(Array.from({ length: 48 }, async (_, seed) => ({ id: `d${seed}`, image: base64(await drawn(seed, 'jpeg', 800, 600)) })));
  const running = call(first.url, 'POST', items(), { items: entries }).catch(() => undefined);
  const waiting = async (): Promise<number> => Number(/^mixspace_encoder_waiting (\d+)$/m.exec((await call<string>(first.url, 'GET', '/metrics')).body)?.[1] ?? 0);
  await expect.poll(waiting, { timeout: 60_000, interval: 10 }).toBeGreaterThan(4);
  const began = Date.now();
  const code = await first.stop();
  expect(code).toBe(0);
  expect(Date.now() - began).toBeLessThan(10_000);
  const answered = await running;
  const second = await startServer({ indexDir: first.indexDir });
  try {
    const acknowledged = (answered?.body.items ?? []).filter((each: any) => each.status === 'created');
    const { body } = await call(second.url, 'POST', `${items()}/exists`, { ids: acknowledged.map((each: any) => each.id) });
    expect(body.missing).toEqual([]);
  } finally {
    await second.remove();
    await first.remove();
  }
});

it('finds pictures by words in several languages', async () => {
  await call(server.url, 'POST', '/v1/collections', { name: 'words' });
  const texts = ['a dog runs on the beach', 'a plate of spaghetti', 'an airplane in the sky', 'two people play chess'];
  await call(server.url, 'POST', items('words'), { items: texts.map((text) => ({ id: text, text })) });
  for (const [query, expected] of [['ein Hund am Strand', texts[0]], ['一盘面条', texts[1]], ['un avion dans le ciel', texts[2]], ['dos personas juegan al ajedrez', texts[3]]]) {
    const { body } = await call(server.url, 'POST', searchIn('words'), { query, limit: 1 });
    expect([query, body.matches[0].id]).toEqual([query, expected]);
  }
});
