import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { barePixels } from './bare-pixels.js';

export interface BareSetup {
  /** URL of the compiled encoder's folder: the very code that the service runs. */
  encoder: string;
  modelsDirectory: string;
  model: string;
  batchSize: number;
  batchesAtOnce: number;
}

export interface BareJob {
  files: string[];
  /** Shared by all workers: the first file that nobody has taken. */
  next: Int32Array;
}

export interface BareBatch {
  from: number;
  count: number;
  values: Float32Array;
}

const setup = workerData as BareSetup;
const { loadImageTower } = (await import(`${setup.encoder}worker/image-tower.js`)) as typeof import('../../src/encoder/worker/image-tower.js');
const { plainSession } = (await import(`${setup.encoder}worker/session.js`)) as typeof import('../../src/encoder/worker/session.js');
const { readPackage } = (await import(`${setup.encoder}package/model-package.js`)) as typeof import('../../src/encoder/package/model-package.js');

const rules = (await readPackage(setup.modelsDirectory, setup.model)).towers.image!;
const tower = await loadImageTower(rules, plainSession);
const writePixels = await barePixels(setup.encoder, rules);
const stride = 3 * rules.size ** 2;

async function encodeBatch(files: string[]): Promise<Float32Array> {
  const tensor = new Float32Array(files.length * stride);
  for (const [index, file] of files.entries()) {
    await writePixels(await readFile(file), tensor, index * stride);
  }
  return (await tower.encode(tensor, files.length)).embeddings;
}

async function encodeAll({ files, next }: BareJob): Promise<BareBatch[]> {
  const batches: BareBatch[] = [];
  const lane = async (): Promise<void> => {
    for (;;) {
      const from = Atomics.add(next, 0, setup.batchSize);
      if (from >= files.length) return;
      const batch = files.slice(from, from + setup.batchSize);
      batches.push({ from, count: batch.length, values: await encodeBatch(batch) });
    }
  };
  await Promise.all(Array.from({ length: setup.batchesAtOnce }, lane));
  return batches;
}

parentPort!.on('message', (job: BareJob) => void encodeAll(job).then((batches) => parentPort!.postMessage(batches)));
parentPort!.postMessage('ready');
