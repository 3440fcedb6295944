/** Long work as its callers see it: a reembedding is listed, followed, paused, resumed, cancelled, and goes on by itself. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient, type JobEvent } from '../src/client/index.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { call, type Answer } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { runMixspace, startServer, type RunningServer } from './server.js';
import { readsTexts, startSmall, type SmallService } from './small-service.js';
import { textTower } from './small-towers.js';

const packages = { small: readsTexts, other: { ...readsTexts, 'onnx/text_model.onnx': textTower({ pool: 'mean', rows: 2600 }) } };
/** Batches enough, and slow enough, that a job is still under way when somebody looks, on any machine. */
const many = 400;
const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(import.meta.dirname, 'paced-encoder.mjs')).href}`, PACE_MS: '100' };

let service: SmallService;
let client: MixspaceClient;
beforeAll(async () => {
  service = await startSmall(packages, paced);
  client = new MixspaceClient({ url: service.server.url, retries: 0 });
});
afterAll(() => service.remove());

const env = (): Record<string, string> => ({ MIXSPACE_MODELS_DIR: service.models, MIXSPACE_MODEL: 'small', MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: '1', ...paced });
const restarted = (indexDir: string): Promise<RunningServer> => startServer({ indexDir, env: env() });

async function fill(name: string, { texts = 0, raw = 0 }: { texts?: number; raw?: number }, to: MixspaceClient = client): Promise<string> {
  await to.createCollection({ name });
  const entries = [
    ...Array.from({ length: raw }, (_, n) => ({ id: `raw-${String(n).padStart(4, '0')}`, embedding: [1, n + 1, 2, 3], modality: 'text' as const })),
    ...Array.from({ length: texts }, (_, n) => ({ id: `text-${n}`, text: `a dog beside house number ${n}` })),
  ];
  for (let from = 0; from < entries.length; from += 1_000) {
    const outcomes = await to.addItems(name, entries.slice(from, from + 1_000));
    expect(outcomes.filter(({ status }) => status !== 'created')).toEqual([]);
  }
  return name;
}

const begin = async (name: string, to: MixspaceClient = client): Promise<string> => (await to.reembed(name, { model: 'other', skip_impossible: true })).job!;
const get = (at: string): Promise<Answer> => service.get(at);
const stateOf = async (id: string): Promise<string> => (await client.job(id)).state;
const has = (id: string, state: string, at = client): Promise<void> => expect.poll(async () => (await at.job(id)).state, { timeout: 60_000 }).toBe(state);
const comesOn = (id: string): Promise<void> => expect.poll(async () => (await client.job(id)).done, { interval: 5, timeout: 60_000 }).toBeGreaterThan(0);
const reasonOf = (id: string): string => `"${id}" was given as an embedding.`;

async function metric(name: string): Promise<number> {
  const { body } = await call<string>(service.server.url, 'GET', '/metrics');
  return Number(body.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? Number.NaN);
}

interface RawStream {
  socket: Socket;
  head(): string;
  events(): { event: string; id: string; data: any }[];
  ended: Promise<unknown>;
}

/** As the bytes come, without a client. */
async function rawStream(at: string, headers: Record<string, string> = {}): Promise<RawStream> {
  const socket = connect(service.server.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  const ended = once(socket, 'close');
  await once(socket, 'connect');
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`GET ${at} HTTP/1.1\r\nHost: 127.0.0.1:${service.server.port}\r\nConnection: close\r\n${more}\r\n`);
  await expect.poll(() => received).toMatch(/\r\n\r\n/);
  const events = (): { event: string; id: string; data: any }[] => {
    // Chunks of the transfer end where events do.
    const body = received.slice(received.indexOf('\r\n\r\n') + 4).replace(/(^|\r\n)[0-9a-f]+\r\n/g, '').replaceAll('\r\n', '');
    return [...body.matchAll(/event: (\w+)\nid: (\S+)\ndata: (.*)\n\n/g)].map(([, event, id, data]) => ({ event: event!, id: id!, data: JSON.parse(data!) }));
  };
  return { socket, head: () => received.slice(0, received.indexOf('\r\n\r\n')), events, ended };
}

async function followed(id: string, options: { after?: string; until?: (event: JobEvent) => boolean } = {}, at = client): Promise<JobEvent[]> {
  const seen: JobEvent[] = [];
  for await (const event of at.followJob(id, options.after === undefined ? {} : { after: options.after })) {
    seen.push(event);
    if (options.until?.(event)) break;
  }
  return seen;
}

describe('A reembedding', () => {
  it('is a job that is listed, paused, resumed and done, and what /reembed tells of it agrees', async () => {
    const id = await begin(await fill('paused', { texts: many }));
    expect(id).toMatch(/^reembed-/);
    await comesOn(id);
    const paused = await client.pauseJob(id);
    expect(paused).toMatchObject({ id, kind: 'reembed', collection: 'paused', state: 'paused', total: many, failed: 0, problem: null });
    expect(paused).not.toHaveProperty('ended_at');
    const { reembedding, job } = await client.reembedding('paused');
    expect([reembedding, job]).toMatchObject([{ state: 'stopped', problem: null, total: many }, id]);
    expect(reembedding!.done).toBeGreaterThan(0);
    expect(reembedding!.done).toBeLessThan(many);
    expect((await client.jobs({ collection: 'paused' })).jobs).toEqual([await client.job(id)]);
    expect((await client.jobs({ collection: 'paused', state: 'running' })).jobs).toEqual([]);
    expect((await client.jobs({ collection: 'elsewhere' })).jobs).toEqual([]);

    expect(['running', 'waiting']).toContain((await client.resumeJob(id)).state);
    expect((await client.collection('paused')).reembedding).toMatchObject({ state: 'running' });
    await has(id, 'done');
    const { fingerprint } = await client.collection('paused');
    expect(await client.job(id)).toMatchObject({ done: many, total: many, failed: 0, result: { model: 'other', fingerprint, embedded: many, not_embedded: 0 }, ended_at: expect.stringMatching(/^20.*Z$/) });
    expect(await client.reembedding('paused').catch((error: unknown) => error)).toMatchObject({ status: 404 });
    for (const move of ['pause', 'resume', 'cancel']) expect(await service.post(`/v1/jobs/${id}/${move}`, undefined)).toMatchObject({ status: 409, body: { error: { message: expect.stringMatching(/it is done/) } } });
  });

  it('goes on as the same job when it is posted again, and is another one once it was discarded', async () => {
    const id = await begin(await fill('posted', { texts: many }));
    await comesOn(id);
    await client.stopReembedding('posted');
    expect(await stateOf(id)).toBe('paused');
    expect(await begin('posted')).toBe(id);
    expect(await begin('posted')).toBe(id);
    await client.stopReembedding('posted', { discard: true });
    expect(await client.job(id)).toMatchObject({ state: 'cancelled', problem: null });
    const next = await begin('posted');
    expect(next).not.toBe(id);
    await client.cancelJob(next);
    expect(await client.collection('posted')).toMatchObject({ model: 'small' });
    expect((await client.collection('posted')).reembedding).toBeUndefined();
    expect((await client.jobs({ collection: 'posted' })).jobs.map((job) => [job.id, job.state])).toEqual([[next, 'cancelled'], [id, 'cancelled']]);
    await expect(client.resumeJob(next)).rejects.toMatchObject({ status: 409, message: expect.stringMatching(/it is cancelled/) });
    // All of it waits again.
    expect((await client.reembed('posted', { model: 'other', dry_run: true })).plan).toMatchObject({ items: many });
  });

  it('is cancelled when its collection is deleted', async () => {
    const id = await begin(await fill('deleted', { texts: many }));
    await client.deleteCollection('deleted');
    expect(await client.job(id)).toMatchObject({ state: 'cancelled', collection: 'deleted', problem: 'Collection "deleted" was deleted.' });
    expect((await followed(id)).map(({ type }) => type)).toEqual(['end']);
  });

  it('tells what it could not do, page by page', async () => {
    const id = await begin(await fill('failing', { raw: 250, texts: 20 }));
    await has(id, 'done');
    expect(await client.job(id)).toMatchObject({ done: 20, total: 270, failed: 250, result: { not_embedded: 250 } });
    const [first, whole] = [await get(`/v1/jobs/${id}/failures`), await client.jobFailures(id, { limit: '1000' })];
    expect([first.body.failures.length, whole.failures.length, whole.next_cursor]).toEqual([100, 250, undefined]);
    const paged = [...first.body.failures];
    for (let cursor = first.body.next_cursor; cursor !== undefined; ) {
      const page = await client.jobFailures(id, { cursor });
      paged.push(...page.failures);
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(whole.failures);
    const ids = Array.from({ length: 250 }, (_, n) => `raw-${String(n).padStart(4, '0')}`);
    expect(paged).toEqual(ids.map((each) => ({ id: each, reason: reasonOf(each) })));
    expect(await get(`/v1/jobs?cursor=${first.body.next_cursor}`)).toMatchObject({ status: 400, body: { error: { param: 'cursor' } } });
  });

  it('that has failed says why, and is resumed when the cause is gone', async () => {
    await fill('late', { texts: many });
    const { job: id } = await client.reembed('late', { model: 'other' });
    await client.addItems('late', [{ id: 'raw', embedding: [1, 2, 3, 4], modality: 'text' }]);
    await has(id!, 'failed');
    expect(await client.job(id!)).toMatchObject({ failed: 1, done: many, problem: expect.stringMatching(/^1 items cannot be embedded again/) });
    expect((await client.reembedding('late')).reembedding).toMatchObject({ state: 'stopped', problem: expect.stringMatching(/^1 items cannot/) });
    expect((await client.jobFailures(id!)).failures).toEqual([{ id: 'raw', reason: reasonOf('raw') }]);
    await expect(client.pauseJob(id!)).rejects.toMatchObject({ status: 409 });
    await client.deleteItem('late', 'raw');
    await client.resumeJob(id!);
    await has(id!, 'done');
    expect([await client.job(id!), (await client.jobFailures(id!)).failures]).toMatchObject([{ failed: 0, problem: null }, []]);
  });
});

describe('Jobs', () => {
  it('are listed page by page, the newest first, each once', async () => {
    for (let n = 0; n < 5; n++) await has(await begin(await fill(`page-${n}`, { texts: 1 })), 'done');
    const all = (await client.jobs({ limit: '1000' })).jobs;
    const paged: unknown[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await client.jobs({ limit: '2', ...(cursor === undefined ? {} : { cursor }) });
      expect(page.jobs.length).toBeLessThanOrEqual(2);
      paged.push(...page.jobs);
      cursor = page.next_cursor;
      if (cursor === undefined) break;
    }
    expect(paged).toEqual(all);
    expect(all.slice(0, 5).map(({ collection }) => collection)).toEqual(['page-4', 'page-3', 'page-2', 'page-1', 'page-0']);
    expect((await client.jobs({ kind: 'reembed', state: 'done', collection: 'page-3' })).jobs).toHaveLength(1);
  });

  it.each([['state=over', 'state'], ['kind=magic', 'kind'], ['limit=0', 'limit'], ['limit=1001', 'limit'], ['cursor=x', 'cursor'], ['page=2', 'page'], ['collection=%2F', 'collection']])('are not listed by %s', async (query, param) => {
    expect(await get(`/v1/jobs?${query}`)).toMatchObject({ status: 400, body: { error: { param } } });
  });

  it('that are not there are not found, whatever is asked of them', async () => {
    for (const at of ['', '/failures', '/events']) expect(await get(`/v1/jobs/nobody${at}`)).toMatchObject({ status: 404, body: { error: { message: 'There is no job "nobody".' } } });
    for (const move of ['pause', 'resume', 'cancel']) expect(await service.post(`/v1/jobs/nobody/${move}`, undefined)).toMatchObject({ status: 404 });
    expect((await call(service.server.url, 'DELETE', '/v1/jobs/nobody')).status).toBe(405);
  });

  it('stand in the OpenAPI document, their events as a stream', async () => {
    const { body } = await get('/openapi.json');
    expect(body.paths['/v1/jobs/{id}/events'].get.responses['200'].content).toEqual({ 'text/event-stream': { schema: { type: 'string', description: expect.stringMatching(/`progress`, `failure`, `end`/), contentMediaType: 'application/json', contentSchema: { $ref: '#/components/schemas/JobEventData' } } } });
    expect(body.paths['/v1/jobs'].get.parameters.map(({ name }: { name: string }) => name).sort()).toEqual(['collection', 'cursor', 'kind', 'limit', 'state']);
  });
});

describe('The events of a job', () => {
  it('come as a stream, in order, and end with it; what was seen is not told again', async () => {
    const id = await begin(await fill('streamed', { raw: 120, texts: many }));
    const stream = await rawStream(`/v1/jobs/${id}/events`);
    expect(stream.head()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(stream.head().toLowerCase()).toMatch(/content-type: text\/event-stream/);
    expect(stream.head().toLowerCase()).toMatch(/cache-control: no-cache/);
    const [, sdk] = await Promise.all([stream.ended, followed(id)]);
    const events = stream.events();
    expect([events[0]!.event, events.at(-1)!.event]).toEqual(['progress', 'end']);
    expect(events.filter(({ event }) => event === 'end')).toHaveLength(1);
    expect(events.at(-1)!.data).toEqual(await client.job(id));
    const done = events.map(({ data }) => data.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(new Set(done).size).toBeGreaterThan(2);
    const failed = (from: { data: any }[]): string[] => from.flatMap(({ data }) => (data.failure ? [data.failure.id] : []));
    expect(failed(events)).toEqual([...failed(events)].sort());
    expect(failed(events)).toEqual((await client.jobFailures(id, { limit: '1000' })).failures.map((each) => each.id).slice(-failed(events).length));
    expect(sdk.at(-1)).toMatchObject({ type: 'end', job: { state: 'done', done: many, failed: 120 } });

    const after = events.find(({ event }) => event === 'failure') ?? events[0]!;
    const again = await rawStream(`/v1/jobs/${id}/events`, { 'Last-Event-ID': after.id });
    await again.ended;
    const rest = failed(events).slice(after.data.failure ? 1 : 0);
    expect(failed(again.events()).slice(-rest.length || Infinity)).toEqual(rest);
    expect(again.events().at(-1)!.event).toBe('end');
    const over = await rawStream(`/v1/jobs/${id}/events`, { 'Last-Event-ID': events.at(-1)!.id });
    await over.ended;
    expect(over.head()).toMatch(/^HTTP\/1\.1 204 /);
    const strange = await rawStream(`/v1/jobs/${id}/events`, { 'Last-Event-ID': 'what is this' });
    await strange.ended;
    expect(strange.events().map(({ event }) => event)).toEqual(['end']);
  });

  it('wait while it is paused, and are held up by nobody who does not read, or leaves', async () => {
    const id = await begin(await fill('unread', { raw: 500, texts: many }));
    await comesOn(id);
    const unread = await Promise.all(Array.from({ length: 5 }, () => rawStream(`/v1/jobs/${id}/events`)));
    for (const { socket } of unread) socket.pause();
    await client.pauseJob(id);
    const stream = await rawStream(`/v1/jobs/${id}/events`);
    await expect.poll(() => stream.events().map(({ data }) => data.state)).toEqual(['paused']);
    expect(await metric('mixspace_event_streams')).toBe(6);
    await client.resumeJob(id);
    await stream.ended;
    expect(stream.events().at(-1)).toMatchObject({ event: 'end', data: { state: 'done', done: many } });
    for (const { socket } of unread) socket.destroy();
    await expect.poll(() => metric('mixspace_event_streams')).toBe(0);
  });

  it('are not opened by who only asks for the headers', async () => {
    const [job] = (await client.jobs({ limit: '1' })).jobs;
    const response = await fetch(`${service.server.url}/v1/jobs/${job!.id}/events`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(await metric('mixspace_event_streams')).toBe(0);
  });
});

describe('When the service ends', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s, a job goes on by itself at the next start, and who followed it goes on behind what they saw', async (signal) => {
    const first = await restarted(path.join(service.models, `.index-${signal}`));
    let second: RunningServer | undefined;
    try {
      const before = new MixspaceClient({ url: first.url, retries: 0 });
      await fill('photos', { raw: 40, texts: many }, before);
      await fill('still', { texts: many }, before);
      const id = await begin('photos', before);
      const still = await begin('still', before);
      await before.pauseJob(still).catch(() => undefined);
      const pausedAs = (await before.job(still)).state;
      const seen: JobEvent[] = [];
      const following = (async () => {
        for await (const event of before.followJob(id)) seen.push(event);
      })().catch(() => undefined);
      await expect.poll(() => seen.length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
      const began = Date.now();
      if (signal === 'SIGTERM') expect(await first.stop()).toBe(0);
      else await first.kill();
      // An open stream is no request that is waited for.
      expect(Date.now() - began).toBeLessThan(10_000);
      await following;
      second = await restarted(first.indexDir);
      const after = new MixspaceClient({ url: second.url, retries: 0 });
      expect((await after.job(still)).state).toBe(pausedAs);
      const rest = await followed(id, { after: seen.at(-1)!.id }, after);
      expect(rest.at(-1)).toMatchObject({ type: 'end', job: { id, state: 'done', done: many, failed: 40 } });
      const failures = [...seen, ...rest].flatMap(({ job }) => (job.failure ? [job.failure.id] : []));
      expect(new Set(failures).size).toBe(failures.length);
      expect((await after.jobFailures(id, { limit: '100' })).failures).toHaveLength(40);
      expect((await after.collection('photos')).model).toBe('other');
    } finally {
      await first.remove();
      await second?.remove();
    }
  });

  it.skipIf(isOverPostgres)('as one that knew no jobs, each reembedding gets one: running, stopped, and stopped with a problem', async () => {
    const left: [name: string, columns: string, expected: { state: string; problem: string | null }][] = [
      ['running', "state = 'running', problem = NULL", { state: 'done', problem: null }],
      ['stopped', "state = 'stopped', problem = NULL", { state: 'paused', problem: null }],
      ['troubled', "state = 'stopped', problem = 'The disk is full.'", { state: 'failed', problem: 'The disk is full.' }],
    ];
    const first = await restarted(path.join(service.models, '.index-old'));
    let second: RunningServer | undefined;
    try {
      const before = new MixspaceClient({ url: first.url, retries: 0 });
      const had = new Map<string, { id: string; done: number; startedAt: string }>();
      for (const [name] of left) {
        const id = await begin(await fill(name, { texts: many }, before), before);
        await expect.poll(async () => (await before.job(id)).done, { interval: 5, timeout: 60_000 }).toBeGreaterThan(0);
        await before.pauseJob(id);
        const { done, started_at: startedAt } = (await before.collection(name)).reembedding!;
        had.set(name, { id, done, startedAt });
      }
      await first.stop();
      const database = new Sqlite(path.join(first.indexDir, 'mixspace.db'));
      database.exec('DELETE FROM jobs');
      for (const [name, columns] of left) database.exec(`UPDATE reembeddings SET ${columns} WHERE collection = (SELECT key FROM collections WHERE name = '${name}')`);
      database.close();
      second = await restarted(first.indexDir);
      const after = new MixspaceClient({ url: second.url, retries: 0 });
      for (const [name, , expected] of left) {
        const { id, done, startedAt } = had.get(name)!;
        const [job, ...others] = (await after.jobs({ collection: name })).jobs;
        expect([job!.created_at, job!.id === id, others], name).toEqual([startedAt, false, []]);
        await has(job!.id, expected.state, after);
        expect(await after.job(job!.id), name).toMatchObject({ ...expected, total: many });
        if (expected.state === 'done') continue;
        expect((await after.job(job!.id)).done).toBe(done);
        expect((await after.collection(name)).reembedding).toMatchObject({ state: 'stopped', problem: expected.problem, done });
        await after.resumeJob(job!.id);
        await has(job!.id, 'done', after);
      }
    } finally {
      await first.remove();
      await second?.remove();
    }
  });
});

it('Keys guard jobs and their events', async () => {
  const keyed = await startServer({ env: { ...env(), MIXSPACE_API_KEYS: 'the-key' } });
  try {
    for (const at of ['/v1/jobs', '/v1/jobs/x', '/v1/jobs/x/events']) {
      expect([at, (await call(keyed.url, 'GET', at)).status]).toEqual([at, 401]);
      expect([at, (await call(keyed.url, 'GET', at, undefined, { authorization: 'Bearer the-key' })).status]).toEqual([at, at === '/v1/jobs' ? 200 : 404]);
    }
  } finally {
    await keyed.remove();
  }
});

it('mixspace jobs lists, shows, follows, pauses, resumes and cancels', async () => {
  // A process has to start before it can pause anything.
  const texts = 1_200;
  const id = await begin(await fill('typed', { raw: 12, texts }));
  const run = (...args: string[]): ReturnType<typeof runMixspace> => runMixspace(['jobs', ...args, '--url', client.url]);
  await comesOn(id);
  expect(await run('pause', id)).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^${id} \\(typed\\): paused, \\d+ of ${texts + 12} done`)) });
  expect((await run('--collection', 'typed')).stdout).toMatch(new RegExp(`^${id}  typed  paused  \\d+ of ${texts + 12} done`));
  expect(await run('show', 'nobody')).toMatchObject({ code: 1, stderr: 'mixspace: There is no job "nobody".\n' });
  expect((await run('resume', id)).stdout).toMatch(/: (running|waiting), /);
  expect(await run('follow', id)).toMatchObject({ code: 0, stdout: `${id} (typed): done, ${texts} of ${texts + 12} done, 12 failed\n` });
  expect((await run('show', id)).stdout).toMatch(/embedded: 1200, not_embedded: 12\n {2}raw-0000: "raw-0000" was given as an embedding\.\n[^]*and 2 more\n$/);
  expect(await run('cancel', id)).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be cancelled: it is done/) });
  expect(JSON.parse((await run('list', '--json', '--state', 'done', '--collection', 'typed')).stdout).jobs).toEqual([await client.job(id)]);
});
