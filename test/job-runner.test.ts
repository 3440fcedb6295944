/** The runner of jobs over the real store, with kinds whose work the tests hold in their hands. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobEvent } from '../src/jobs/events.js';
import type { JobEnd, JobKind, JobWork } from '../src/jobs/kind.js';
import type { Jobs } from '../src/jobs/jobs.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { bothPorts, type BothPorts } from './store-ports.js';

// Compiled, since the store starts a thread of its own from that, and its errors are of that.
const compiled = (file: string): Promise<unknown> => import(new URL(`../dist/${file}`, import.meta.url).href);
const { openEmbeddedStore } = (await compiled('store/embedded/open.js')) as typeof import('../src/store/embedded/open.js');
const { Jobs: Runner } = (await compiled('jobs/jobs.js')) as typeof import('../src/jobs/jobs.js');

type Work = JobWork<unknown> & { end(end?: JobEnd): void; fail(error: Error): void };

let directory: string;
let store: BothPorts;
let jobs: Jobs;
/** Runs under way, in the order in which they began. */
let running: Work[];
let discarded: string[];
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mixspace-jobs-'));
  await open();
});
afterEach(async () => {
  await close();
  await rm(directory, { recursive: true, force: true });
});

/** Of a job that does what the test says. */
function kind(name: string, more: Partial<JobKind> = {}): JobKind {
  return {
    name,
    isPausable: true,
    isSingle: false,
    retriesFailures: false,
    run: (work) =>
      new Promise((resolve, reject) => {
        running.push({ ...work, end: (end = { result: {} }) => resolve(end), fail: reject });
        work.signal.addEventListener('abort', () => reject(new Error('stopped')));
      }),
    discard: async ({ id }) => void discarded.push(id),
    ...more,
  };
}

async function open(kinds: JobKind[] = [kind('walk'), kind('swim', { isPausable: false }), kind('sleep', { isSingle: true, retriesFailures: true })]): Promise<void> {
  [running, discarded] = [[], []];
  store = bothPorts(await openEmbeddedStore({ directory, log: () => undefined }));
  jobs = new Runner({ catalog: store, kinds, hasCollection: (name) => Promise.resolve(name !== 'gone'), log: () => undefined });
  await jobs.open();
}
async function close(): Promise<void> {
  await jobs.close();
  await store.close();
}
const start = async (name = 'walk', collection = 'photos'): Promise<string> => (await jobs.start(name, { collection, parameters: { name } })).job.id;
const stateOf = async (id: string): Promise<string> => (await jobs.get(id)).state;
const now = new AbortController().signal;

async function seenBy(id: string, after?: string, most = Infinity): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of (await jobs.events(id, after, now))!) if (events.push(event) >= most) break;
  return events;
}

describe('Jobs of one kind in one collection', () => {
  it('run one after the other, those of others beside them; what is cancelled while it waits never runs', async () => {
    const [first, second, third, fourth] = [await start(), await start(), await start(), await start()];
    const elsewhere = [await start('walk', 'texts'), await start('swim')];
    expect(await Promise.all([first, second, third, fourth, ...elsewhere].map(stateOf))).toEqual(['running', 'waiting', 'waiting', 'waiting', 'running', 'running']);
    await jobs.cancel(second);
    await jobs.pause(third);
    running[0]!.end();
    await vi.waitFor(async () => expect(await stateOf(fourth)).toBe('running'));
    expect(running.map(({ job }) => job.id)).toEqual([first, ...elsewhere, fourth]);
    expect(await Promise.all([first, second, third].map(stateOf))).toEqual(['done', 'cancelled', 'paused']);
    expect((await jobs.resume(third)).state).toBe('waiting');
    running.at(-1)!.end();
    await vi.waitFor(async () => expect(await stateOf(third)).toBe('running'));
  });

  it('are listed page by page while they run, as they stand', async () => {
    const ids = [await start(), await start(), await start('swim')];
    running[0]!.at({ done: 3 });
    const { jobs: [newest, second], more } = await jobs.list({ limit: 2 });
    expect([newest!.id, second!.id, second!.state, more]).toEqual([ids[2], ids[1], 'waiting', true]);
    const rest = await jobs.list({ limit: 2, before: second!.number });
    expect(rest).toMatchObject({ jobs: [{ id: ids[0], done: 3 }], more: false });
    expect((await jobs.list({ limit: 9, states: ['waiting'] })).jobs.map(({ id }) => id)).toEqual([ids[1]]);
  });

  it('are one where their kind says so, until that has ended', async () => {
    const first = await start('sleep');
    expect(await start('sleep')).toBe(first);
    running[0]!.end();
    await jobs.ended(first);
    expect(await start('sleep')).not.toBe(first);
  });
});

describe('A job', () => {
  it('goes on from what it saved, when the service ends in between', async () => {
    const [id, waits] = [await start(), await start()];
    running[0]!.at({ done: 7, total: 10, failed: 1 });
    await running[0]!.failed({ what: 'file', name: '/a.jpg', reason: 'It is no picture.' });
    await running[0]!.save({ at: 7 });
    await close();
    await open();
    expect(running).toHaveLength(1);
    expect(running[0]).toMatchObject({ isRestarted: true, job: { id, checkpoint: { at: 7 }, parameters: { name: 'walk' }, done: 7, total: 10, failed: 1 } });
    expect((await jobs.failures(id, { limit: 10 })).failures).toMatchObject([{ what: 'file', name: '/a.jpg', reason: 'It is no picture.' }]);
    running[0]!.end({ result: { steps: 10 } });
    await vi.waitFor(() => expect(running).toHaveLength(2));
    expect(running[1]).toMatchObject({ isRestarted: false, job: { id: waits } });
    expect(await jobs.get(id)).toMatchObject({ state: 'done', result: { steps: 10 }, endedAt: expect.stringMatching(/^20/) });
  });

  it('that fails keeps its place, and goes on from there when it is resumed', async () => {
    const id = await start();
    await running[0]!.save(3);
    await running[0]!.failed({ what: 'item', name: 'a', reason: 'No.' });
    running[0]!.fail(new Error('a defect'));
    await jobs.ended(id);
    expect(await jobs.get(id)).toMatchObject({ state: 'failed', problem: 'Something went wrong inside the service; its log says what.' });
    await jobs.resume(id);
    expect(running[1]).toMatchObject({ isRestarted: false, job: { checkpoint: 3, state: 'running' } });
    expect(await jobs.get(id)).not.toHaveProperty('problem');
    expect((await jobs.failures(id, { limit: 10 })).failures).toHaveLength(1);
  });

  it('of a kind that tries again what failed forgets its failures when it is resumed', async () => {
    const id = await start('sleep');
    running[0]!.at({ done: 1, failed: 2 });
    await running[0]!.failed({ what: 'item', name: 'a', reason: 'No.' });
    await jobs.pause(id);
    expect((await jobs.failures(id, { limit: 10 })).failures).toHaveLength(1);
    expect(await jobs.resume(id)).toMatchObject({ done: 1, failed: 0 });
    expect((await jobs.failures(id, { limit: 10 })).failures).toEqual([]);
  });

  it('lists each thing that failed once, and ten thousand of them', async () => {
    const id = await start();
    for (let n = 0; n < 10_050; n++) await running[0]!.failed({ what: 'item', name: `${n % 10_040}`, reason: 'No.' });
    await running[0]!.save(0);
    const { failures, more } = await jobs.failures(id, { limit: 20_000 });
    expect([failures.length, new Set(failures.map(({ name }) => name)).size, more]).toEqual([10_000, 10_000, false]);
    expect(failures.map(({ name }) => Number(name))).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  });

  it('takes no move that makes no sense, says why, and takes what is so already as done', async () => {
    const refused = (why: RegExp): object => ({ code: 'conflict', message: expect.stringMatching(why) });
    const [walk, swim] = [await start(), await start('swim')];
    await expect(jobs.pause(swim)).rejects.toMatchObject(refused(/can only be cancelled/));
    expect(await jobs.resume(walk)).toMatchObject({ state: 'running' });
    await jobs.pause(walk);
    expect(await jobs.pause(walk)).toMatchObject({ state: 'paused' });
    await jobs.cancel(walk);
    expect(discarded).toEqual([walk]);
    expect(await jobs.cancel(walk)).toMatchObject({ state: 'cancelled' });
    for (const move of [jobs.pause(walk), jobs.resume(walk)]) await expect(move).rejects.toMatchObject(refused(/it is cancelled/));
    running[1]!.end();
    await jobs.ended(swim);
    for (const move of [jobs.pause(swim), jobs.resume(swim), jobs.cancel(swim)]) await expect(move).rejects.toMatchObject(refused(/it is done/));
    await expect(jobs.pause('nobody')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that comes to its end while it is paused has ended', async () => {
    const id = await start('stroll').catch(() => undefined);
    expect(id).toBeUndefined();
    await close();
    // It does not look at its signal.
    await open([kind('walk', { run: (work) => new Promise((resolve) => running.push({ ...work, end: (end = { result: {} }) => resolve(end), fail: () => undefined })) })]);
    const walk = await start();
    const pausing = jobs.pause(walk);
    running[0]!.end();
    await expect(pausing).rejects.toMatchObject({ code: 'conflict', message: expect.stringMatching(/it is done/) });
    expect(await stateOf(walk)).toBe('done');
  });

  it('of a collection that was deleted is cancelled and says so, now or at the next start', async () => {
    const [runs, waits, paused, other] = [await start(), await start(), await start(), await start('walk', 'texts')];
    await jobs.pause(paused);
    await jobs.endOf('photos');
    for (const id of [runs, waits, paused]) expect(await jobs.get(id)).toMatchObject({ state: 'cancelled', problem: 'Collection "photos" was deleted.' });
    expect([await stateOf(other), discarded]).toEqual(['running', []]);
    const late = await start('walk', 'gone');
    await close();
    await open();
    expect(await jobs.get(late)).toMatchObject({ state: 'cancelled', problem: 'Collection "gone" was deleted.' });
  });

  it('of a kind that is not known, or whose row is damaged, stands still and says so', async () => {
    const [unknown, spoilt] = [await start(), await start('swim')];
    await close();
    const database = new Sqlite(path.join(directory, 'mixspace.db'));
    database.prepare("UPDATE jobs SET parameters = '{\"name\": \"fly\"}' WHERE id = ?").run(spoilt);
    database.close();
    await open([kind('swim')]);
    expect(running).toEqual([]);
    expect(await jobs.get(unknown)).toMatchObject({ state: 'failed', problem: 'This service knows no jobs of kind "walk".' });
    expect(await jobs.get(spoilt)).toMatchObject({ state: 'failed', problem: expect.stringMatching(/is damaged/) });
    for (const id of [unknown, spoilt]) await expect(jobs.resume(id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is on disk as it ended, or will be', async () => {
    const id = await start();
    const put = vi.spyOn(store, 'putJob').mockRejectedValueOnce(new Error('full'));
    running[0]!.end({ result: { kept: true } });
    await jobs.ended(id);
    expect(put).toHaveBeenCalledTimes(1);
    expect([await stateOf(id), (await store.getJob(id))!.state]).toEqual(['done', 'running']);
    await vi.waitFor(async () => expect(await store.getJob(id)).toMatchObject({ state: 'done', result: { kept: true } }), { timeout: 60_000 });
  });
});

describe('Who follows a job', () => {
  it('sees its present state, each failure in order, and the end', async () => {
    const id = await start();
    running[0]!.at({ done: 1, total: 1_000 });
    const seen = seenBy(id);
    for (let n = 0; n < 700; n++) await running[0]!.failed({ what: 'item', name: `${n}`, reason: `Number ${n}.` });
    running[0]!.end();
    const events = await seen;
    expect([events[0]!.type, events[0]!.job.done, events.at(-1)!.type, events.at(-1)!.job.state]).toEqual(['progress', 1, 'end', 'done']);
    expect(events.flatMap((event) => (event.type === 'failure' ? [event.failure.name] : []))).toEqual(Array.from({ length: 700 }, (_, n) => `${n}`));
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
  });

  it('goes on behind the last event it saw, in another service, too, and is told when nothing comes behind it', async () => {
    const id = await start();
    for (let n = 0; n < 5; n++) await running[0]!.failed({ what: 'item', name: `${n}`, reason: 'No.' });
    await running[0]!.save(0);
    const started = (await seenBy(id, undefined, 1))[0]!;
    for (let n = 5; n < 9; n++) await running[0]!.failed({ what: 'item', name: `${n}`, reason: 'No.' });
    await running[0]!.save(0);
    const third = (await seenBy(id, started.id, 3))[2]!;
    expect(third).toMatchObject({ type: 'failure', failure: { name: '7' } });
    await close();
    await open();
    running[0]!.end();
    const rest = await seenBy(id, third.id);
    expect(rest.map((event) => (event.type === 'failure' ? event.failure.name : event.type)).filter((each) => each !== 'progress')).toEqual(['8', 'end']);
    expect(await jobs.events(id, rest.at(-1)!.id, now)).toBeUndefined();
    for (const strange of ['', 'x', `${id}-1`, 'end-0', '9-9-9-9', '-1-2']) expect((await seenBy(id, strange)).map(({ type }) => type)).toEqual(['end']);
  });

  it('slowly is told the latest, and holds nothing up', async () => {
    const id = await start();
    const events = (await jobs.events(id, undefined, now))![Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ type: 'progress', job: { done: 0 } });
    for (let n = 1; n <= 100_000; n++) running[0]!.at({ done: n, total: 100_000 });
    expect((await events.next()).value).toMatchObject({ type: 'progress', job: { done: 100_000 } });
    running[0]!.end();
    expect((await events.next()).value).toMatchObject({ type: 'end', job: { state: 'done', done: 100_000 } });
    expect((await events.next()).done).toBe(true);
  });

  it('and leaves, or whose service ends, is let go', async () => {
    const id = await start();
    await jobs.pause(id);
    const leaving = new AbortController();
    const [left, stays] = [leaving.signal, now].map(async (signal) => {
      const types: string[] = [];
      for await (const { type, job } of (await jobs.events(id, undefined, signal))!) types.push(`${type} ${job.state}`);
      return types;
    });
    leaving.abort();
    await left;
    await jobs.close();
    expect(await stays).toEqual(['progress paused']);
  });
});

describe('The table of jobs', () => {
  it('keeps the newest of those that have ended, and of their failures, and all others', async () => {
    const failures = (of: number): { what: 'item'; name: string; reason: string }[] => Array.from({ length: of }, (_, n) => ({ what: 'item', name: `${n}`, reason: 'No.' }));
    const put = (id: string, state: 'done' | 'failed' | 'cancelled' | 'paused', of = 0): Promise<unknown> => store.putJob({ id, kind: 'walk', state, parameters: null, done: 0, failed: of, createdAt: new Date().toISOString() }, { failures: failures(of) });
    await put('old', 'paused', 50);
    for (const [id, state, of] of [['a', 'done', 0], ['b', 'failed', 3], ['c', 'cancelled', 4], ['d', 'done', 2]] as const) await put(id, state, of);
    const left = async (): Promise<string[]> => (await store.listJobs({ limit: 100 })).jobs.map(({ id }) => id);
    await store.pruneJobs({ jobs: 3, failures: 100 });
    expect(await left()).toEqual(['d', 'c', 'b', 'old']);
    await store.pruneJobs({ jobs: 3, failures: 6 });
    expect(await left()).toEqual(['d', 'c', 'old']);
    expect(await store.listJobFailures('b', { limit: 10 })).toEqual({ failures: [], more: false });
    expect((await store.listJobFailures('old', { limit: 100 })).failures).toHaveLength(50);
  });
});
