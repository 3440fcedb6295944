/**
 * `npm run sync-rounds -- --files 20000 --rounds 4`: a folder is changed at random, its share goes away and comes back, and the
 * service is killed while it looks; after each round the collection must be the folder's, item by item.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MixspaceClient } from '../../src/client/index.js';
import { chance, contentsOf, idOf, listed, ofFolder, ofItems, speckled, synced } from '../folders.js';
import { quick, startServer } from '../server.js';

const { values } = parseArgs({ options: { files: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '3' }, changes: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } } });
const [fileCount, rounds, changes, seed] = [values.files, values.rounds, values.changes, values.seed].map(Number) as [number, number, number, number];
const kills = 4;
/** Every so many items have metadata that must stay. */
const ownedEach = 10;

const base = mkdtempSync(path.join(tmpdir(), 'mixspace-sync-rounds-'));
const root = path.join(base, 'photos');
const { next, pick } = chance(seed);
let pictures = 0;
const write = async (file: string): Promise<void> => writeFileSync(file, await speckled(seed * 1e6 + pictures++));

const folders = [root];
mkdirSync(root);
for (let i = 0; i < Math.max(3, fileCount / 200); i++) {
  const folder = path.join(pick(folders), `folder ${i}`);
  mkdirSync(folder);
  folders.push(folder);
}
let files: string[] = [];
for (let i = 0; i < fileCount; i++) {
  const file = path.join(pick(folders), `IMG_${i}.png`);
  await write(file);
  files.push(file);
}

const env = { ...quick, MIXSPACE_ROOTS: base, MIXSPACE_SYNC_QUIET: '0' };
let server = await startServer({ env });
let client = new MixspaceClient({ url: server.url, retries: 0 });
await client.createCollection({ name: 'photos' });

async function timed(what: string): Promise<void> {
  const began = performance.now();
  const { added, found_again, changed, moved, removed, unchanged, withheld, failed } = await synced(client, 'photos', { root });
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`, JSON.stringify({ added, found_again, changed, moved, removed, unchanged, withheld: withheld.count, failed }));
}

let faults = 0;
async function compare(what: string, owed: Map<string, object>): Promise<void> {
  const items = await listed(client, 'photos');
  const isEqual = JSON.stringify(ofItems(items)) === JSON.stringify(ofFolder(root));
  const changedMetadata = [...items].filter(([id, { metadata }]) => JSON.stringify(metadata) !== JSON.stringify(owed.get(id) ?? {})).length;
  console.log(`${what}: ${items.size} items, ${isEqual ? 'equal' : 'NOT EQUAL'}, ${changedMetadata} with other metadata than they are to have`);
  faults += Number(!isEqual) + changedMetadata;
}

/** Moves, copies, edits, deletions, exchanges: what becomes of the metadata that is owed. */
async function change(round: number, owed: Map<string, object>): Promise<Map<string, object>> {
  const before = new Map([...contentsOf(root)].flatMap(([id, paths]) => paths.map((file): [string, string] => [file, id])));
  const kept = new Map(owed);
  const renamed = pick(folders.slice(1).filter((each) => !folders.some((other) => other.startsWith(`${each}/`))));
  // A file is touched by one change a round: which picture one is that was edited and moved, nobody can know.
  const untouched = files.filter((file) => !file.startsWith(`${renamed}/`));
  const take = (): string => {
    const at = Math.floor(next() * untouched.length);
    const file = untouched[at]!;
    untouched[at] = untouched.at(-1)!;
    untouched.pop();
    return file;
  };
  const gone = new Set<string>();
  for (let i = 0; i < changes; i++) {
    const what = next();
    const fresh = (kind: string): string => path.join(pick(folders), `${kind}-${round}-${i}.png`);
    if (what < 0.2) {
      const file = fresh('new');
      await write(file);
      files.push(file);
    } else if (what < 0.4) {
      const file = take();
      await write(file);
      const metadata = owed.get(before.get(file)!);
      if (metadata) kept.set(idOf(readFileSync(file)), metadata);
    } else if (what < 0.6) {
      const [file, to] = [take(), fresh('moved')];
      renameSync(file, to);
      gone.add(file);
      files.push(to);
    } else if (what < 0.75) {
      const file = take();
      unlinkSync(file);
      gone.add(file);
    } else if (what < 0.8) {
      const to = fresh('copy');
      copyFileSync(take(), to);
      files.push(to);
    } else if (what < 0.9) {
      const [one, other] = [take(), take()];
      renameSync(one, `${one}.away`);
      renameSync(other, one);
      renameSync(`${one}.away`, other);
    } else utimesSync(take(), new Date(), new Date(1_600_000_000_000 + i));
  }
  files = files.filter((file) => !gone.has(file));
  const to = path.join(root, `renamed ${round}`);
  renameSync(renamed, to);
  folders[folders.indexOf(renamed)] = to;
  files = files.map((file) => (file.startsWith(`${renamed}/`) ? to + file.slice(renamed.length) : file));
  return kept;
}

await timed('first look');
let owed = new Map<string, object>();
for (const [i, [id, [first]]] of [...contentsOf(root)].entries()) {
  if (i % ownedEach > 0) continue;
  owed.set(id, { mine: path.basename(first!) });
  await client.setMetadata('photos', id, owed.get(id) as Record<string, unknown>);
}
await timed('nothing new');
for (let round = 1; round <= rounds; round++) {
  owed = await change(round, owed);
  renameSync(root, `${root}.away`);
  mkdirSync(root);
  await timed('out of reach');
  rmSync(root, { recursive: true });
  renameSync(`${root}.away`, root);
  for (let kill = 0; kill < kills; kill++) {
    if (kill === 0) await client.sync('photos', { root });
    await delay(100 + 4_000 * next());
    const { jobs } = await client.jobs({ kind: 'sync' });
    await server.kill();
    console.log(`killed while a look was ${jobs[0]!.state}, at ${jobs[0]!.done} of ${jobs[0]!.total ?? '?'}`);
    server = await startServer({ env, indexDir: server.indexDir });
    client = new MixspaceClient({ url: server.url, retries: 0 });
    if (jobs[0]!.state === 'done') await client.sync('photos', { root });
  }
  await timed('after the kills');
  await compare(`round ${round}`, owed);
}
await timed('nothing new');
await server.remove();
rmSync(base, { recursive: true });
console.log(faults === 0 ? 'no fault' : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
