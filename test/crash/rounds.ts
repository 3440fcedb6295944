import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { copyTwoModels } from '../model-based/inputs.js';
import { runMixspace, startServer, type RunningServer } from '../server.js';
import { Audit } from './audit.js';
import { Backups, type Backup } from './backups.js';
import { Classifiers } from './classifiers.js';
import { itemOf } from './contents.js';
import { count, toldCounts, type Counts } from './counts.js';
import { cellsAreReady } from './cells.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { comesTrue, drawMoment, type Moment } from './moments.js';
import { Random } from './random.js';
import type { RoundRecord } from './record.js';
import { models, Reembeddings } from './reembeddings.js';
import { divided, goingOver, type CrashSize } from './sizes.js';

export interface CrashOptions {
  /** That end with a kill. */
  rounds: number;
  /** The number of the first one; what a round does by choice follows from seed and number. */
  first?: number;
  seed: number;
  size: CrashSize;
  say: (line: string) => void;
  /** When a round is over. */
  keep?: (record: RoundRecord) => Promise<void>;
}

const mostWritesBefore = 600;
/** Of the rounds, those whose backup is restored; of the starts, those with so little memory that fields and embeddings are read from disk. */
const shareRestored = 0.1;
const shareOfLittleMemory = 0.25;
const littleMemory = { columnBytes: 50_000, vectorCacheBytes: 100_000 };

/** Kills the service again and again, and compares what is left with what was answered. */
export async function crash(options: CrashOptions): Promise<RoundRecord[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-crash-'));
  const run = new CrashRun(folder, options);
  try {
    return await run.run();
  } finally {
    await run.end();
    await rm(folder, { recursive: true, force: true });
  }
}

class CrashRun {
  readonly #folder: string;
  readonly #options: CrashOptions;
  readonly #ledgers: Record<string, Ledger>;
  readonly #backups: Backups;
  readonly #reembeddings = new Reembeddings(goingOver);
  readonly #classifiers = new Classifiers();
  readonly #records: RoundRecord[] = [];
  #dimension = 0;
  #server!: RunningServer;
  /** Nothing is known of what is there, so no round can follow. */
  #isBrokenOff = false;

  constructor(folder: string, options: CrashOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#ledgers = Object.fromEntries(Object.keys(options.size.places).map((name) => [name, new Ledger()]));
    this.#backups = new Backups(folder, Object.values(this.#ledgers));
  }

  async run(): Promise<RoundRecord[]> {
    const { rounds, first = 1, seed } = this.#options;
    await copyTwoModels(path.join(this.#folder, 'models'));
    await mkdir(this.#indexDir);
    await this.#start(Random.named(`${seed}`));
    await this.#fill(Random.named(`${seed}-${first}-first`));
    let kills = 0;
    for (let round = first; kills < rounds && !this.#isBrokenOff; round++) {
      const random = Random.named(`${seed}-${round}`);
      const moment = drawMoment(random);
      const { counts } = await this.#recorded(round, moment, (work) => this.#round(work, { round, moment, random }));
      kills += counts.kills ?? 0;
    }
    if (!this.#isBrokenOff) await this.#recorded(this.#records.at(-1)?.round ?? 0, 'at rest', (work) => this.#reckoning(work));
    return this.#records;
  }

  async end(): Promise<void> {
    await this.#server?.remove();
  }

  async #recorded(round: number, moment: string, work: (record: RoundRecord) => Promise<void>): Promise<RoundRecord> {
    const { seed, say, keep } = this.#options;
    const record: RoundRecord = { round, seed, moment, seconds: 0, counts: {}, faults: [] };
    const began = performance.now();
    try {
      await work(record);
    } catch (error) {
      say(this.#server.logs());
      record.faults.push(`It broke off: ${String((error as Error).stack)}`);
      this.#isBrokenOff = true;
    }
    record.seconds = Math.round((performance.now() - began) / 100) / 10;
    this.#records.push(record);
    for (const fault of record.faults) say(`FAULT: ${fault}`);
    say(`${moment === 'at rest' ? 'at rest' : `round ${round}, ${moment}`}: ${record.seconds} s, ${toldCounts(record.counts)}; ${record.faults.length} faults`);
    await keep?.(record);
    return record;
  }

  /** Enough items for cells, and cells that are saved. */
  async #fill(random: Random): Promise<void> {
    const client = new MixspaceClient({ url: this.#server.url });
    for (const [collection, { newGroup, isCounted, atFirst, tiles }] of Object.entries(this.#options.size.places)) {
      this.#dimension = (await client.createCollection({ name: collection, model: models[0], ...(tiles === undefined ? {} : { tiles }) })).dimensions;
      const ledger = this.#ledgers[collection]!;
      const state = { version: 1, note: 0 };
      for (let there = 0, n = 0; there < atFirst; n++) {
        const ids = newGroup(random, `first-${n}`);
        const outcomes = await client.addItems(collection, ids.map((id) => itemOf(id, state, this.#dimension)));
        if (outcomes.some(({ status }) => status !== 'created')) throw new Error(`Not all of the first items were taken: ${JSON.stringify(outcomes)}`);
        for (const id of ids) {
          ledger.sent(id, state);
          ledger.acknowledged(id, state);
        }
        there += ids.filter(isCounted).length;
      }
    }
    await cellsAreReady(client, divided);
    await this.#server.stop();
    await this.#start(random);
  }

  async #round({ counts, faults }: RoundRecord, { round, moment, random }: { round: number; moment: Moment; random: Random }): Promise<void> {
    const { seed, size } = this.#options;
    const server = this.#server;
    const isRestored = random.next() < shareRestored;
    let isStopped = false;
    const shared = { url: server.url, counts, fault: (sentence: string) => void faults.push(sentence), isStopped: () => isStopped };
    const loads = Object.entries(size.places).map(
      ([collection, place]): Load => new Load({ ...shared, ...place, collection, dimension: this.#dimension, ledger: this.#ledgers[collection]!, name: `${seed}-${round}` }),
    );
    const [load] = loads as [Load];
    const stop = (): void => {
      isStopped = true;
      for (const each of loads) each.stop();
    };
    const work = Promise.all([
      ...loads.map((each) => each.run()),
      this.#backups.run({ ...shared, random: Random.named(`${seed}-${round}-backups`) }),
      this.#reembeddings.run({ ...shared, random: Random.named(`${seed}-${round}-reembeddings`) }),
      this.#classifiers.run({ ...shared, random: Random.named(`${seed}-${round}-classifiers`) }),
    ]);
    const reached = (async () => {
      if (isRestored) await comesTrue('A backup', () => (counts['backups taken'] ?? 0) > 0);
      await this.#untilMoment(moment, { random, load, stop });
    })();
    await Promise.race([work.then(() => reached), reached]);
    stop();
    const isKilled = server.process.exitCode === null;
    await server.kill();
    await work;

    count(counts, 'rounds');
    if (isKilled) {
      count(counts, 'kills');
      if (this.#backups.isRunning) count(counts, 'during a backup');
    }
    faults.push(...(await this.#checked(this.#indexDir, counts)));
    if (isRestored) await this.#restore(this.#backups.latest!, { random, counts, faults });
    await this.#start(random);
    await this.#audit({ counts, faults }, random);
  }

  /** Behind so many writes, however long they take. */
  async #untilMoment(moment: Moment, { random, load, stop }: { random: Random; load: Load; stop: () => void }): Promise<void> {
    const isClosing = moment === 'closing';
    const writes = moment === 'early' ? 0 : random.between(0, mostWritesBefore);
    await comesTrue(`${writes} writes`, () => load.written >= writes, () => load.written);
    if (moment === 'backup') await comesTrue('A backup', () => this.#backups.isRunning);
    if (moment === 'reembedding') await comesTrue('A reembedding', () => this.#reembeddings.isRunning);
    if (isClosing) {
      stop();
      this.#server.process.kill('SIGTERM');
    }
    await sleep(random.between(0, isClosing ? 10 : 60));
  }

  async #audit({ counts, faults }: Pick<RoundRecord, 'counts' | 'faults'>, random: Random): Promise<void> {
    const { size } = this.#options;
    const seen = await new MixspaceClient({ url: this.#server.url }).collection(goingOver);
    if (seen.reembedding?.state === 'running') count(counts, 'during a reembedding');
    const problem = this.#reembeddings.observe(seen, counts);
    if (problem !== undefined) faults.push(problem);
    faults.push(...(await this.#classifiers.observe(this.#server.url)));
    if (existsSync(path.join(this.#indexDir, 'backup.tmp'))) faults.push('What a kill left of a backup is still there after a start.');
    for (const [collection, ledger] of Object.entries(this.#ledgers)) {
      const audit = new Audit({ url: this.#server.url, collection, dimension: this.#dimension, ledger, counts });
      await audit.listing();
      await audit.embeddings();
      await audit.parts(size.places[collection]!.tiles === undefined ? 0 : 4);
      await audit.questions(random, size.questions);
      const older = random.shuffle(ledger.ids()).slice(0, size.olderItemsLookedUp);
      await audit.lookUp(new Set([...ledger.latest(size.answeredLastLookedUp), ...older]));
      faults.push(...audit.faults);
    }
  }

  /** Sentences on what `mixspace check` does not find sound. */
  async #checked(directory: string, counts: Counts): Promise<string[]> {
    const { code, stdout, stderr } = await runMixspace(['check', '--index-dir', directory, '--json']);
    count(counts, 'checks');
    return code === 0 ? [] : [`A check of the stopped directory ends with ${code}: ${stderr}${stdout}`];
  }

  /** Into a directory of its own, where a service must hold what was there when the backup was taken. */
  async #restore({ file, ledgers }: Backup, { random, counts, faults }: { random: Random; counts: Counts; faults: string[] }): Promise<void> {
    const to = path.join(this.#folder, 'restored');
    const { code, stdout, stderr } = await runMixspace(['restore', file, '--index-dir', to]);
    count(counts, 'restored');
    if (code !== 0 || stderr !== '') faults.push(`A restore ends with ${code}: ${stderr}${stdout}`);
    if (code !== 0) return;
    faults.push(...(await this.#checked(to, counts)));
    const restored = await this.#serve(to, random);
    try {
      for (const [at, collection] of Object.keys(this.#ledgers).entries()) {
        const audit = new Audit({ url: restored.url, collection, dimension: this.#dimension, ledger: ledgers[at]!, counts });
        await audit.listing();
        await audit.embeddings();
        await audit.questions(random, 2);
        await audit.lookUp(random.shuffle(ledgers[at]!.ids()).slice(0, this.#options.size.olderItemsLookedUp));
        faults.push(...audit.faults.map((fault) => `Restored, ${fault}`));
      }
    } finally {
      await restored.remove();
      await rm(to, { recursive: true, force: true });
    }
  }

  /** When all is at rest, in cells. */
  async #reckoning({ counts, faults }: RoundRecord): Promise<void> {
    const client = new MixspaceClient({ url: this.#server.url });
    await cellsAreReady(client, divided);
    let isGoing = true;
    while (isGoing) {
      const seen = await client.collection(goingOver);
      const problem = this.#reembeddings.observe(seen, counts);
      if (problem !== undefined) faults.push(problem);
      isGoing = seen.reembedding?.state === 'running';
      if (isGoing) await sleep(50);
    }
    const random = Random.named(`${this.#options.seed}-end`);
    for (const [collection, ledger] of Object.entries(this.#ledgers)) {
      const audit = new Audit({ url: this.#server.url, collection, dimension: this.#dimension, ledger, counts });
      await audit.listing();
      await audit.lookUp(random.shuffle(ledger.ids()).slice(0, this.#options.size.atTheEnd));
      faults.push(...audit.faults);
    }
    await this.#server.stop();
    faults.push(...(await this.#checked(this.#indexDir, counts)));
  }

  async #start(random: Random): Promise<void> {
    this.#server = await this.#serve(this.#indexDir, random);
  }

  async #serve(indexDir: string, random: Random): Promise<RunningServer> {
    const env = { MIXSPACE_WORKERS: '1', MIXSPACE_MODELS_DIR: path.join(this.#folder, 'models'), MIXSPACE_MODEL: models[0], LOG_LEVEL: 'warn' };
    const store = { ...this.#options.size.store, ...(random.next() < shareOfLittleMemory ? littleMemory : {}) };
    return startServer({ indexDir, env, store, patience: 300_000 });
  }

  get #indexDir(): string {
    return path.join(this.#folder, 'index');
  }
}
