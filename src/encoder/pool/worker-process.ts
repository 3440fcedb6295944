import { spawn, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { PassThrough, type Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { cHeapSettings } from '../../c-heap.js';
import type { Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { keyOf, type ModelPackage } from '../package/model-package.js';
import { Channel } from '../protocol/channel.js';
import type { FailedReply, LoadedReply, Reply, ReplyBody, Request, RequestBody, Usage, WorkerSettings } from '../protocol/messages.js';
import { Guard } from './orphan-guard.js';

/** What a worker makes in JavaScript is small or short-lived; what V8 would take for it by itself is 32 MB. */
const youngMegabytes = '--max-semi-space-size=4';

/** Starts a process that talks through its file descriptor 3. */
export type StartWorker = (settings: WorkerSettings) => ChildProcess;

/**
 * A worker is a process, not a thread: a native decoder that crashes or hangs ends nothing but itself, and only a process
 * can be ended while native code runs.
 */
export function startWorkerFrom(file: URL, nodeOptions: string[] = []): StartWorker {
  const guard = new Guard();
  return (settings) => {
    const child = spawn(process.execPath, ['--expose-gc', youngMegabytes, ...nodeOptions, fileURLToPath(file), JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      env: {
        ...cHeapSettings,
        // A heap for each of the threads that decode and infer in turn would keep what each has freed.
        MALLOC_ARENA_MAX: '2',
        ...process.env,
        // ONNX Runtime sends usage to its maker from version 1.29 on, unless this is set when its library is loaded.
        ORT_DISABLE_TELEMETRY: '1',
      },
    });
    yieldToService(child);
    guard.watch(child);
    return child;
  };
}

/** Workers can take every core for as long as there is work: whoever answers and writes must not wait for them. Threads inherit it. */
function yieldToService({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

export const startWorker: StartWorker = startWorkerFrom(new URL('../worker/worker.js', import.meta.url));

/** A worker that ended; what it was asked is not answered. */
export class WorkerDied extends Error {
  /** It was ended because an answer took longer than it may. */
  readonly timedOut: boolean;

  constructor(message: string, timedOut = false) {
    super(message);
    this.timedOut = timedOut;
  }
}

interface Question {
  kind: RequestBody['kind'];
  resolve: (reply: ReplyBody) => void;
  reject: (error: Error) => void;
  /** Milliseconds of `performance.now()`. */
  deadline: number;
}

/** Milliseconds that reading, loading or unloading a model may take: a large one from a slow disk takes minutes, a disk that hangs never ends. */
const modelMs = 600_000;

export interface HeldTower {
  model: ModelPackage;
  modality: Modality;
}

function towerKey(model: ModelPackage, modality: Modality): string {
  return `${keyOf(model)} ${modality}`;
}

/** One worker, the towers it holds, and the questions it has not answered yet. */
export class WorkerProcess {
  /** Settles when the process has ended, however it ended; says how. */
  readonly ended: Promise<string>;
  /** As of its last answer. */
  usage: Usage = { residentBytes: 0, cpuSeconds: 0 };
  readonly #process: ChildProcess;
  readonly #channel: Channel<Request>;
  readonly #questions = new Map<number, Question>();
  readonly #towers = new Map<string, HeldTower & { loading: Promise<LoadedReply> }>();
  #lastTicket = 0;
  /** Settles when every load that was asked for has come to an end. */
  #loaded: Promise<unknown> = Promise.resolve();
  /** Told when no question is open. */
  #whenQuiet: (() => void)[] = [];
  #dead = false;
  /** Why it was ended from here. */
  #endedFor: 'time' | 'nonsense' | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  readonly #modelMs: number;

  constructor(start: StartWorker, settings: WorkerSettings, limitMs = modelMs) {
    this.#modelMs = limitMs;
    this.#process = start(settings);
    // Without file descriptors left there is no process, and an `error` follows.
    const stream = (this.#process.stdio as readonly unknown[] | undefined)?.[3] ?? new PassThrough();
    this.#channel = new Channel<Request>(
      stream as Duplex,
      (message) => this.#answered(message as Reply),
      () => this.#endFor('nonsense'),
    );
    this.ended = new Promise((resolve) => {
      const over = (how: string) => {
        this.#dead = true;
        clearTimeout(this.#watchdog);
        for (const { reject } of this.#questions.values()) reject(this.#died());
        this.#questions.clear();
        this.#tellQuiet();
        this.#towers.clear();
        resolve(this.#endedFor === undefined ? how : { time: 'it took longer than it may', nonsense: 'it answered with nonsense' }[this.#endedFor]);
      };
      this.#process.on('error', (error) => over(error.message));
      // Not `exit`: answers may still be on their way when the process is gone.
      this.#process.once('close', (code, signal) => over(signal === null ? `exit code ${code}` : signal));
    });
  }

  get alive(): boolean {
    return !this.#dead;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Towers loaded or being loaded. */
  get towers(): HeldTower[] {
    return [...this.#towers.values()];
  }

  holds(model: ModelPackage, modality: Modality): boolean {
    return this.#towers.has(towerKey(model, modality));
  }

  /**
   * Rejects with `WorkerDied` when the process ends first, with the worker's own error when it fails. A process that takes
   * longer than `limitMs`, loading of other models not counted, is ended.
   */
  async ask<Kind extends RequestBody['kind']>(request: RequestBody & { kind: Kind }, limitMs = this.#modelMs): Promise<AnswerTo<Kind>> {
    for (let loaded; loaded !== this.#loaded; ) await (loaded = this.#loaded);
    return this.#ask<Kind>(request, limitMs);
  }

  async #ask<Kind extends RequestBody['kind']>(request: RequestBody & { kind: Kind }, limitMs: number): Promise<AnswerTo<Kind>> {
    if (this.#dead) throw this.#died();
    const ticket = ++this.#lastTicket;
    const reply = await new Promise<ReplyBody>((resolve, reject) => {
      this.#channel.send({ ...request, ticket });
      this.#questions.set(ticket, { kind: request.kind, resolve, reject, deadline: performance.now() + limitMs });
      this.#watch();
    });
    if (reply.kind === 'failed') throw new MixspaceError(reply.error.code, reply.error.message, { cause: reply.cause });
    if (reply.kind !== answers[request.kind]) throw new Error(`A worker answered ${reply.kind} where ${request.kind} was asked.`);
    return reply as AnswerTo<Kind>;
  }

  /** Once, however many ask. */
  load(model: ModelPackage, modality: Modality): Promise<LoadedReply> {
    const key = towerKey(model, modality);
    let held = this.#towers.get(key);
    if (!held) {
      held = { model, modality, loading: this.#load(model, modality) };
      this.#towers.set(key, held);
      held.loading.catch(() => this.#towers.delete(key));
    }
    return held.loading;
  }

  /** Nothing may be under way with it. */
  async unload(model: ModelPackage, modality: Modality): Promise<void> {
    this.#towers.delete(towerKey(model, modality));
    await this.ask({ kind: 'unload', model, modality });
  }

  /** Now, whatever it does. */
  async end(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  /** Alone: behind what is open already, which may hang and has its own deadline, and before what is asked from now on. */
  #load(model: ModelPackage, modality: Modality): Promise<LoadedReply> {
    const before = this.#loaded;
    const loading = (async () => {
      await before;
      if (this.#questions.size > 0) await new Promise<void>((resolve) => this.#whenQuiet.push(resolve));
      return this.#ask({ kind: 'load', model, modality }, this.#modelMs);
    })();
    this.#loaded = loading.catch(() => undefined);
    return loading;
  }

  #tellQuiet(): void {
    for (const resolve of this.#whenQuiet.splice(0)) resolve();
  }

  /** Throws for what is no reply. */
  #answered({ ticket, usage, ...body }: Reply): void {
    if (!Number.isFinite(usage.residentBytes + usage.cpuSeconds) || typeof ticket !== 'number') throw new TypeError('A worker sent what is no reply.');
    this.usage = usage;
    const question = this.#questions.get(ticket);
    this.#questions.delete(ticket);
    if (this.#questions.size === 0) this.#tellQuiet();
    question?.resolve(body);
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    const counting = [...this.#questions.values()];
    if (counting.length === 0 || this.#dead) return;
    const left = Math.min(...counting.map(({ deadline }) => deadline)) - performance.now();
    if (left <= 0) return this.#endFor('time');
    // A timer takes no more than 2^31 - 1.
    this.#watchdog = setTimeout(() => this.#watch(), Math.min(2 ** 31 - 1, Math.ceil(left)));
  }

  #endFor(why: 'time' | 'nonsense'): void {
    this.#endedFor = why;
    this.#process.kill('SIGKILL');
  }

  #died(): WorkerDied {
    return new WorkerDied('an encoder worker died', this.#endedFor === 'time');
  }
}

const answers = { read: 'read', load: 'loaded', unload: 'unloaded', texts: 'texts', pictures: 'pictures' } as const satisfies Record<RequestBody['kind'], ReplyBody['kind']>;

type AnswerTo<Kind extends RequestBody['kind']> = Extract<Exclude<ReplyBody, FailedReply>, { kind: (typeof answers)[Kind] }>;
