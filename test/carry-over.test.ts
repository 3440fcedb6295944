/** Databases that older versions wrote, in this one: everything is there, whatever happens on the way. */
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from './crash/random.js';
import { ask, openStore } from './migration/older.js';
import { open, stateOf } from './migration/opening.js';
import { repository } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/older');
const seed = Number(process.env.CARRY_SEED ?? Date.now() % 1e6);
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function copyOf(version: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'mixspace-older-'));
  folders.push(directory);
  cpSync(path.join(fixtures, version), directory, { recursive: true });
  writeFileSync(path.join(directory, 'mixspace.db'), gunzipSync(readFileSync(path.join(directory, 'mixspace.db.gz'))));
  rmSync(path.join(directory, 'mixspace.db.gz'));
  return directory;
}
const answersOf = (version: string): unknown => JSON.parse(readFileSync(path.join(fixtures, `${version}.json`), 'utf8'));
const versions = ['0.3', '0.4'];

/** What the version answers, once what a going over or a deletion left is in order. */
async function answers(directory: string, log: string[] = []): Promise<unknown> {
  const store = await openStore(repository, directory, {}, log);
  await store.createCollection({ name: 'next', model: 'm', fingerprint: 'f', dimension: 2, originals: 'keep' });
  await store.startReembedding('next', { model: 'n', fingerprint: 'g', dimension: 2, fromThumbnails: false, skipImpossible: false });
  await store.deleteCollection('next');
  const found = await ask(store, 12);
  await store.close();
  return JSON.parse(JSON.stringify(found));
}

describe('A directory that an older version left', () => {
  it.each(versions)('%s: holds all that it held, answers the same, lets go of its graphs, and says how far it has got', { timeout: 300_000 }, async (version) => {
    const directory = copyOf(version);
    expect(existsSync(path.join(directory, 'snapshots'))).toBe(true);
    const log: string[] = [];
    expect(await answers(directory, log)).toEqual(answersOf(version));
    const told = log.filter((line) => line.includes('is carried over'));
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told[0]).toMatch(/^info .* 0 of \d+ items/);
    const [, done, total] = /(\d+) of (\d+) items/.exec(told.at(-1)!)!;
    expect(done).toBe(total);
    expect(existsSync(path.join(directory, 'snapshots'))).toBe(false);
    expect(stateOf(directory)).toEqual({ left: undefined, carried: Number(total) - 300 });

    const again: string[] = [];
    expect(await answers(directory, again)).toEqual(answersOf(version));
    expect(again.filter((line) => line.includes('carried over'))).toEqual([]);
  });

  it.each(versions)(`%s: is carried on where it was when the process is killed at any moment (CARRY_SEED=${seed})`, { timeout: 300_000 }, async (version) => {
    let directory = copyOf(version);
    const random = new Random(seed);
    let underWay: { left: number; carried: number }[] = [];
    let mostMs = 300;
    for (let kills = 0; kills < 8 || underWay.length < 3; kills++) {
      const child = open(repository, directory, 1);
      const ended = once(child, 'exit');
      await Promise.race([child.carrying, ended]);
      await Promise.race([sleep(random.between(0, mostMs)), child.opened, ended]);
      child.kill('SIGKILL');
      await ended;
      const { left, carried } = stateOf(directory);
      if (left !== undefined && left > 0 && carried > 0) underWay.push({ left, carried });
      if (left !== undefined || underWay.length >= 3) continue;
      // It was done too soon to be seen on its way: another one, killed earlier.
      directory = copyOf(version);
      underWay = [];
      mostMs /= 2;
    }
    for (const [i, { left, carried }] of underWay.entries()) {
      expect(left + carried).toBe(underWay[0]!.left + underWay[0]!.carried);
      if (i > 0) expect(carried).toBeGreaterThanOrEqual(underWay[i - 1]!.carried);
    }
    expect(await answers(directory)).toEqual(answersOf(version));
  });

  it('gives a new embedding a key above all that were used, and its items new places behind the old ones', async () => {
    const directory = copyOf('0.3');
    const before = stateOf(directory, 'keys');
    const store = await openStore(repository, directory);
    await store.deleteItems('plain');
    const embedding = new Float32Array(24).fill(24 ** -0.5);
    await store.write('plain', [{ id: 'new', content: { modality: 'text', contentHash: '0'.repeat(64), text: 'new', embeddings: [embedding] } }]);
    await store.close();
    expect(stateOf(directory, 'keys')).toBeGreaterThan(before);
  });
});
