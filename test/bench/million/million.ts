import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MixspaceClient } from '../../../src/client/index.js';
import { startServer, type RunningServer } from '../../server.js';
import { defaultModel, settingsFor, type BenchModel } from '../bench-model.js';
import { mostResident } from '../process-tree.js';
import { seconds } from '../timing.js';
import { CloudFile } from './cloud-file.js';
import { fill } from './filling.js';
import { withProgress } from './progress.js';
import { deepPages, facets, listing } from './reading.js';
import { below, newFilters, recall, type NamedFilter } from './recall.js';
import { probeOf, startAgain, stop } from './starting.js';
import { collection, residentMegabytes, type Subject } from './subject.js';

const shares = [0.3, 0.1, 0.01, 0.001];
const pagedQueries = 5;
const addedBeforeKill = 1_000;
const patience = 7_200_000;

/** One collection of a million embeddings through HTTP: taking it in, what it holds, how it is searched, and how it comes back. */
export async function million(quick: boolean, asked?: BenchModel, count = quick ? 20_000 : 1_000_000, port?: number): Promise<void> {
  const model = asked ?? (await defaultModel());
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-million-'));
  const indexDir = path.join(folder, 'index');
  let running: RunningServer | undefined;
  let file: CloudFile | undefined;
  const start = async (): Promise<RunningServer> => (running = await startServer({ env: { LOG_LEVEL: 'info', ...settingsFor(model) }, indexDir, patience, ...(port !== undefined && { port }) }));
  try {
    // Its dimension is asked for first: what a client computes on its own should not find its connections closed.
    const first = await start();
    const dimension = (await new MixspaceClient({ url: first.url }).models())[0]!.dimensions!;
    await first.stop();
    const all = count + addedBeforeKill;
    let written = 0;
    const generating = await seconds(async () => {
      file = await withProgress('making the embeddings', () => `${written} of ${all}`, () => CloudFile.write(folder, dimension, all, (rows) => (written = rows)));
    });
    console.log(`million: ${count} embeddings of ${dimension} numbers, made in ${generating.toFixed(0)} s`);
    const server = await start();
    await measure({ server, client: new MixspaceClient({ url: server.url }) }, file!, { count, told: quick ? 50 : 200, indexDir, start });
  } finally {
    await running?.remove();
    await file?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Plan {
  count: number;
  /** Queries of each kind. */
  told: number;
  indexDir: string;
  start: () => Promise<RunningServer>;
}

async function measure(first: Subject, file: CloudFile, { count, told, indexDir, start }: Plan): Promise<void> {
  let subject = first;
  const texts = file.textQueries(told);
  const rows = Array.from({ length: told }, (_, i) => Math.floor(((i + 0.5) * count) / told));
  const stored: number[][] = [];
  for (const row of rows) stored.push(await file.embedding(row));
  const { group, share } = file.groupOfATenth();
  const filters: NamedFilter[] = [{ name: 'unfiltered' }, { name: `one group (${(100 * share).toFixed(1)} %)`, body: { group } }, ...shares.map(below)];

  const [memoryBefore, diskBefore] = [residentMegabytes(subject), await bytesIn(indexDir)];
  const sizes = async (when: string): Promise<void> => {
    const [resident, disk] = [residentMegabytes(subject), await bytesIn(indexDir)];
    const sum = total(disk) - total(diskBefore);
    const parts = [...disk].map(([name, bytes]) => `${name} ${(bytes / count).toFixed(0)}`).join(', ');
    console.log(`million, ${when}: on disk ${(sum / count).toFixed(0)} bytes an item (${parts}); ${resident} MB resident, ${memoryBefore} before the first item, ${(((resident - memoryBefore) * 2 ** 20) / count).toFixed(0)} bytes an item; the service alone at most ${mostResident(subject.server.process.pid!)} MB`);
  };

  await fill(subject, file, count, texts);
  await sizes('with its index');
  await recall(subject, 'texts', texts, filters);
  await recall(subject, 'stored items', stored, filters);
  await newFilters(subject, texts.slice(0, 100));
  await facets(subject);
  await listing(subject);
  await deepPages(subject, texts.slice(0, pagedQueries));
  await sizes('after the searches');

  const probe = await probeOf(subject, stored[0]!, String(rows[0]!));
  await stop(subject.server);
  console.log(`million, on disk after a clean stop: ${((total(await bytesIn(indexDir)) - total(diskBefore)) / count).toFixed(0)} bytes an item`);
  subject = await startAgain('a clean stop', start, probe, texts);

  // The newest are what a kill could lose.
  await subject.client.addItems(collection, await file.items(count, addedBeforeKill));
  const newest = await probeOf(subject, await file.embedding(count), String(count));
  await subject.server.kill();
  subject = await startAgain('SIGKILL', start, newest, texts);
  await sizes('after both');
}

/** By the names of what lies in it. */
async function bytesIn(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const [name] = path.relative(folder, file).split(path.sep) as [string];
    const size = await stat(file).then((each) => each.size, () => 0);
    sizes.set(name, (sizes.get(name) ?? 0) + size);
  }
  return sizes;
}

const total = (sizes: Map<string, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0);
