/** What only the store over PostgreSQL has to see to: characters that its text does not hold, and statements over many rows. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptFailures, type Job } from '../src/store/job-catalog.js';
import { Database } from '../src/store/postgres/database.js';
import { replaceExample } from '../src/store/postgres/classifier-catalog.js';
import { openPostgresStore } from '../src/store/postgres/open.js';
import type { Store } from '../src/store/store.js';
import { serverName, testServer, type TestServer } from './port-contracts/postgres.js';

const now = '2026-11-01T00:00:00.000Z';
let server: TestServer;
let url: string;
let store: Store;
const open = (): Promise<Store> => openPostgresStore({ url, settings: { connections: server.connections }, log: () => undefined });
beforeEach(async () => {
  server = await testServer();
  url = await server.newUrl();
  store = await open();
});
afterEach(async () => {
  await store.close();
  await server.drop(url);
});

const job = (id: string, more: Partial<Job> = {}): Job => ({ id, kind: 'walk', state: 'running', parameters: {}, done: 0, failed: 0, createdAt: now, ...more });
const strange = ['a\u0000b', 'a\u0001b', 'a\u0001\u0001b', "';--", 'é\u{1F600}', ''];

describe(`The tables of jobs and classifiers (PostgreSQL, by ${serverName})`, () => {
  it('give back every text as it came, and know one strange name from another', async () => {
    const { catalog } = store;
    const failures = strange.map((name) => ({ what: 'file' as const, name, reason: `Not ${name}.` }));
    const told = job('strange', { problem: strange.join('|'), parameters: { strange }, checkpoint: strange, result: { strange } });
    expect((await catalog.putJob(told, { failures })).map(({ name }) => name)).toEqual(strange);
    expect(await catalog.getJob('strange')).toMatchObject(told);
    expect((await catalog.listJobFailures('strange', { limit: 9 })).failures).toMatchObject(failures);
    expect(await catalog.getJob('a\u0000b')).toBeUndefined();
    const embedding = Float32Array.of(1, 0);
    for (const name of strange) {
      const classifier = { name, model: 'm', fingerprint: 'f', labels: strange, createdAt: now, updatedAt: now };
      await catalog.putClassifier(classifier, strange);
      const examples = strange.map((label) => ({ label, negative: false, hash: 'h', embedding }));
      await catalog.addExamples(name, { fingerprint: 'f', examples, most: 10, updatedAt: now });
      expect(await catalog.listExamples(name)).toEqual(examples);
      expect(await catalog.getClassifier(name)).toEqual({ ...classifier, examples: strange.map((label) => ({ label, count: 1, negative: 0 })) });
    }
    expect((await catalog.listClassifiers()).map(({ name }) => name)).toEqual([...strange].sort());
  });

  it('keep as many failures as they may, the first that came, each thing once', async () => {
    const { catalog } = store;
    const failures = Array.from({ length: keptFailures + 50 }, (_, n) => ({ what: 'item' as const, name: `${n % (keptFailures + 40)}`, reason: `${n}` }));
    const first = await catalog.putJob(job('many'), { failures: failures.slice(0, 7) });
    const rest = await catalog.putJob(job('many'), { failures: failures.slice(5) });
    const all = [...first, ...rest];
    expect([first.length, all.length]).toEqual([7, keptFailures]);
    expect(all.map(({ name }) => name)).toEqual(Array.from({ length: keptFailures }, (_, n) => `${n}`));
    expect(all.every(({ number }, i) => i === 0 || number > all[i - 1]!.number)).toBe(true);
    expect(await catalog.putJob(job('many'), { failures: [{ what: 'file', name: 'one more', reason: '' }] })).toEqual([]);
  });

  it('have one picture shown in the place of another in every classifier of the space', async () => {
    const { catalog } = store;
    const classifier = (name: string, fingerprint: string): Promise<void> => catalog.putClassifier({ name, model: 'm', fingerprint, labels: [], createdAt: now, updatedAt: now }, ['x', 'y']);
    const [before, after] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];
    const example = (label: string, hash: string, embedding: Float32Array) => ({ label, negative: false, hash, embedding });
    for (const [name, fingerprint] of [['a', 'f'], ['b', 'g']] as const) {
      await classifier(name, fingerprint);
      await catalog.addExamples(name, { fingerprint, examples: [example('x', 'old', before), example('x', 'new', after), example('y', 'old', before), example('y', 'other', before)], most: 9, updatedAt: now });
    }
    await store.close();
    const database = new Database({ url, most: server.connections, connectWithinMs: 5_000, onProblem: () => undefined });
    await database.write((session) => replaceExample(session, 'f', 'old', { hash: 'new', embedding: after }));
    await database.close();
    store = await open();
    const again = store.catalog;
    expect(await again.listExamples('a')).toEqual([example('x', 'new', after), example('y', 'new', after), example('y', 'other', before)]);
    expect(await again.listExamples('b')).toHaveLength(4);
    expect((await again.getClassifier('a')).updatedAt).not.toBe(now);
    expect((await again.getClassifier('b')).updatedAt).toBe(now);
  });
});
