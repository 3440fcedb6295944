/** One seed: a service, a model of it, and operations drawn one after the other. */
import { Random } from '../crash/random.js';
import { Divergence, expectThat } from './divergence.js';
import type { Inputs } from './inputs.js';
import { creation, deletion, interrupt, sideBySide, verify } from './interruptions.js';
import * as reads from './reads.js';
import { step as reembedStep, untilItEnds } from './reembeddings.js';
import { Service } from './service.js';
import { World, type Profile, type Tally } from './world.js';
import { add, patch, remove, removeWhere, upload, type Write } from './writes.js';

export interface SeedResult extends Tally {
  seed: number;
  profile: string;
  steps: number;
  seconds: number;
  /** Operations by name. */
  drawn: Record<string, number>;
  /** Sentences: where, what was expected, what was seen. */
  divergence?: string;
}

/** Few items, as anybody has; cells from fifty on, which are lost or damaged now and then; so many that they are compared in memory, which is too small for all. */
const profiles: Profile[] = [
  { name: 'small', ids: 150, batch: 40 },
  { name: 'cells', ids: 1_200, batch: 150, store: { cellsFrom: 50 } },
  { name: 'memory', ids: 1_500, batch: 120, store: { cellsFrom: 1_000_000, vectorCacheBytes: 300_000 } },
];
export const profileNames = profiles.map(({ name }) => name);
const leastRecall = 0.95;
const recallCounts = 30;

export async function runSeed(options: { seed: number; steps: number; inputs: Inputs; profile?: string; say?: (line: string) => void }): Promise<SeedResult> {
  const { seed, steps, inputs, say } = options;
  const profile = profiles.find(({ name }) => name === options.profile) ?? profiles[seed % profiles.length]!;
  const began = performance.now();
  const service = await Service.start(inputs.env, profile.store);
  const world = new World(inputs, service, profile, Random.named(`${seed}`));
  const latest: string[] = [];
  let step = 0;
  let name = '';
  const drawn: Record<string, number> = {};
  const result = (): SeedResult => ({ ...world.tally, seed, profile: profile.name, steps: step, drawn, seconds: Math.round((performance.now() - began) / 100) / 10 });
  try {
    for (step = 1; step <= steps; step++) {
      const random = Random.named(`${seed}/${step}`);
      const operation = drawOperation(random, profile);
      name = operation.name;
      drawn[name] = (drawn[name] ?? 0) + 1;
      const told = await operation.run(random, world);
      latest.push(`${step} ${told ?? name}`.slice(0, 400));
      say?.(latest.at(-1)!);
      if (latest.length > 12) latest.shift();
    }
    step = steps;
    name = 'end';
    for (const shelf of world.shelves.values()) await untilItEnds(world, shelf);
    await verify(Random.named(`${seed}/end`), world);
    const { recall } = world.tally;
    const mean = recall.reduce((sum, each) => sum + each, 0) / recall.length;
    expectThat(`Recall of ${recall.length} approximate answers is at least ${leastRecall}`, recall.length < recallCounts || mean >= leastRecall, mean);
    return result();
  } catch (error) {
    const why = error instanceof Divergence ? error.message : String((error as Error).stack ?? error);
    return { ...result(), divergence: `seed ${seed}, step ${step} (${name}): ${why}\n  before it:\n    ${latest.join('\n    ')}\n  the service's log: ${service.logs().slice(-1_500)}\n  again: npm run model -- --seed ${seed} --steps ${step}` };
  } finally {
    await service.remove();
  }
}

interface Operation {
  name: string;
  /** Of so many in a thousand. */
  weight: number;
  run(random: Random, world: World): Promise<string | void>;
}

const write =
  (draw: (random: Random, world: World, shelf: ReturnType<World['drawShelf']>) => Write) =>
  async (random: Random, world: World): Promise<string> => {
    const drawn = draw(random, world, world.drawShelf(random));
    drawn.settle(await drawn.send());
    return drawn.name;
  };
const read =
  (run: (random: Random, world: World, shelf: ReturnType<World['drawShelf']>) => Promise<void>) =>
  (random: Random, world: World): Promise<void> =>
    run(random, world, world.drawShelf(random));

const operations: Operation[] = [
  { name: 'add', weight: 230, run: write(add) },
  { name: 'upload', weight: 25, run: (random, world) => uploadSomewhere(random, world) },
  { name: 'patch', weight: 80, run: write(patch) },
  { name: 'delete', weight: 60, run: write(remove) },
  { name: 'delete where', weight: 15, run: write(removeWhere) },
  { name: 'exists', weight: 30, run: read(reads.exists) },
  { name: 'get', weight: 70, run: read(reads.get) },
  { name: 'list', weight: 50, run: read(reads.list) },
  { name: 'image', weight: 25, run: read(reads.image) },
  { name: 'search', weight: 220, run: read(reads.search) },
  { name: 'pages', weight: 35, run: read(reads.pages) },
  { name: 'collections', weight: 30, run: (_, world) => reads.collections(world) },
  { name: 'create collection', weight: 12, run: (random, world) => comeOrGo(random, world, true) },
  { name: 'delete collection', weight: 3, run: (random, world) => comeOrGo(random, world, false) },
  { name: 'reembed', weight: 14, run: (random, world) => reembedSomewhere(random, world) },
  { name: 'side by side', weight: 45, run: sideBySide },
  { name: 'SIGKILL', weight: 3, run: (random, world) => interrupt(random, world, 'SIGKILL') },
  { name: 'SIGTERM', weight: 1, run: (random, world) => interrupt(random, world, 'SIGTERM') },
];
export const operationNames = operations.map(({ name }) => name);
/** Cells that are sought anew with each other space grow old nowhere. */
const weightIn = ({ store }: Profile, { name, weight }: Operation): number => (store && name === 'reembed' ? weight / 8 : weight);

function drawOperation(random: Random, profile: Profile): Operation {
  let at = random.next() * operations.reduce((sum, operation) => sum + weightIn(profile, operation), 0);
  return operations.find((operation) => (at -= weightIn(profile, operation)) < 0) ?? operations[0]!;
}

async function uploadSomewhere(random: Random, world: World): Promise<string | void> {
  const shelf = world.drawShelf(random);
  if (shelf.isOnItsWay && shelf.originals === 'thumbnail') return;
  const drawn = upload(random, world, shelf);
  drawn.settle(await drawn.send());
  return drawn.name;
}

async function comeOrGo(random: Random, world: World, comes: boolean): Promise<string | void> {
  const others = [...world.shelves.values()].filter(({ name }) => name !== 'default');
  const drawn = comes ? creation(random, world) : others.length > 1 ? deletion(world, random.pick(others)) : undefined;
  drawn?.settle(await drawn.send());
  return drawn?.name;
}

/** One on its way is taken on first. */
async function reembedSomewhere(random: Random, world: World): Promise<string> {
  const underWay = [...world.shelves.values()].filter(({ reembedding }) => reembedding);
  const shelf = underWay.length > 0 && random.next() < 0.7 ? random.pick(underWay) : world.drawShelf(random);
  const before = JSON.stringify(shelf.reembedding);
  await reembedStep(random, world, shelf);
  return `reembed ${shelf.name}: ${before} -> ${JSON.stringify(shelf.reembedding)} in ${shelf.space.model}`;
}
