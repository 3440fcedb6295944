import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';

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
const { readHeader, decode, settleDecoder } = (await import(`${setup.encoder}picture/decode.js`)) as typeof import('../../src/encoder/picture/decode.js');
const { fitSquare, writeTensor } = (await import(`${setup.encoder}picture/preprocess.js`)) as typeof import('../../src/encoder/picture/preprocess.js');
const { loadTowers } = (await import(`${setup.encoder}workers/towers.js`)) as typeof import('../../src/encoder/workers/towers.js');
const { readPackage } = (await import(`${setup.encoder}package/model-package.js`)) as typeof import('../../src/encoder/package/model-package.js');

settleDecoder();
const model = await readPackage(setup.modelsDirectory, setup.model);
const towers = await loadTowers(model);
const limits = { pictureBytes: Infinity, picturePixels: Infinity };
const stride = 3 * model.image.size ** 2;

async function encodeBatch(files: string[]): Promise<Float32Array> {
  const tensor = new Float32Array(files.length * stride);
  for (const [index, file] of files.entries()) {
    const bytes = await readFile(file);
    const bitmap = await decode(bytes, await readHeader(bytes, limits));
    writeTensor(fitSquare(bitmap, model.image), model.image, tensor, index * stride);
  }
  return (await towers.encodePixels(tensor, files.length)).embeddings;
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
