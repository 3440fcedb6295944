import { MixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import type { ModelDescription, SelfTest } from './encoder.js';
import { fingerprintOf } from './package/fingerprint.js';
import { findPackages, type ModelPackage } from './package/model-package.js';
import type { Variant } from './package/variants.js';
import type { PreprocessSpeed } from './picture/speed.js';
import { runSelfTest } from './self-test.js';
import { WorkerDied, type WorkerProcess } from './workers/worker-process.js';

/** A package that can be used. */
export interface CheckedModel {
  files: ModelPackage;
  description: ModelDescription;
  /** What a worker holds for it: its growth by loading and self-test. */
  memoryBytes: number;
}

interface Entry {
  id: string;
  checking?: Promise<CheckedModel>;
  checked?: CheckedModel;
  problem?: string;
}

export interface ModelSetOptions {
  modelsDirectory: string;
  variants?: readonly Variant[];
  preprocessSpeed: PreprocessSpeed;
  startWorker: () => WorkerProcess;
  /** Milliseconds that the pictures or the texts of a self-test may take. */
  selfTestMs: number;
  log: Log;
}

/** The packages found, each checked once, when it is first asked for or when its turn comes. */
export class ModelSet {
  readonly #options: ModelSetOptions;
  readonly #entries: Map<string, Entry>;
  readonly #workers = new Set<WorkerProcess>();
  #closing = false;

  private constructor(options: ModelSetOptions, ids: string[]) {
    this.#options = options;
    this.#entries = new Map(ids.map((id) => [id, { id }]));
  }

  /** Throws `not_ready` where the directory cannot be read. */
  static async find(options: ModelSetOptions): Promise<ModelSet> {
    const ids = await findPackages(options.modelsDirectory).catch((error: unknown) => {
      throw new MixspaceError('not_ready', `The models directory ${options.modelsDirectory} cannot be read.`, { cause: error });
    });
    return new ModelSet(options, ids);
  }

  get entries(): readonly Readonly<Entry>[] {
    return [...this.#entries.values()];
  }

  get ids(): string[] {
    return [...this.#entries.keys()];
  }

  /** If its check is over and it can be used. */
  checked(id: string): CheckedModel | undefined {
    return this.#entries.get(id)?.checked;
  }

  /** Throws `not_found`, or `not_ready` where it cannot be used. With `worker`, the check runs and leaves the model there. */
  check(id: string, worker?: WorkerProcess): Promise<CheckedModel> {
    const entry = this.#entries.get(id);
    if (!entry) {
      const there = this.ids.length === 0 ? 'there are none' : `there are ${this.ids.join(', ')}`;
      return Promise.reject(new MixspaceError('not_found', `There is no model ${JSON.stringify(id)}; ${there}.`, { param: 'model' }));
    }
    entry.checking ??= this.#check(entry, worker);
    return entry.checking;
  }

  /** One at a time, so that what is served meanwhile goes on. */
  async checkAll(): Promise<void> {
    for (const id of this.ids) {
      if (this.#closing) return;
      await this.check(id).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#workers].map((worker) => worker.end()));
  }

  /** The golden vectors once more, in a worker of its own. */
  async selfTest(id: string): Promise<SelfTest> {
    const { files } = await this.check(id);
    return this.#withWorker((worker) => runSelfTest(worker, files, this.#options.selfTestMs));
  }

  async #withWorker<T>(use: (worker: WorkerProcess) => Promise<T>): Promise<T> {
    const worker = this.#options.startWorker();
    this.#workers.add(worker);
    try {
      return await use(worker);
    } finally {
      await worker.end();
      this.#workers.delete(worker);
    }
  }

  async #check(entry: Entry, worker: WorkerProcess | undefined): Promise<CheckedModel> {
    const { id } = entry;
    try {
      const inOwn = () => this.#withWorker((own) => this.#checkIn(own, id));
      // A worker that died may have been killed for another's sake.
      const again = (error: unknown) => (error instanceof WorkerDied && !this.#closing ? inOwn() : Promise.reject(error as Error));
      const checked = worker ? await this.#checkIn(worker, id) : await inOwn().catch(again);
      entry.checked = checked;
      return checked;
    } catch (error) {
      if (this.#closing) throw new MixspaceError('not_ready', 'The service is stopping.');
      const reason = error instanceof MixspaceError ? (error.cause ?? error.message) : error;
      entry.problem = String(reason).replace(/^(Error: )+/, '');
      this.#options.log('error', `The model package ${id} cannot be used and is left out.`, { model: id, error: entry.problem });
      throw new MixspaceError('not_ready', `The model ${id} cannot be used: ${entry.problem}`, { param: 'model', cause: error });
    }
  }

  async #checkIn(worker: WorkerProcess, id: string): Promise<CheckedModel> {
    const { modelsDirectory, variants, preprocessSpeed: speed } = this.#options;
    const { model: files } = await worker.ask({ kind: 'read', modelsDirectory, id, ...(variants === undefined ? {} : { variants }), speed });
    const before = worker.usage.residentBytes;
    const { dimension, oneAtATime, executionProvider, refused } = await worker.load(files);
    for (const sentence of refused) this.#options.log('warn', `Model ${id} runs on ${executionProvider}: ${sentence}`, { model: id });
    const selfTest = await runSelfTest(worker, files, this.#options.selfTestMs);
    if (selfTest.status === 'failed') throw new Error(`It fails its self-test: ${JSON.stringify(selfTest)}`);
    const memoryBytes = Math.max(0, worker.usage.residentBytes - before);
    return { files, memoryBytes, description: describe(files, { dimension, batching: oneAtATime ? 'one_at_a_time' : 'any', executionProvider, selfTest }) };
  }
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
