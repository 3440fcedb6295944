/** Jobs that several replicas share: two runners, each over a store of its own, on one database. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MixspaceError } from '../src/errors.js';
import type { JobEvent } from '../src/jobs/events.js';
import { Jobs } from '../src/jobs/jobs.js';
import type { JobEnd, JobKind, JobWork } from '../src/jobs/kind.js';
import type { JobLeases } from '../src/store/job-leases.js';
import { openPostgresStore } from '../src/store/postgres/open.js';
import type { Store } from '../src/store/store.js';
import { serverName, testServer, type TestServer } from './port-contracts/postgres.js';

const shortMs = 2_000;
/** As long as no test waits for one to end. */
const longMs = 120_000;
const beatMs = 100;
const soon = { timeout: 30_000, interval: 25 };

type Work = JobWork<unknown> & { end(end?: JobEnd): void; fail(error: Error): void };

interface Replica {
  store: Store;
  jobs: Jobs;
  /** Runs that began here, in their order. */
  running: Work[];
  /** While it is closed, no sign of life comes from here. */
  beats: { open(): void; shut(): void };
  close(): Promise<void>;
}

let server: TestServer;
let url: string;
let replicas: Replica[];
let discarded: string[];
let gone: Set<string>;
beforeEach(async () => {
  server = await testServer();
  url = await server.newUrl();
  [replicas, discarded, gone] = [[], [], new Set()];
});
afterEach(async () => {
  for (const { beats, close } of replicas) {
    beats.open();
    await close();
  }
  await server.drop(url);
});

async function replica({ kinds = [], places = [], leaseMs = longMs }: { kinds?: JobKind[]; places?: string[]; leaseMs?: number } = {}): Promise<Replica> {
  const store = await openPostgresStore({ url, settings: { connections: Math.min(server.connections, 4), leaseMs }, log: () => undefined });
  const running: Work[] = [];
  const held = (name: string, more: Partial<JobKind> = {}): JobKind => ({
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
  });
  let pass = (): void => undefined;
  let shut: Promise<void> | undefined;
  const leases: JobLeases = {
    ...store.leases!,
    renewLeases: async (holder) => {
      await shut;
      return store.leases!.renewLeases(holder);
    },
  };
  const jobs = new Jobs({
    catalog: store.catalog,
    kinds: [held('walk'), held('swim'), held('sleep', { isSingle: true }), held('dig', { place: async ({ parameters }) => (parameters as { at: string }).at }), ...kinds],
    hasCollection: async (name) => !gone.has(name),
    shared: { leases, places, beatMs },
    log: () => undefined,
  });
  await jobs.open();
  let closed: Promise<void> | undefined;
  const made: Replica = {
    store,
    jobs,
    running,
    beats: {
      shut: () => {
        shut = new Promise((resolve) => (pass = resolve));
      },
      open: () => {
        shut = undefined;
        pass();
      },
    },
    close: () => (closed ??= jobs.close().then(() => store.close())),
  };
  replicas.push(made);
  return made;
}

const start = async ({ jobs }: Replica, kind = 'walk', collection = 'photos', parameters: unknown = {}): Promise<string> => (await jobs.start(kind, { collection, parameters })).job.id;
const idsOf = ({ running }: Replica): string[] => running.map(({ job }) => job.id);
const stateOf = async ({ jobs }: Replica, id: string): Promise<string> => (await jobs.get(id)).state;

describe(`Jobs of replicas (PostgreSQL, by ${serverName})`, () => {
  it('run once each, and one at a time of one lock, whichever replica they were started at', async () => {
    const active = new Map<string, number>();
    const ran: string[] = [];
    let most = 0;
    const kind: JobKind = {
      name: 'count',
      isPausable: true,
      isSingle: false,
      retriesFailures: false,
      run: async ({ job }) => {
        const name = job.collection!;
        active.set(name, (active.get(name) ?? 0) + 1);
        most = Math.max(most, active.get(name)!);
        await new Promise((resolve) => setTimeout(resolve, 30));
        active.set(name, active.get(name)! - 1);
        ran.push(job.id);
        return { result: {} };
      },
    };
    const both = [await replica({ kinds: [kind] }), await replica({ kinds: [kind] })];
    const ids = await Promise.all(Array.from({ length: 24 }, (_, n) => start(both[n % 2]!, 'count', n % 3 === 0 ? 'texts' : 'photos')));
    await vi.waitFor(async () => expect((await both[0]!.jobs.list({ states: ['done'], limit: 100 })).jobs).toHaveLength(24), soon);
    expect(most).toBe(1);
    expect([...ran].sort()).toEqual([...ids].sort());
  });

  it('wait for another of their lock that runs elsewhere, those of other locks do not', async () => {
    const [a, b] = [await replica(), await replica()];
    const [first, second, other] = [await start(a), await start(b), await start(b, 'walk', 'texts')];
    expect([await stateOf(b, first), await stateOf(a, second), await stateOf(a, other)]).toEqual(['running', 'waiting', 'running']);
    expect([idsOf(a), idsOf(b)]).toEqual([[first], [other]]);
    a.running[0]!.end();
    await vi.waitFor(() => expect([...idsOf(a), ...idsOf(b)]).toContain(second), soon);
    expect([...idsOf(a), ...idsOf(b)].sort()).toEqual([first, second, other].sort());
  });

  it('are taken over when a replica gives no sign of life, and go on from where they were saved', async () => {
    const [a, b] = [await replica({ leaseMs: shortMs }), await replica({ leaseMs: shortMs })];
    const id = await start(a);
    a.running[0]!.at({ done: 7, total: 10, failed: 1 });
    await a.running[0]!.failed({ what: 'file', name: '/a.jpg', reason: 'It is no picture.' });
    await a.running[0]!.save({ at: 7 });
    a.beats.shut();
    await vi.waitFor(() => expect(b.running).toHaveLength(1), soon);
    expect(b.running[0]).toMatchObject({ isRestarted: true, job: { id, checkpoint: { at: 7 }, done: 7, total: 10, failed: 1 } });
    expect((await b.jobs.failures(id, { limit: 10 })).failures).toMatchObject([{ name: '/a.jpg' }]);
  });

  it('that were taken over are not written by who had them, who stops', async () => {
    const [a, b] = [await replica({ leaseMs: shortMs }), await replica({ leaseMs: shortMs })];
    const id = await start(a);
    await a.running[0]!.save({ at: 1 });
    a.beats.shut();
    await vi.waitFor(() => expect(b.running).toHaveLength(1), soon);
    await b.running[0]!.save({ at: 2 });
    expect(a.running[0]!.signal.aborted).toBe(false);
    a.running[0]!.at({ done: 99 });
    await expect(a.running[0]!.save({ at: 99 })).rejects.toMatchObject({ code: 'not_ready' });
    expect(a.running[0]!.signal.aborted).toBe(true);
    expect(await b.store.catalog.getJob(id)).toMatchObject({ checkpoint: { at: 2 }, done: 0, state: 'running' });
    a.beats.open();
    b.running[0]!.end({ result: { by: 'b' } });
    await vi.waitFor(async () => expect(await a.jobs.get(id)).toMatchObject({ state: 'done', result: { by: 'b' } }), soon);
    expect([a.running.length, b.running.length]).toEqual([1, 1]);
  });

  it('that were taken over stop where they were, as soon as that replica looks again, even if it has done nothing more of them', async () => {
    const [a, b] = [await replica({ leaseMs: shortMs }), await replica({ leaseMs: shortMs })];
    const id = await start(a);
    a.beats.shut();
    await vi.waitFor(() => expect(idsOf(b)).toEqual([id]), soon);
    a.beats.open();
    await vi.waitFor(() => expect(a.running[0]!.signal.aborted).toBe(true), soon);
    expect(b.running[0]!.signal.aborted).toBe(false);
  });

  it('are another replica\'s at once when theirs ends as it should', async () => {
    const [a, b] = [await replica(), await replica()];
    const [id, waits] = [await start(a), await start(a)];
    await a.running[0]!.save(3);
    await a.close();
    await vi.waitFor(() => expect(idsOf(b)).toEqual([id]), soon);
    expect(b.running[0]).toMatchObject({ isRestarted: true, job: { checkpoint: 3 } });
    b.running[0]!.end();
    await vi.waitFor(() => expect(idsOf(b)).toEqual([id, waits]), soon);
    expect(b.running[1]).toMatchObject({ isRestarted: false });
  });

  it('are paused, resumed and cancelled from whichever replica is asked', async () => {
    const [a, b] = [await replica(), await replica()];
    const id = await start(a);
    await a.running[0]!.save(5);
    expect(await b.jobs.pause(id)).toMatchObject({ id, state: 'paused' });
    expect(a.running[0]!.signal.aborted).toBe(true);
    expect(await stateOf(a, id)).toBe('paused');
    expect(await b.jobs.resume(id)).toMatchObject({ state: 'running' });
    expect(b.running[0]).toMatchObject({ isRestarted: false, job: { id, checkpoint: 5 } });
    expect(await a.jobs.resume(id)).toMatchObject({ state: 'running' });
    expect(await a.jobs.cancel(id)).toMatchObject({ state: 'cancelled' });
    expect([b.running[0]!.signal.aborted, discarded]).toEqual([true, [id]]);
    for (const { jobs } of [a, b]) await expect(jobs.resume(id)).rejects.toMatchObject({ code: 'conflict' });
    const [runs, waits] = [await start(a), await start(a)];
    expect(await b.jobs.cancel(waits)).toMatchObject({ state: 'cancelled' });
    a.running[1]!.end();
    await vi.waitFor(async () => expect(await stateOf(b, runs)).toBe('done'), soon);
    await expect(b.jobs.pause(runs)).rejects.toMatchObject({ code: 'conflict' });
    expect([idsOf(a), idsOf(b)]).toEqual([[id, runs], [id]]);
  });

  it('that stand alone are one, wherever they are started', async () => {
    const [a, b] = [await replica(), await replica()];
    const ids = await Promise.all([start(a, 'sleep'), start(b, 'sleep'), start(a, 'sleep'), start(b, 'sleep')]);
    expect(new Set(ids).size).toBe(1);
    expect(await start(b, 'sleep', 'texts')).not.toBe(ids[0]);
    [...a.running, ...b.running].find(({ job }) => job.id === ids[0])!.end();
    await vi.waitFor(async () => expect(await stateOf(b, ids[0])).toBe('done'), soon);
    expect(await start(b, 'sleep')).not.toBe(ids[0]);
  });

  it('of what lies on one disk run where that is', async () => {
    const [a, b] = [await replica({ places: ['disk-a'] }), await replica({ places: ['disk-b'] })];
    const [first, second] = [await start(a, 'dig', 'photos', { at: 'disk-a' }), await start(b, 'dig', 'texts', { at: 'disk-a' })];
    await vi.waitFor(() => expect(idsOf(a)).toEqual([first, second]), soon);
    expect(b.running).toEqual([]);
    await a.close();
    await new Promise((resolve) => setTimeout(resolve, 3 * beatMs));
    expect(b.running).toEqual([]);
    const again = await replica({ places: ['disk-a'] });
    await vi.waitFor(() => expect(idsOf(again).sort()).toEqual([first, second].sort()), soon);
  });

  it('that could not begin have never been', async () => {
    const a = await replica({ kinds: [{ name: 'fall', isPausable: true, isSingle: true, retriesFailures: false, begin: () => Promise.reject(new MixspaceError('conflict', 'No.')), run: () => Promise.reject(new Error()) }] });
    for (let time = 0; time < 2; time++) await expect(a.jobs.start('fall', { collection: 'photos', parameters: {} })).rejects.toMatchObject({ code: 'conflict', message: 'No.' });
    expect((await a.jobs.list({ limit: 9 })).jobs).toEqual([]);
  });

  it('go on by themselves when the store was away for a moment', async () => {
    const a = await replica();
    const id = await start(a);
    await a.running[0]!.save(4);
    a.running[0]!.fail(new MixspaceError('not_ready', 'The database cannot be reached.'));
    await vi.waitFor(() => expect(a.running).toHaveLength(2), soon);
    expect(a.running[1]).toMatchObject({ isRestarted: true, job: { id, checkpoint: 4, state: 'running' } });
  });

  it('of a collection that is deleted are cancelled, wherever they run', async () => {
    const [a, b] = [await replica(), await replica()];
    const [runs, waits, paused, other] = [await start(a), await start(a), await start(b), await start(a, 'walk', 'texts')];
    await b.jobs.pause(paused);
    gone.add('photos');
    await b.jobs.endOf('photos');
    for (const id of [runs, waits, paused]) expect(await a.jobs.get(id)).toMatchObject({ state: 'cancelled', problem: 'Collection "photos" was deleted.' });
    expect([await stateOf(b, other), a.running[0]!.signal.aborted, discarded]).toEqual(['running', true, []]);
  });

  it('are followed from another replica, each failure once and in order, to their end', async () => {
    const [a, b] = [await replica(), await replica()];
    const id = await start(a);
    const events: JobEvent[] = [];
    const seen = (async () => {
      for await (const event of (await b.jobs.events(id, undefined, new AbortController().signal))!) events.push(event);
    })();
    await vi.waitFor(() => expect(events).toHaveLength(1), soon);
    for (let n = 0; n < 250; n++) await a.running[0]!.failed({ what: 'item', name: `${n}`, reason: 'No.' });
    a.running[0]!.at({ done: 3, failed: 250, total: 300 });
    await a.running[0]!.save(1);
    await vi.waitFor(() => expect(events.some(({ type, job }) => type === 'progress' && job.done === 3)).toBe(true), soon);
    a.running[0]!.end({ result: { ok: true } });
    await seen;
    expect([events[0]!.type, events.at(-1)!.type, events.at(-1)!.job.state]).toEqual(['progress', 'end', 'done']);
    expect(events.flatMap((event) => (event.type === 'failure' ? [event.failure.name] : []))).toEqual(Array.from({ length: 250 }, (_, n) => `${n}`));
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    expect(await a.jobs.events(id, events.at(-1)!.id, new AbortController().signal)).toBeUndefined();
    const third = events.find((event) => event.type === 'failure' && event.failure.name === '247')!;
    const rest: string[] = [];
    for await (const event of (await a.jobs.events(id, third.id, new AbortController().signal))!) rest.push(event.type === 'failure' ? event.failure.name : event.type);
    expect(rest).toEqual(['248', '249', 'end']);
  });
});
