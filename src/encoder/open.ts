import { availableParallelism } from 'node:os';
import { MixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import type { OpenEncoder } from './encoder.js';
import { Checks } from './pool/package-checks.js';
import { PooledEncoder } from './pool/pooled-encoder.js';
import { PackagedModels } from './pool/packaged-models.js';
import type { Variant } from './package/variants.js';
import type { PictureLimits } from './picture/decode.js';
import type { PreprocessSpeed } from './picture/speed.js';
import { WorkerPool } from './pool/pool.js';
import type { Version } from './pool/version.js';
import { startWorker, WorkerProcess, type StartWorker } from './pool/worker-process.js';

export interface EncoderOptions {
  /** Each folder in it with a config.json is a model, its name the id. */
  modelsDirectory: string;
  /** The first by name that can be used unless set. */
  defaultModel?: string;
  /** Other names of models; a package of that name goes first. */
  aliases?: ReadonlyMap<string, string>;
  /** Weights by preference, for packages whose model.json names none; the nearest to the published vectors first unless set. */
  variants?: readonly Variant[];
  /** Of pictures, for packages whose model.json names none; `exact` unless set. */
  preprocessSpeed?: PreprocessSpeed;
  /** Further models that are loaded before the encoder opens and stay loaded, as the default one does. */
  preload?: string[];
  /** Seconds after which a model that nobody used is unloaded, 600 unless set; 0: never. */
  modelIdleSeconds?: number;
  /** Seconds after which workers that nobody needs are ended, all but one, and pictures' towers are unloaded from that, 60 unless set; never where models are not unloaded. */
  restSeconds?: number;
  /** Bytes that all models in all workers may hold before the least recently used goes; no bound unless set. */
  modelMemory?: number;
  /** Processes; one a core, at most 8, unless set. */
  workers?: number;
  /** Threads of one inference, 1 unless set. */
  threads?: number;
  /** By preference, as ONNX Runtime names them; cpu alone unless set. */
  executionProviders?: string[];
  /** Seconds a batch may take in a worker, 60 unless set; what takes longer is tried once more, alone, and then given up. */
  encodeTimeout?: number;
  /** Inputs of one rank that may wait, 4,096 unless set. */
  queueLimit?: number;
  /** Pictures a batch at most, 4 unless set: larger ones gain nothing here and hold up interactive work. Texts go eight times as many, long texts and large pictures fewer. */
  batchSize?: number;
  limits: PictureLimits;
  log: Log;
  /** Seconds of each stage of a batch: queue, tokenize, decode, resize, thumbnail, infer. */
  onStage?: (stage: string, seconds: number) => void;
  /** How a worker is started; the compiled worker/worker.js unless set. */
  startWorker?: StartWorker;
}

/** 32 texts of 128 tokens, or fewer longer ones. */
const batchTokens = 4096;

/** Four photos of a telephone of today, or fewer larger ones. */
const batchPixels = 64e6;

/**
 * Opens with the default model and those to preload checked and loaded; the others are checked afterwards, one at a time.
 * Throws `not_ready` where no package can be used, or the default one cannot.
 */
export async function openEncoder(options: EncoderOptions): Promise<OpenEncoder> {
  const { limits, log } = options;
  const { modelsDirectory, variants, preprocessSpeed } = options;
  const settings = {
    packages: { modelsDirectory, ...(variants === undefined ? {} : { variants }), ...(preprocessSpeed === undefined ? {} : { speed: preprocessSpeed }) },
    limits,
    session: { threads: options.threads ?? 1, executionProviders: options.executionProviders ?? ['cpu'] },
  };
  const batchMs = 1000 * (options.encodeTimeout ?? 60);
  const start = options.startWorker ?? startWorker;
  const startProcess = () => new WorkerProcess(start, settings);
  const checks = new Checks({ startWorker: startProcess, selfTestMs: batchMs, log });
  const models = await PackagedModels.find({ modelsDirectory, checks, log, aliases: options.aliases ?? new Map() });
  // All start at once: they boot while the first one checks the default model.
  const workers = Array.from({ length: options.workers ?? Math.min(8, availableParallelism()) }, startProcess);
  const release = async (error: unknown): Promise<never> => {
    await Promise.all([checks.close(), ...workers.map((worker) => worker.end())]);
    throw error;
  };
  const model = await checkDefault(models, options, workers, startProcess).catch(release);
  const others = new Set(options.preload ?? []);
  others.delete(model.files.id);
  const preloaded = await Promise.all([...others].map((id) => models.version(id))).catch(release);
  const pictures = options.batchSize ?? 4;
  const idle = options.modelIdleSeconds ?? 600;
  const pool = new WorkerPool(
    {
      queueLimit: options.queueLimit ?? 4096,
      batch: { inputs: { image: pictures, text: pictures * 8 }, tokens: batchTokens, pixels: batchPixels },
      batchMs,
      startWorker: startProcess,
      preloaded: [model, ...preloaded],
      restMs: idle === 0 ? Infinity : 1000 * (options.restSeconds ?? 60),
      idleMs: idle === 0 ? Infinity : 1000 * idle,
      memoryBytes: options.modelMemory ?? Infinity,
      log,
      onStage: options.onStage ?? (() => undefined),
    },
    workers,
  );
  models.serveFrom(pool, model.files.id);
  const encoder = new PooledEncoder(models, pool);
  const close = async (): Promise<void> => {
    await Promise.all([checks.close(), pool.close()]);
  };
  await pool.ready().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  void models.checkAll();
  return {
    models,
    encodeTexts: (...of) => encoder.encodeTexts(...of),
    encodeImages: (...of) => encoder.encodeImages(...of),
    waiting: () => pool.waiting,
    workers: () => ({ ...pool.usage, replaced: pool.replaced, processes: pool.processes }),
    close,
  };
}

/** The default model, checked in the first worker, which holds it then. A worker that met a bad package is replaced. */
async function checkDefault(models: PackagedModels, { defaultModel, modelsDirectory }: EncoderOptions, workers: WorkerProcess[], start: () => WorkerProcess): Promise<Version> {
  const problems: string[] = [];
  for (const id of defaultModel === undefined ? models.ids : [defaultModel]) {
    try {
      return await models.version(id, workers[0]);
    } catch (error) {
      problems.push((error as Error).message);
      await workers[0]?.end();
      workers[0] = start();
    }
  }
  throw new MixspaceError('not_ready', `In ${modelsDirectory} there is no model to start with: ${problems.length === 0 ? 'no folder is a usable model package.' : problems.join(' ')}`);
}
