import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { ModelDescription, SelfTest } from '../encoder.js';
import { stampOf } from '../package/files.js';
import { fingerprintOf } from '../package/fingerprint.js';
import { findPackages, isPackage, versionOf, type ModelPackage } from '../package/model-package.js';
import { runSelfTest } from './self-test.js';
import { WorkerDied, type WorkerProcess } from './worker-process.js';

/** A package that can be used. */
export interface CheckedModel {
  files: ModelPackage;
  description: ModelDescription;
  /** What a worker holds for it: its growth by loading and self-test. */
  memoryBytes: number;
}

interface Entry {
  id: string;
  /** Of its files when its check began; see `stampOf`. */
  stamp?: string;
  checking?: Promise<CheckedModel>;
  checked?: CheckedModel;
  problem?: string;
  /** See `ListedModel`. */
  replacement?: 'checking' | { problem: string };
  replacing?: Promise<void>;
}

export interface ModelSetOptions {
  modelsDirectory: string;
  startWorker: () => WorkerProcess;
  /** Milliseconds that the pictures or the texts of a self-test may take. */
  selfTestMs: number;
  /** Whether it stays in use although its folder has gone. */
  isKept: (id: string) => boolean;
  /** Awaited before what lies in a package's folder by now is used instead of what lay there before. */
  beforeReplacing: (files: ModelPackage) => Promise<void>;
  /** Of files that nobody will ask for any more. */
  retire: (files: ModelPackage) => void;
  log: Log;
}

/** A folder that is missing is looked for once more after so many milliseconds: it may be about to be replaced. */
const missingMs = 200;

const gone = 'The package has gone; it is used as long as its encoder workers live.';

/** No stamp is this: the next look takes the files for changed. */
const unseen = '';

const checkAttempts = 3;

/** The packages found, each checked when it is first asked for or when its turn comes, and again when its files have changed. */
export class ModelSet {
  readonly #options: ModelSetOptions;
  readonly #entries: Map<string, Entry>;
  readonly #workers = new Set<WorkerProcess>();
  #looking: Promise<void> | undefined;
  #lookingNext: Promise<void> | undefined;
  #checkingAll: Promise<void> = Promise.resolve();
  #closing = false;

  private constructor(options: ModelSetOptions, ids: string[]) {
    this.#options = options;
    this.#entries = new Map(ids.map((id) => [id, { id }]));
  }

  /** Throws `not_ready` where the directory cannot be read. */
  static async find(options: ModelSetOptions): Promise<ModelSet> {
    return new ModelSet(options, await findIds(options.modelsDirectory));
  }

  /** By id. */
  get entries(): readonly Readonly<Entry>[] {
    return [...this.#entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get ids(): string[] {
    return this.entries.map(({ id }) => id);
  }

  /** If its check is over and it can be used. */
  checked(id: string): CheckedModel | undefined {
    return this.#entries.get(id)?.checked;
  }

  /** Throws `not_ready` where its files are others by now that cannot be used. */
  requireFiles(id: string): void {
    const replacement = this.#entries.get(id)?.replacement;
    if (typeof replacement === 'object') throw unusable(id, replacement.problem);
  }

  /**
   * Throws `not_found`, after the directory was looked into again, or `not_ready` where it cannot be used. With `worker`,
   * the check runs and leaves the model there.
   */
  async check(id: string, worker?: WorkerProcess): Promise<CheckedModel> {
    if (!this.#entries.has(id)) await this.look();
    const entry = this.#entries.get(id);
    if (!entry) {
      const there = this.ids.length === 0 ? 'there are none' : `there are ${this.ids.join(', ')}`;
      throw new MixspaceError('not_found', `There is no model ${JSON.stringify(id)}; ${there}.`, { param: 'model' });
    }
    if (entry.checked) return entry.checked;
    if (entry.problem !== undefined) throw unusable(id, entry.problem);
    entry.checking ??= this.#firstCheck(entry, worker);
    return entry.checking;
  }

  /** One at a time, so that what is served meanwhile goes on. */
  checkAll(): Promise<void> {
    this.#checkingAll = this.#checkingAll.then(async () => {
      for (const id of this.ids) {
        if (this.#closing) return;
        await this.check(id).catch(() => undefined);
      }
    });
    return this.#checkingAll;
  }

  /**
   * What the directory holds by now: new packages are checked in their turn, changed ones at once, those that are gone
   * forgotten. A look that is under way may have missed what came since: one more follows it, for all who ask meanwhile.
   */
  look(): Promise<void> {
    if (!this.#looking) return this.#startLook();
    this.#lookingNext ??= this.#looking.then(() => {
      this.#lookingNext = undefined;
      return this.#looking ?? this.#startLook();
    });
    return this.#lookingNext;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#workers].map((worker) => worker.end()));
  }

  /** The golden vectors once more, in a worker of its own; of a package that could not be used or has changed, by way of its check. */
  async selfTest(id: string): Promise<SelfTest> {
    const known = this.#entries.get(id);
    // Whatever they were refused for may have passed.
    if (typeof known?.replacement === 'object' && !known.replacing) known.stamp = unseen;
    await this.look();
    const entry = this.#entries.get(id);
    if (entry?.problem !== undefined) forgetProblem(entry);
    await entry?.replacing;
    const { files } = await this.check(id);
    this.requireFiles(id);
    return this.#withWorker((worker) => runSelfTest(worker, files, this.#options.selfTestMs));
  }

  /** Never rejects. */
  #startLook(): Promise<void> {
    this.#looking = this.#look()
      .catch((error: unknown) => this.#options.log('error', 'The models directory could not be looked through.', { error: String(error) }))
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { modelsDirectory, log } = this.#options;
    const ids = await findIds(modelsDirectory).catch((error: unknown) => log('error', String(error)));
    if (!ids || this.#closing) return;
    const added = ids.filter((id) => !this.#entries.has(id));
    for (const id of added) {
      this.#entries.set(id, { id });
      log('info', `There is a new model package, ${id}.`, { model: id });
    }
    await Promise.all([...this.#entries.values()].map((entry) => (ids.includes(entry.id) ? this.#lookAt(entry) : this.#miss(entry))));
    void this.checkAll();
  }

  async #lookAt(entry: Entry): Promise<void> {
    if (entry.stamp === undefined) return;
    const stamp = await stampOf(this.#folder(entry));
    if (stamp === entry.checked?.files.stamp && !entry.replacing) {
      entry.stamp = stamp;
      delete entry.replacement;
    }
    if (stamp === entry.stamp) return;
    if (entry.checked) entry.replacing ??= this.#replace(entry, entry.checked).finally(() => delete entry.replacing);
    else if (entry.problem !== undefined) forgetProblem(entry);
  }

  async #miss(entry: Entry): Promise<void> {
    if (typeof entry.replacement === 'object' && entry.replacement.problem === gone) return;
    await delay(missingMs);
    if (await isPackage(this.#folder(entry))) return;
    this.#options.log('warn', `The model package ${entry.id} has gone.`, { model: entry.id });
    if (entry.checked && this.#options.isKept(entry.id)) {
      entry.replacement = { problem: gone };
      entry.stamp = unseen;
    } else {
      this.#entries.delete(entry.id);
      if (entry.checked) this.#options.retire(entry.checked.files);
    }
  }

  #folder({ id }: Entry): string {
    return join(this.#options.modelsDirectory, id);
  }

  async #withWorker<T>(use: (worker: WorkerProcess) => Promise<T>): Promise<T> {
    if (this.#closing) throw new MixspaceError('not_ready', 'The service is stopping.');
    const worker = this.#options.startWorker();
    this.#workers.add(worker);
    try {
      return await use(worker);
    } finally {
      await worker.end();
      this.#workers.delete(worker);
    }
  }

  async #firstCheck(entry: Entry, worker: WorkerProcess | undefined): Promise<CheckedModel> {
    try {
      entry.checked = await this.#check(entry, worker);
      return entry.checked;
    } catch (error) {
      entry.problem = this.#reasonOf(error);
      this.#options.log('error', `The model package ${entry.id} cannot be used and is left out.`, { model: entry.id, error: entry.problem });
      throw unusable(entry.id, entry.problem, error);
    }
  }

  /** What is used goes on until the other files have passed their check. */
  async #replace(entry: Entry, before: CheckedModel): Promise<void> {
    const { id } = entry;
    const { log, beforeReplacing, retire } = this.#options;
    log('info', `The files of model ${id} have changed; they are checked.`, { model: id });
    entry.replacement = 'checking';
    try {
      const checked = await this.#check(entry);
      await beforeReplacing(checked.files);
      entry.checked = checked;
      delete entry.replacement;
      if (versionOf(checked.files) !== versionOf(before.files)) retire(before.files);
      const { fingerprint } = checked.description;
      const other = fingerprint === before.description.fingerprint ? 'its space is the same' : `its space is ${fingerprint} now, collections of ${before.description.fingerprint} have to be embedded again`;
      log('info', `The files of model ${id} are taken; ${other}.`, { model: id });
    } catch (error) {
      if (this.#closing) return;
      const problem = this.#reasonOf(error);
      entry.replacement = { problem };
      log('error', `The new files of model ${id} cannot be used; those in use are, as long as they are loaded.`, { model: id, error: problem });
    }
  }

  #reasonOf(error: unknown): string {
    if (this.#closing) throw new MixspaceError('not_ready', 'The service is stopping.');
    const reason = error instanceof MixspaceError ? (error.cause ?? error.message) : error;
    return String(reason).replace(/^(\w*Error: )+/, '');
  }

  async #check(entry: Entry, worker?: WorkerProcess): Promise<CheckedModel> {
    let given = worker;
    for (let attempt = 1; ; attempt++) {
      entry.stamp = await stampOf(this.#folder(entry));
      try {
        return await (given ? this.#checkIn(given, entry.id) : this.#withWorker((own) => this.#checkIn(own, entry.id)));
      } catch (error) {
        // Files that change meanwhile may come to rest; a worker may have been killed for another's sake.
        const passes = hasChanged(error) || error instanceof WorkerDied;
        if (passes) entry.stamp = unseen;
        if (!passes || attempt === checkAttempts || this.#closing || given?.alive === false) throw error;
        given = undefined;
        if (hasChanged(error)) await delay(missingMs);
      }
    }
  }

  async #checkIn(worker: WorkerProcess, id: string): Promise<CheckedModel> {
    const { model: files } = await worker.ask({ kind: 'read', id });
    const before = worker.usage.residentBytes;
    const { dimension, oneAtATime, executionProvider, refused } = await worker.load(files);
    for (const sentence of refused) this.#options.log('warn', `Model ${id} runs on ${executionProvider}: ${sentence}`, { model: id });
    const selfTest = await runSelfTest(worker, files, this.#options.selfTestMs);
    if (selfTest.status === 'failed') throw new Error(`It fails its self-test: ${JSON.stringify(selfTest)}`);
    const memoryBytes = Math.max(0, worker.usage.residentBytes - before);
    return { files, memoryBytes, description: describe(files, { dimension, batching: oneAtATime ? 'one_at_a_time' : 'any', executionProvider, selfTest }) };
  }
}

function hasChanged(error: unknown): boolean {
  return error instanceof MixspaceError && error.code === 'conflict';
}

function unusable(id: string, problem: string, cause?: unknown): MixspaceError {
  return new MixspaceError('not_ready', `The model ${id} cannot be used: ${problem}`, { param: 'model', cause });
}

/** It is checked again when it is next asked for. */
function forgetProblem(entry: Entry): void {
  delete entry.problem;
  delete entry.checking;
}

async function findIds(modelsDirectory: string): Promise<string[]> {
  return findPackages(modelsDirectory).catch((error: unknown) => {
    throw new MixspaceError('not_ready', `The models directory ${modelsDirectory} cannot be read.`, { cause: error });
  });
}

function describe(files: ModelPackage, found: Pick<ModelDescription, 'dimension' | 'batching' | 'executionProvider' | 'selfTest'>): ModelDescription {
  const { id, text, image, variant, variants, logitScale, logitBias, activation, license, description, languages, templates, noMatch, matryoshkaDimensions } = files;
  return {
    id,
    modalities: ['text', 'image'],
    ...found,
    contextLength: text.contextLength,
    imageSize: image.size,
    fingerprint: fingerprintOf(files, found.dimension),
    variant,
    variants,
    preprocessSpeed: image.speed ?? 'exact',
    logitScale,
    ...(logitBias === undefined ? {} : { logitBias }),
    ...(activation === undefined ? {} : { activation }),
    ...(license === undefined ? {} : { license }),
    ...(description === undefined ? {} : { description }),
    ...(languages === undefined ? {} : { languages }),
    ...(templates === undefined ? {} : { templates }),
    ...(noMatch === undefined ? {} : { noMatch }),
    ...(matryoshkaDimensions === undefined ? {} : { matryoshkaDimensions }),
  };
}
