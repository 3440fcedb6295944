import type { ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer, type RunningServer, type ServerOptions } from '../server.js';
import { Audit, type Findings } from './audit.js';
import { idsOf, itemOf } from './contents.js';
import { graphIsReady, patienceMs } from './graph.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { Random } from './random.js';

export interface CrashOptions {
  rounds: number;
  seed: number;
  size: CrashSize;
  say: (line: string) => void;
}

export interface CrashReport extends Findings {
  kills: number;
  /** Kills that left a half-written snapshot behind. */
  killsDuringSnapshot: number;
  seconds: number;
}

/** `anytime`: whatever the service is doing. `snapshot`: an ingest has made a snapshot due. `closing`: SIGTERM has. */
type Moment = 'anytime' | 'snapshot' | 'closing';

export interface CrashSize {
  /** Settings of the store; left out: its own. */
  store?: NonNullable<ServerOptions['store']>;
  /** A little above the number from which on the store builds a graph. */
  itemsAtFirst: number;
  itemsAtLeast: number;
  itemsAtMost: number;
  /** Changes after which the store saves its graph, and some more. */
  changesUntilSnapshot: number;
  /** After each restart the listing compares every item; these are looked up one by one as well. */
  answeredLastLookedUp: number;
  olderItemsLookedUp: number;
  /** Items looked up one by one at the end, chosen by chance; left out: every one there ever was. */
  atTheEnd?: number;
}

/** With the store's own settings, but for a graph, and its snapshots, that come sooner. */
export const asServed: CrashSize = { store: { cellsFrom: 5_000 }, itemsAtFirst: 5_600, itemsAtLeast: 5_400, itemsAtMost: 12_000, changesUntilSnapshot: 5_400, answeredLastLookedUp: 300, olderItemsLookedUp: 100 };
/** A tenth of that, with graphs that come and are saved as much earlier. */
export const aTenth: CrashSize = {
  store: { cellsFrom: 500 },
  itemsAtFirst: 560,
  itemsAtLeast: 540,
  itemsAtMost: 1_200,
  changesUntilSnapshot: 540,
  answeredLastLookedUp: 150,
  olderItemsLookedUp: 50,
  atTheEnd: 300,
};

const collection = 'crash';
/** Of a big graph, the share of its items that must have changed before it is saved. */
const shareUntilSnapshot = 0.22;
const changesWorthSaving = 100;

/** Kills the service again and again, and compares what is left with what was answered. */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const indexDir = await mkdtemp(path.join(tmpdir(), 'mixspace-crash-'));
  try {
    return await new CrashRun(indexDir, options).run();
  } finally {
    await rm(indexDir, { recursive: true, force: true });
  }
}

class CrashRun {
  readonly #indexDir: string;
  readonly #options: CrashOptions;
  readonly #random: Random;
  readonly #ledger = new Ledger();
  readonly #report: CrashReport = { kills: 0, killsDuringSnapshot: 0, checked: 0, searched: 0, throughGraph: 0, losses: [], seconds: 0 };
  #dimension = 0;

  constructor(indexDir: string, options: CrashOptions) {
    this.#indexDir = indexDir;
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  async run(): Promise<CrashReport> {
    const began = performance.now();
    await this.#withServer((server) => this.#fill(server));
    const moments = momentsOf(this.#options.rounds, this.#random);
    for (let round = 1; this.#report.kills < this.#options.rounds; round++) {
      await this.#withServer((server) => this.#round(server, round, moments[round - 1] ?? 'anytime'));
    }
    await this.#withServer((server) => this.#reckoning(server));
    this.#report.seconds = Math.round((performance.now() - began) / 1000);
    return this.#report;
  }

  /** Enough items for a graph, and a graph that is saved. */
  async #fill(server: RunningServer): Promise<void> {
    const client = new MixspaceClient({ url: server.url });
    this.#dimension = (await client.createCollection({ name: collection })).dimensions;
    const batch = 400;
    for (let from = 0; from < this.#options.size.itemsAtFirst; from += batch) {
      const ids = Array.from({ length: batch / 40 }, (_, i) => idsOf(`first-${from / batch}-${i}`, 0, 40)).flat();
      const state = { version: 1, note: 0 };
      await client.addItems(collection, ids.map((id) => itemOf(id, state, this.#dimension)));
      for (const id of ids) {
        this.#ledger.sent(id, state);
        this.#ledger.acknowledged(id, state);
      }
    }
    await graphIsReady(client, collection);
    await server.stop();
  }

  async #round(server: RunningServer, round: number, moment: Moment): Promise<void> {
    const { size } = this.#options;
    await this.#audit(server, async (audit) => {
      await audit.listing();
      const older = this.#random.shuffle(this.#ledger.ids()).slice(0, size.olderItemsLookedUp);
      await audit.lookUp(new Set([...this.#ledger.latest(size.answeredLastLookedUp), ...older]));
    });

    const load: Load = new Load({
      url: server.url,
      collection,
      dimension: this.#dimension,
      ledger: this.#ledger,
      name: `${this.#options.seed}-${round}`,
      lanes: 3,
      atLeast: size.itemsAtLeast,
      atMost: size.itemsAtMost,
      // A graph is saved only when it has caught up.
      pause: () => (moment === 'snapshot' && load.written > Math.max(size.changesUntilSnapshot, load.embeddings * shareUntilSnapshot) ? 300 : 0),
    });
    const running = load.run();
    const reached = this.#untilMoment(server, load, moment);
    await Promise.race([running.then(() => reached), reached]);
    load.stop();
    const closed = server.process.exitCode !== null;
    await server.kill();
    await running;
    if (closed) return this.#options.say(`round ${round}: closed without a snapshot to write, which is no kill`);

    const torn = (await readdir(this.#snapshots)).some((name) => name.endsWith('.tmp'));
    this.#report.kills++;
    if (torn) this.#report.killsDuringSnapshot++;
    this.#options.say(
      `round ${round}: killed ${torn ? 'while a snapshot was written' : 'in the middle of writes'} (${moment}), ${load.written} items written, ${this.#report.losses.length} losses so far`,
    );
  }

  async #untilMoment(server: RunningServer, load: Load, moment: Moment): Promise<void> {
    if (moment === 'anytime') return sleep(this.#random.between(20, 1_500));
    const begun = snapshotBegins(this.#snapshots, server.process, () => `${moment}: ${load.written} items written, ${load.embeddings} embeddings`);
    if (moment === 'closing') {
      await sleep(this.#random.between(200, 800));
      while (load.written < changesWorthSaving) await sleep(10);
      load.stop();
      server.process.kill('SIGTERM');
    }
    await begun;
    await sleep(this.#random.between(0, 10));
  }

  /** When all is at rest, through the graph. */
  async #reckoning(server: RunningServer): Promise<void> {
    await graphIsReady(new MixspaceClient({ url: server.url }), collection);
    await this.#audit(server, async (audit) => {
      await audit.listing();
      await audit.lookUp(this.#random.shuffle(this.#ledger.ids()).slice(0, this.#options.size.atTheEnd));
    });
    await server.stop();
  }

  async #audit(server: RunningServer, work: (audit: Audit) => Promise<void>): Promise<void> {
    const audit = new Audit({ url: server.url, collection, dimension: this.#dimension, ledger: this.#ledger });
    await work(audit);
    this.#report.checked += audit.findings.checked;
    this.#report.searched += audit.findings.searched;
    this.#report.throughGraph += audit.findings.throughGraph;
    for (const loss of audit.findings.losses) {
      this.#report.losses.push(loss);
      this.#options.say(`LOST: ${loss}`);
    }
  }

  async #withServer(work: (server: RunningServer) => Promise<void>): Promise<void> {
    const { store } = this.#options.size;
    const server = await startServer({ indexDir: this.#indexDir, env: { MIXSPACE_WORKERS: '1' }, patience: 300_000, ...(store && { store }) });
    try {
      await work(server);
    } catch (error) {
      this.#options.say(server.logs());
      throw error;
    } finally {
      await server.remove();
    }
  }

  get #snapshots(): string {
    return path.join(this.#indexDir, 'snapshots');
  }
}

/** Three of eight lie in a snapshot; when which comes is chance. */
function momentsOf(rounds: number, random: Random): Moment[] {
  return random.shuffle(Array.from({ length: rounds }, (_, i) => (i % 8 === 1 ? 'snapshot' : i % 4 === 2 ? 'closing' : 'anytime')));
}

/** Or the service ends: a graph that is being built anew is not saved. */
async function snapshotBegins(directory: string, service: ChildProcess, state: () => string): Promise<void> {
  const watcher = watch(directory);
  try {
    await new Promise<void>((resolve, reject) => {
      service.once('exit', () => resolve());
      watcher.on('change', (_, name) => String(name).endsWith('.hnsw.tmp') && resolve());
      setTimeout(() => reject(new Error(`No snapshot was begun in time (${state()}).`)), patienceMs).unref();
    });
  } finally {
    watcher.close();
  }
}
