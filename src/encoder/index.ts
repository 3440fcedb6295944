import { availableParallelism } from 'node:os';
import { MixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import type { EncodeOptions, Encoder, ImageEmbedding, ModelDescription, Outcome, SelfTest, TextEmbedding } from './encoder.js';
import type { PictureLimits } from './picture/decode.js';
import { fingerprintOf } from './package/fingerprint.js';
import { findPackages, readPackage, type ModelPackage } from './package/model-package.js';
import type { Variant } from './package/variants.js';
import type { TowersFacts } from './workers/messages.js';
import { WorkerPool } from './workers/pool.js';
import type { Job, Modality } from './workers/queue.js';
import { runSelfTest } from './self-test.js';
import { startWorker, WorkerThread, type StartWorker } from './workers/worker-thread.js';

export interface EncoderOptions {
  /** Each folder in it with a config.json is a model, its name the id. */
  modelsDirectory: string;
  /** The first by name unless set. */
  defaultModel?: string;
  /** Weights by preference, for packages whose model.json names none; the nearest to the published vectors first unless set. */
  variants?: readonly Variant[];
  /** Threads; one a core, at most 8, unless set. */
  workers?: number;
  /** Inputs that may wait, 4,096 unless set. */
  queueLimit?: number;
  /** Pictures a batch, 4 unless set: larger ones gain nothing here and hold up interactive work. Texts go eight times as many. */
  batchSize?: number;
  limits: PictureLimits;
  log: Log;
  /** Seconds of each stage of a batch: queue, tokenize, decode, resize, thumbnail, infer. */
  onStage?: (stage: string, seconds: number) => void;
  /** How a worker is started; the compiled worker.js beside this file unless set. */
  startWorker?: StartWorker;
}

interface Model {
  files: ModelPackage;
  description: Omit<ModelDescription, 'loaded'>;
}

/** Throws `not_ready` where no package can be used or the default one is not among them. */
export async function openEncoder(options: EncoderOptions): Promise<Encoder> {
  // ONNX Runtime sends usage to its maker from version 1.29 on, unless this is set when its library is first loaded,
  // which the workers do: they share the process's environment natively, whatever their own `process.env` says.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const { limits, log } = options;
  const start = options.startWorker ?? startWorker;
  const startThread = () => new WorkerThread(start, { limits });
  const models = await readModels(options, startThread);
  const first = options.defaultModel === undefined ? models[0] : models.find(({ files }) => files.id === options.defaultModel);
  if (!first) {
    const usable = models.length === 0 ? 'no folder is a usable model package' : `usable are ${namesOf(models)}`;
    const wanted = options.defaultModel === undefined ? 'There is no model' : `The model ${options.defaultModel} cannot be used`;
    throw new MixspaceError('not_ready', `${wanted}: in ${options.modelsDirectory}, ${usable}.`);
  }
  const pictures = options.batchSize ?? 4;
  const pool = new WorkerPool({
    workers: options.workers ?? Math.min(8, availableParallelism()),
    queueLimit: options.queueLimit ?? 4096,
    batchSize: { image: pictures, text: pictures * 8 },
    settings: { limits },
    startWorker: start,
    defaultModel: first.files,
    log,
    onStage: options.onStage ?? (() => undefined),
  });
  await pool.ready();
  return new PooledEncoder([first, ...models.filter((model) => model !== first)], pool, startThread);
}

/** Packages that load and do not fail their self-test; another one is told of and left out. */
async function readModels({ modelsDirectory: directory, variants, log }: EncoderOptions, startThread: () => WorkerThread): Promise<Model[]> {
  const ids = await findPackages(directory).catch((error: unknown) => {
    throw new MixspaceError('not_ready', `The models directory ${directory} cannot be read.`, { cause: error });
  });
  const models: Model[] = [];
  for (const id of ids) {
    const thread = startThread();
    try {
      const files = await readPackage(directory, id, variants);
      const towers = await thread.load(files);
      const selfTest = await runSelfTest(thread, files);
      if (selfTest.status === 'failed') throw new Error(`It fails its self-test: ${JSON.stringify(selfTest)}`);
      models.push({ files, description: describe(files, towers, selfTest) });
    } catch (error) {
      const reason = error instanceof MixspaceError ? error.cause : error;
      log('error', `The model package ${id} cannot be used and is left out.`, { model: id, error: String(reason) });
    } finally {
      await thread.end();
    }
  }
  return models;
}

function describe(files: ModelPackage, { dimension, oneAtATime }: TowersFacts, selfTest: SelfTest): Omit<ModelDescription, 'loaded'> {
  const { id, text, image, variant, variants, logitScale, logitBias, activation, license, description, languages, templates, noMatch, matryoshkaDimensions } = files;
  return {
    id,
    modalities: ['text', 'image'],
    dimension,
    contextLength: text.contextLength,
    imageSize: image.size,
    fingerprint: fingerprintOf(files, dimension),
    variant,
    variants,
    batching: oneAtATime ? 'one_at_a_time' : 'any',
    logitScale,
    ...(logitBias === undefined ? {} : { logitBias }),
    ...(activation === undefined ? {} : { activation }),
    ...(matryoshkaDimensions === undefined ? {} : { matryoshkaDimensions }),
    ...(license === undefined ? {} : { license }),
    ...(description === undefined ? {} : { description }),
    ...(languages === undefined ? {} : { languages }),
    ...(templates === undefined ? {} : { templates }),
    ...(noMatch === undefined ? {} : { noMatch }),
    selfTest,
  };
}

class PooledEncoder implements Encoder {
  readonly #models: Model[];
  readonly #pool: WorkerPool;
  readonly #startThread: () => WorkerThread;

  constructor(models: Model[], pool: WorkerPool, startThread: () => WorkerThread) {
    this.#models = models;
    this.#pool = pool;
    this.#startThread = startThread;
  }

  models(): ModelDescription[] {
    return this.#models.map((model) => this.#described(model));
  }

  model(id?: string): ModelDescription {
    return this.#described(this.#find(id));
  }

  async selfTest(id: string): Promise<SelfTest> {
    const { files } = this.#find(id);
    const thread = this.#startThread();
    try {
      return await runSelfTest(thread, files);
    } finally {
      await thread.end();
    }
  }

  async encodeTexts(model: string, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]> {
    const inputs = texts.map((text) => ({ text, bytes: new Uint8Array(0), thumbnail: false, keepBytes: true }));
    const outcomes = await this.#encode<TextEmbedding>(model, 'text', inputs, options);
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    });
  }

  async encodeImages(model: string, images: Uint8Array[], options: EncodeOptions & { thumbnail?: boolean; keepBytes?: boolean }): Promise<Outcome<ImageEmbedding>[]> {
    const repeated = new Set(images.map(({ buffer }) => buffer)).size < images.length;
    const inputs = images.map((bytes) => ({ text: '', bytes, thumbnail: options.thumbnail ?? false, keepBytes: options.keepBytes === true || repeated }));
    return this.#encode<ImageEmbedding>(model, 'image', inputs, options);
  }

  waiting(): number {
    return this.#pool.waiting;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #encode<T extends TextEmbedding | ImageEmbedding>(
    model: string,
    modality: Modality,
    inputs: Pick<Job, 'text' | 'bytes' | 'thumbnail' | 'keepBytes'>[],
    { priority, signal }: EncodeOptions,
  ): Promise<Outcome<T>[]> {
    const { files } = this.#find(model);
    if (inputs.length === 0) return [];
    if (signal?.aborted) throw hungUp(signal);
    return new Promise((resolve, reject) => {
      const outcomes = new Array<Outcome<T>>(inputs.length);
      let left = inputs.length;
      const abort = () => {
        this.#pool.drop(jobs);
        reject(hungUp(signal));
      };
      const jobs = inputs.map((input, i): Job => ({
        ...input,
        model: files,
        modality,
        priority,
        deaths: 0,
        queuedAt: performance.now(),
        done: (outcome) => {
          outcomes[i] = outcome as Outcome<T>;
          if (--left > 0) return;
          signal?.removeEventListener('abort', abort);
          resolve(outcomes);
        },
      }));
      this.#pool.submit(jobs);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #find(id?: string): Model {
    const model = id === undefined ? this.#models[0] : this.#models.find(({ files }) => files.id === id);
    if (!model) throw new MixspaceError('not_found', `There is no model ${JSON.stringify(id)}; there are ${namesOf(this.#models)}.`, { param: 'model' });
    return model;
  }

  #described({ files, description }: Model): ModelDescription {
    return { ...description, loaded: this.#pool.loadedModels.has(files.id) };
  }
}

function namesOf(models: Model[]): string {
  return models.map(({ files }) => files.id).join(', ');
}

function hungUp(signal: AbortSignal | undefined): MixspaceError {
  return new MixspaceError('not_ready', 'The caller hung up; the request was dropped.', { cause: signal?.reason });
}
