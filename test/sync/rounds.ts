/**
 * `npm run sync-rounds -- --files 20000 --rounds 4`: a folder is changed at random, its share goes away and comes back, and the
 * service is killed while it looks; after each round the collection must be the folder's, item by item.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MixspaceClient } from '../../src/client/index.js';
import { chance, contentsOf, listed, ofFolder, ofItems, speckled, synced } from '../folders.js';
import { quick, startServer } from '../server.js';
import { changeAtRandom, renameFolder } from './random-changes.js';

const { values } = parseArgs({ options: { files: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '3' }, changes: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } } });
const [fileCount, rounds, changes, seed] = [values.files, values.rounds, values.changes, values.seed].map(Number) as [number, number, number, number];
const kills = 4;
/** Every so many items have metadata that must stay. */
const ownedEach = 10;

const base = mkdtempSync(path.join(tmpdir(), 'mixspace-sync-rounds-'));
const root = path.join(base, 'photos');
const { next, pick } = chance(seed);
let pictures = 0;
const draw = (): Promise<Buffer> => speckled(seed * 1e6 + pictures++);

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
  writeFileSync(file, await draw());
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

await timed('first look');
let owed = new Map<string, object>();
for (const [i, [id, [first]]] of [...contentsOf(root)].entries()) {
  if (i % ownedEach > 0) continue;
  owed.set(id, { mine: path.basename(first!) });
  await client.setMetadata('photos', id, owed.get(id) as Record<string, unknown>);
}
await timed('nothing new');
for (let round = 1; round <= rounds; round++) {
  const renamed = pick(folders.slice(1).filter((each) => !folders.some((other) => other.startsWith(`${each}/`))));
  ({ files, owed } = await changeAtRandom({ next, pick }, { root, folders, files, spared: renamed, owed, count: changes, round, draw }));
  files = renameFolder(folders, files, renamed, path.join(root, `renamed ${round}`));
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
