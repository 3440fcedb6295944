import { exec } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { call } from '../api.js';
import { Audit } from '../crash/audit.js';
import type { Counts } from '../crash/counts.js';
import { idsOf, itemOf } from '../crash/contents.js';
import { Ledger } from '../crash/ledger.js';
import { Random } from '../crash/random.js';
import { models } from '../crash/reembeddings.js';
import { copyTwoModels } from '../model-based/inputs.js';
import { repository } from '../server.js';
import { count, Door, told, type Statuses } from './door.js';
import { Fleet, type Replica } from './fleet.js';
import { GoingOver } from './going-over.js';
import { Gate, Lane } from './lane.js';
import { Trace } from './trace.js';

export interface ReplicasOptions {
  /** Of the server, with a database that may be written to. */
  server: string;
  replicas: number;
  kills: number;
  /** Of replicas, which stand still for longer than a lease lasts, and go on. */
  pauses: number;
  /** Of the server, by the command. */
  restarts: number;
  restartCommand?: string;
  /** Then it ends, whatever is left. */
  minutes: number;
  seed: number;
  say: (line: string) => void;
}

const given = 'given';
const over = 'again';
const lanes = { [given]: 3, [over]: 2 };
/** So that a reembedding is met under way. */
const paceMs = 50;
const itemsAtFirst = 600;
const auditEvery = 10;
/** Of the kills, those of all replicas at once. */
const shareOfAll = 0.1;
/** Milliseconds that a replica stands still: its jobs are others' by then. */
const pauseMs = 18_000;
/** Milliseconds within which a replica must be ready again after the server is. */
const recoveryMs = 30_000;

type Event = 'kill' | 'pause' | 'restart';

/** Kills replicas, and the server, under load; the number of faults. */
export async function runReplicas(options: ReplicasOptions): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-replicas-'));
  const store = new URL(options.server);
  store.searchParams.set('schema', `r_${randomBytes(6).toString('hex')}`);
  const run = new Run(folder, store.href, options);
  try {
    return await run.run();
  } finally {
    await run.end();
    await rm(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #options: ReplicasOptions;
  readonly #folder: string;
  readonly #fleet: Fleet;
  readonly #door: Door;
  readonly #trace: Trace;
  readonly #random: Random;
  readonly #ledgers = { [given]: new Ledger(), [over]: new Ledger() };
  readonly #gate = new Gate();
  readonly #done: Record<string, number> = {};
  readonly #counts: Counts = {};
  readonly #began = performance.now();
  #dimension = 0;
  #lanes: Lane[] = [];
  #starts: Promise<Replica>[] = [];
  #faults = 0;

  constructor(folder: string, store: string, options: ReplicasOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#random = Random.named(`${options.seed}`);
    this.#trace = new Trace(store);
    const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(repository, 'test/paced-encoder.mjs')).href}`, PACE_MS: String(paceMs) };
    const env = { MIXSPACE_WORKERS: '1', MIXSPACE_CACHE: '0', MIXSPACE_STORE_CONNECTIONS: '6', MIXSPACE_MODELS_DIR: path.join(folder, 'models'), MIXSPACE_MODEL: models[0], LOG_LEVEL: 'warn', ...paced };
    this.#fleet = new Fleet({ folder, store, env, replicas: options.replicas, fault: (sentence) => this.#fault(sentence) });
    this.#door = new Door(this.#fleet, (sentence) => this.#fault(sentence));
  }

  async run(): Promise<number> {
    const { say, replicas, minutes } = this.#options;
    await mkdir(path.join(this.#folder, 'models'));
    await copyTwoModels(path.join(this.#folder, 'models'));
    // All at once: one of them makes the tables.
    await Promise.all(this.#fleet.numbers.map((number) => this.#fleet.start(number)));
    await this.#trace.install();
    const goingOver = await this.#fill();
    say(`${replicas} replicas are ready, after ${this.#seconds} s`);
    const work = Promise.all([...this.#lanes.map((lane) => lane.run(this.#gate)), goingOver.reembed(this.#gate), goingOver.probe(this.#gate, 'probe 1'), goingOver.probe(this.#gate, 'probe 2')]);
    let broken: unknown;
    work.catch((error: unknown) => (broken = error));
    let kills = 0;
    for (const [at, event] of this.#events().entries()) {
      await sleep(this.#random.between(300, 3_000));
      if (broken !== undefined || Number(this.#seconds) > minutes * 60) break;
      const [faults, statuses] = [this.#faults, { ...this.#door.statuses }];
      const what = event === 'kill' ? await this.#kill() : event === 'pause' ? await this.#pause() : await this.#restart();
      say(`${at + 1}: ${what}, at ${this.#seconds} s${goingOver.isRunning ? ', during a reembedding' : ''}; answers ${told(since(statuses, this.#door.statuses))}; ${this.#faults - faults} faults`);
      if (event === 'kill') count(this.#done, goingOver.isRunning ? 'kills during a reembedding' : 'kills at other times');
      if (event === 'kill' && ++kills % auditEvery === 0) await this.#audit(`after ${kills} kills`);
    }
    this.#gate.isOver = true;
    await work.catch((error: unknown) => this.#fault(`It broke off: ${String((error as Error).stack)}`));
    await this.#audit('at the end');
    const { faults, takenOver, batches } = await this.#trace.faults(goingOver.jobs);
    for (const fault of faults) this.#fault(fault);
    say(`in all, in ${this.#seconds} s: ${told(this.#done)}`);
    say(`answers: ${told(this.#door.statuses)}`);
    for (const [sentence, times] of Object.entries(this.#door.refusals)) say(`503, ${times} times: ${sentence}`);
    say(`reembeddings: ${batches} batches, jobs taken over ${takenOver} times; starts that failed: ${this.#fleet.failedStarts}`);
    say(`compared: ${told(this.#counts)}`);
    say(`${this.#faults} faults`);
    return this.#faults;
  }

  async end(): Promise<void> {
    await this.#fleet.end();
    await this.#trace.drop();
  }

  async #fill(): Promise<GoingOver> {
    const { seed } = this.#options;
    for (const name of [given, over]) {
      const { body } = await this.#door.send(this.#random, { method: 'POST', path: '/v1/collections', body: { name, model: models[0] } });
      this.#dimension = body.dimensions;
    }
    const shared = { door: this.#door, done: this.#done, fault: (sentence: string): void => this.#fault(sentence) };
    const goingOver = new GoingOver({ ...shared, collection: over, ledger: this.#ledgers[over] });
    await goingOver.prepare();
    const groups = {
      [given]: (random: Random, name: string): string[] => idsOf(name, 0, random.between(1, 12)),
      [over]: (random: Random, name: string): string[] => idsOf(name, random.between(2, 6), 0, random.between(0, 1)),
    };
    for (const name of [given, over] as const) {
      for (let n = 0; n < lanes[name]; n++) this.#lanes.push(new Lane({ ...shared, collection: name, dimension: this.#dimension, ledger: this.#ledgers[name], name: `${seed}-${name}-${n}`, newGroup: groups[name], atMost: 40 }));
    }
    await this.#ballast();
    return goingOver;
  }

  /** Texts that stay as they are: enough that a reembedding takes its time. */
  async #ballast(): Promise<void> {
    const state = { version: 1, note: 0 };
    const ids = idsOf('ballast', itemsAtFirst, 0);
    for (const id of ids) this.#ledgers[over].sent(id, state);
    for (let from = 0; from < ids.length; from += 200) await this.#door.send(this.#random, { method: 'POST', path: `/v1/collections/${over}/items`, body: { items: ids.slice(from, from + 200).map((id) => itemOf(id, state, 0)) } });
    for (const id of ids) this.#ledgers[over].acknowledged(id, state);
  }

  #events(): Event[] {
    const { kills, pauses, restarts } = this.#options;
    return this.#random.shuffle([...Array<Event>(kills).fill('kill'), ...Array<Event>(pauses).fill('pause'), ...Array<Event>(restarts).fill('restart')]);
  }

  /** One of them, now and then all; those that were killed before may still be starting. */
  async #kill(): Promise<string> {
    while (this.#fleet.living.length < Math.min(2, this.#options.replicas)) await sleep(50);
    const all = this.#fleet.living;
    const chosen = this.#random.next() < shareOfAll ? all : [this.#random.pick(all)];
    await Promise.all(chosen.map((replica) => this.#fleet.kill(replica)));
    for (const { server, name, number } of chosen) {
      this.#readLog(name, server.logs());
      this.#starts.push(sleep(this.#random.between(0, 1_500)).then(() => this.#fleet.start(number)));
    }
    return `kill of ${chosen.map(({ name }) => name).join(', ')}, ${all.length - chosen.length} live`;
  }

  /** Whoever was killed is ready again. */
  async #allLive(): Promise<void> {
    await Promise.all(this.#starts.splice(0));
  }

  /** It stands still, with whatever it holds and was about to write, and goes on as if nothing had been. */
  async #pause(): Promise<string> {
    await this.#allLive();
    const replica = this.#random.pick(this.#fleet.living);
    replica.server.process.kill('SIGSTOP');
    await sleep(pauseMs);
    replica.server.process.kill('SIGCONT');
    return `${replica.name} stood still for ${pauseMs / 1000} s`;
  }

  async #restart(): Promise<string> {
    await this.#allLive();
    const seen: Statuses = {};
    let isOver = false;
    const watching = Promise.all(
      this.#fleet.living.map(async (replica) => {
        while (!isOver) {
          count(seen, String(await readiness(replica)));
          await sleep(200);
        }
      }),
    );
    const began = performance.now();
    await promisify(exec)(this.#options.restartCommand!, { timeout: 120_000 });
    const back = performance.now();
    for (const replica of this.#fleet.living) {
      // A request that the database must answer.
      for (;;) {
        const answer = await call(replica.server.url, 'GET', '/v1/collections').catch(() => undefined);
        if (answer?.status === 200) break;
        if (answer?.status !== 503) this.#fault(`${replica.name} answers ${answer?.status ?? 'nothing'} while the server is away.`);
        if (performance.now() - back > recoveryMs) {
          this.#fault(`${replica.name} has not recovered ${recoveryMs / 1000} s after the server.`);
          break;
        }
        await sleep(100);
      }
    }
    const recovered = performance.now();
    for (const replica of this.#fleet.living) {
      while ((await readiness(replica)) !== 200) {
        if (performance.now() - back > recoveryMs) {
          this.#fault(`${replica.name} is not ready ${recoveryMs / 1000} s after the server.`);
          break;
        }
        await sleep(200);
      }
    }
    isOver = true;
    await watching;
    return `stop of the server for ${((back - began) / 1000).toFixed(1)} s, all answer ${((recovered - back) / 1000).toFixed(1)} s later, ready tells ${told(seen)}`;
  }

  /** While nobody writes: every item at each replica. */
  async #audit(when: string): Promise<void> {
    const began = performance.now();
    const before = this.#faults;
    await this.#allLive();
    if (!this.#gate.isOver) this.#gate.close();
    while (!this.#gate.isOver && !this.#lanes.every((lane) => lane.isResting)) await sleep(20);
    let compared = 0;
    for (const { server, name } of this.#fleet.living) {
      for (const collection of [given, over] as const) {
        const audit = new Audit({ url: server.url, collection, dimension: this.#dimension, ledger: this.#ledgers[collection], counts: this.#counts });
        await audit.listing();
        await audit.embeddings();
        await audit.parts(0);
        await audit.lookUp(new Set([...this.#ledgers[collection].latest(10), ...this.#random.shuffle(this.#ledgers[collection].ids()).slice(0, 10)]));
        for (const fault of audit.faults) this.#fault(`${when}, at ${name}: ${fault}`);
        compared += this.#ledgers[collection].ids().length;
      }
    }
    this.#options.say(`${when}: ${compared.toLocaleString('en')} items compared in ${((performance.now() - began) / 1000).toFixed(1)} s; ${this.#faults - before} faults`);
    if (!this.#gate.isOver) this.#gate.open();
  }

  #readLog(name: string, log: string): void {
    for (const line of log.split('\n')) if (/"level":"error"|"internal"/.test(line)) this.#fault(`${name} logged: ${line.slice(0, 600)}`);
  }

  #fault(sentence: string): void {
    this.#faults++;
    this.#options.say(`FAULT: ${sentence}`);
  }

  get #seconds(): string {
    return ((performance.now() - this.#began) / 1000).toFixed(0);
  }
}

const readiness = ({ server }: Replica): Promise<number | string> => call(server.url, 'GET', '/readyz').then(({ status }) => status, () => 'broken');

const since = (before: Statuses, after: Statuses): Statuses => Object.fromEntries(Object.entries(after).map(([status, n]) => [status, n - (before[status] ?? 0)]));
