/** Packages looked at without a service. */
import { statSync } from 'node:fs';
import type { Log } from '../telemetry.js';
import type { ModelDescription } from './encoder.js';
import { findPackages, modalitiesOf, readPackage, type ModelPackage, type ReadOptions } from './package/model-package.js';
import type { Modality } from '../domain/modality.js';
import { Checks } from './pool/package-checks.js';
import { startWorker, WorkerProcess } from './pool/worker-process.js';
import type { WorkerSettings } from './protocol/messages.js';

export { findPackages };

export interface Examined {
  id: string;
  modalities: Modality[];
  variant: string;
  license?: string;
  /** Bytes of each tower's weights in use. */
  weightBytes: Partial<Record<Modality, number>>;
}

/** What a package's files say. Throws an Error whose sentence names the file at fault. */
export async function examine(modelsDirectory: string, id: string, options: ReadOptions): Promise<Examined> {
  const files = await readPackage(modelsDirectory, id, options);
  const { variant, license } = files;
  return { id, modalities: modalitiesOf(files), variant, ...(license === undefined ? {} : { license }), weightBytes: weightsOf(files) };
}

/** Files of external data are those of the tower whose folder they lie in, or, where both lie in one, of each in part. */
function weightsOf(files: ModelPackage): Examined['weightBytes'] {
  const outside = files.externalData.reduce((sum, file) => sum + statSync(file).size, 0);
  const towers = modalitiesOf(files);
  return Object.fromEntries(towers.map((modality) => [modality, statSync(files.towers[modality]!.file).size + outside / towers.length]));
}

/**
 * Loads a package in a worker and runs its golden vectors, as a service does before it uses it. Throws an Error with the
 * sentence that says why it cannot be used.
 */
export async function tryOut(settings: WorkerSettings, id: string, limitMs: number, log: Log): Promise<ModelDescription> {
  const checks = new Checks({ startWorker: () => new WorkerProcess(startWorker, settings), selfTestMs: limitMs, log });
  try {
    return (await checks.check(id)).description;
  } finally {
    await checks.close();
  }
}
