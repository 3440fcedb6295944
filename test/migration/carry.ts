/**
 * `npx tsx test/migration/carry.ts CHECKOUT [--items 20000] [--kills 10] [--at-once 32]`: a database that an older, built
 * checkout wrote is carried over, with SIGKILL at random moments, and answers as it did. `--at-once`: rows of a transaction.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { repository } from '../server.js';
import { ask, openStore } from './older.js';
import { open, stateOf } from './opening.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { items: { type: 'string', default: '20000' }, kills: { type: 'string', default: '10' }, 'at-once': { type: 'string', default: '32' }, keep: { type: 'string' } },
});
const [checkout] = positionals;
if (checkout === undefined) throw new Error('Name a built checkout of the older version.');
const root = values.keep ?? mkdtempSync(path.join(tmpdir(), 'mixspace-carry-'));
const written = path.join(root, 'older');
const directory = path.join(root, 'carried');

const bytesOf = (folder: string): number => readdirSync(folder).filter((name) => name.startsWith('mixspace.db')).reduce((sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

let began = performance.now();
if (values.keep === undefined || !readdirSync(root).includes('older.json')) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, path.join(import.meta.dirname, 'write-older.ts'), checkout, written, values.items], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  console.log(`written by the older version in ${Math.round((performance.now() - began) / 1000)} s: ${stdout.trim()}`);
}
const expected = JSON.parse(readFileSync(`${written}.json`, 'utf8')) as Record<string, { searches: number }>;
rmSync(directory, { recursive: true, force: true });
cpSync(written, directory, { recursive: true });
const before = bytesOf(directory);
let peak = before;
const watch = setInterval(() => (peak = Math.max(peak, bytesOf(directory))), 20);

// Once without a kill, to know how long it takes.
began = performance.now();
const whole = open(repository, directory, Number(values['at-once']));
let carrying = 0;
void whole.carrying.then(() => (carrying = performance.now()));
await whole.opened;
const tookMs = performance.now() - carrying;
await once(whole, 'exit');
console.log(`carried over without a kill: ${Math.round(tookMs)} ms of ${Math.round(performance.now() - began)} ms`);
console.log(`database with its -wal file: ${megabytes(before)} before, ${megabytes(peak)} at its peak, ${megabytes(bytesOf(directory))} after`);
clearInterval(watch);

rmSync(directory, { recursive: true });
cpSync(written, directory, { recursive: true });
let kills = 0;
for (;;) {
  const child = open(repository, directory, Number(values['at-once']));
  const ended = once(child, 'exit');
  await Promise.race([child.carrying, child.opened, ended]);
  if (kills < Number(values.kills)) await Promise.race([sleep((Math.random() * 2 * tookMs) / (Number(values.kills) + 1)), child.opened, ended]);
  else await child.opened;
  child.kill('SIGKILL');
  await ended;
  const { left, carried } = stateOf(directory);
  if (left === undefined) break;
  kills++;
  console.log(`killed at ${carried} of ${carried + left}`);
}

const store = await openStore(repository, directory);
await store.createCollection({ name: 'next', model: 'm', fingerprint: 'f', dimension: 2, originals: 'keep' });
await store.startReembedding('next', { model: 'n', fingerprint: 'g', dimension: 2, fromThumbnails: false, skipImpossible: false });
await store.deleteCollection('next');
const found = JSON.parse(JSON.stringify(await ask(store, Number(values.items) > 1000 ? 50 : 12))) as typeof expected;
await store.close();
let differ = 0;
for (const [name, answers] of Object.entries(expected)) {
  const same = isDeepStrictEqual(found[name], answers);
  if (!same) differ++;
  console.log(`${name}: ${answers.searches} searches, every item, embedding, thumbnail and original: ${same ? 'the same' : 'ANOTHER ANSWER'}`);
}
if (Object.keys(found).length !== Object.keys(expected).length) differ++;
if (values.keep === undefined) rmSync(root, { recursive: true });
console.log(`${kills} kills; ${differ === 0 ? 'nothing is lost, and every answer is the same' : `${differ} COLLECTIONS DIFFER`}`);
process.exitCode = differ === 0 ? 0 : 1;
