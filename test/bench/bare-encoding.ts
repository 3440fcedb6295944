/**
 * What the encoder's own code gives without a service around it: as many worker threads, each reading, decoding,
 * resizing and inferring batches of files. No HTTP, no queue, no store.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { repository } from '../server.js';
import type { BareBatch, BareJob, BareSetup } from './bare-worker.js';
import type { BenchModel } from './bench-model.js';

/** As the service's pool has them: pictures a batch, and batches a worker has at hand, so that one decodes while another infers. */
const batchSize = 8;
const batchesAtOnce = 2;

/** URL of the compiled encoder's folder: the very code that the service runs. */
export const encoderFolder = pathToFileURL(path.join(repository, 'dist/encoder/')).href;

/** Node 20's workers do not inherit tsx: it has to be started in each. */
const entry = `import('${import.meta.resolve('tsx/esm/api')}').then(({ register }) => { register(); return import('${new URL('./bare-worker.ts', import.meta.url).href}'); })`;

export class BareEncoding {
  readonly #workers: Worker[];

  private constructor(workers: Worker[]) {
    this.#workers = workers;
  }

  static async start({ directory, id }: BenchModel, workers: number): Promise<BareEncoding> {
    const setup: BareSetup = { encoder: encoderFolder, modelsDirectory: directory, model: id, batchSize, batchesAtOnce };
    const started = Array.from({ length: workers }, () => new Worker(entry, { eval: true, workerData: setup }));
    await Promise.all(started.map(nextMessage));
    return new BareEncoding(started);
  }

  /** The embeddings in the files' order. */
  async encode(files: string[]): Promise<Float32Array[]> {
    const job: BareJob = { files, next: new Int32Array(new SharedArrayBuffer(4)) };
    const answers = this.#workers.map(nextMessage);
    for (const worker of this.#workers) worker.postMessage(job);
    const batches = (await Promise.all(answers)).flat() as BareBatch[];
    const embeddings = new Array<Float32Array>(files.length);
    for (const { from, count, values } of batches) {
      const dimension = values.length / count;
      for (let i = 0; i < count; i++) embeddings[from + i] = values.subarray(i * dimension, (i + 1) * dimension);
    }
    return embeddings;
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (message: unknown): void => {
      worker.off('error', reject);
      resolve(message);
    };
    worker.once('message', settle);
    worker.once('error', reject);
  });
}
