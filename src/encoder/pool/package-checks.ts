import type { Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { ModelDescription, SelfTest } from '../encoder.js';
import { fingerprintOf } from '../package/fingerprint.js';
import { modalitiesOf, type ModelPackage } from '../package/model-package.js';
import type { LoadedReply } from '../protocol/messages.js';
import { runSelfTest } from './self-test.js';
import { versionOf, type Version } from './version.js';
import type { WorkerProcess } from './worker-process.js';

export interface ChecksOptions {
  startWorker: () => WorkerProcess;
  /** Milliseconds that the pictures or the texts of a self-test may take. */
  selfTestMs: number;
  log: Log;
}

/** Checks packages, each in a worker of its own unless one is given. */
export class Checks {
  readonly #options: ChecksOptions;
  readonly #workers = new Set<WorkerProcess>();
  #closing = false;

  constructor(options: ChecksOptions) {
    this.#options = options;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** Reads, loads and self-tests it; a given worker holds it then. Rejects with the sentence that says why it cannot be used. */
  check(id: string, worker?: WorkerProcess): Promise<Version> {
    return worker ? this.#checkIn(worker, id) : this.#withWorker((own) => this.#checkIn(own, id));
  }

  selfTest({ files }: Version): Promise<SelfTest> {
    return this.#withWorker((worker) => runSelfTest(worker, files, this.#options.selfTestMs));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#workers].map((worker) => worker.end()));
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

  async #checkIn(worker: WorkerProcess, id: string): Promise<Version> {
    const { model: files } = await worker.ask({ kind: 'read', id });
    const loaded: [Modality, LoadedReply][] = [];
    const towerBytes: Partial<Record<Modality, number>> = {};
    const grown = growthOf(worker);
    for (const modality of modalitiesOf(files)) {
      loaded.push([modality, await worker.load(files, modality)]);
      towerBytes[modality] = grown();
    }
    const towers = loadedTogether(loaded);
    for (const sentence of towers.refused) this.#options.log('warn', `Model ${id} runs on ${towers.executionProvider}: ${sentence}`, { model: id });
    const selfTest = await runSelfTest(worker, files, this.#options.selfTestMs, (modality) => (towerBytes[modality] = (towerBytes[modality] ?? 0) + grown()));
    if (selfTest.status === 'failed') throw new Error(`It fails its self-test: ${JSON.stringify(selfTest)}`);
    return versionOf(files, describe(files, { ...towers, selfTest }), towerBytes);
  }
}

/** Bytes by which a worker has grown since this was last asked. */
function growthOf(worker: WorkerProcess): () => number {
  let before = worker.usage.residentBytes;
  return () => {
    const grown = worker.usage.residentBytes - before;
    before = worker.usage.residentBytes;
    return Math.max(0, grown);
  };
}

function loadedTogether(loaded: [Modality, LoadedReply][]): Pick<ModelDescription, 'dimension' | 'batching' | 'executionProvider'> & { refused: string[] } {
  const dimensions = new Set(loaded.map(([, { dimension }]) => dimension));
  const [dimension] = dimensions;
  if (dimension === undefined) throw new Error('It has no tower.');
  if (dimensions.size > 1) {
    const told = { text: 'texts get', image: 'pictures' };
    throw new Error(`The towers disagree: ${loaded.toSorted(([a], [b]) => (a > b ? -1 : 1)).map(([modality, each]) => `${told[modality]} ${each.dimension}${modality === 'text' ? ' numbers' : ''}`).join(', ')}.`);
  }
  const replies = loaded.map(([, reply]) => reply);
  return {
    dimension,
    batching: replies.some(({ oneAtATime }) => oneAtATime) ? 'one_at_a_time' : 'any',
    executionProvider: [...new Set(replies.map(({ executionProvider }) => executionProvider))].join(', '),
    refused: [...new Set(replies.flatMap(({ refused }) => refused))],
  };
}

function describe(files: ModelPackage, found: Pick<ModelDescription, 'dimension' | 'batching' | 'executionProvider' | 'selfTest'>): ModelDescription {
  const { id, towers: { text, image }, variant, variants, logitScale, logitBias, activation, license, description, languages, templates, noMatch, calibration, matryoshkaDimensions } = files;
  const { dimension, batching, executionProvider, selfTest } = found;
  return {
    id,
    modalities: modalitiesOf(files).toReversed(),
    dimension,
    batching,
    executionProvider,
    selfTest,
    ...(text ? { contextLength: text.contextLength } : {}),
    ...(image ? { imageSize: image.size } : {}),
    fingerprint: fingerprintOf(files, dimension),
    variant,
    variants,
    preprocessSpeed: image?.speed ?? 'exact',
    logitScale,
    ...(logitBias === undefined ? {} : { logitBias }),
    ...(activation === undefined ? {} : { activation }),
    ...(license === undefined ? {} : { license }),
    ...(description === undefined ? {} : { description }),
    ...(languages === undefined ? {} : { languages }),
    ...(templates === undefined ? {} : { templates }),
    ...(noMatch === undefined ? {} : { noMatch }),
    ...(calibration === undefined ? {} : { calibration }),
    ...(matryoshkaDimensions === undefined ? {} : { matryoshkaDimensions }),
  };
}
