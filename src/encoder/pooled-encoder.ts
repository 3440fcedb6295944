import { MixspaceError } from '../errors.js';
import type { EncodeOptions, Encoder, ImageEmbedding, ListedModel, ModelDescription, Outcome, SelfTest, TextEmbedding } from './encoder.js';
import type { CheckedModel, ModelSet } from './model-set.js';
import type { WorkerPool } from './workers/pool.js';
import type { Job, Modality } from './workers/queue.js';

/** The port's implementation over a set of models and a pool of workers. */
export class PooledEncoder implements Encoder {
  readonly #default: CheckedModel;
  readonly #models: ModelSet;
  readonly #pool: WorkerPool;

  constructor(byDefault: CheckedModel, models: ModelSet, pool: WorkerPool) {
    this.#default = byDefault;
    this.#models = models;
    this.#pool = pool;
  }

  get defaultModel(): ModelDescription {
    return this.#default.description;
  }

  models(): ListedModel[] {
    const isDefault = ({ id }: { id: string }) => id === this.defaultModel.id;
    const { entries } = this.#models;
    return [...entries.filter(isDefault), ...entries.filter((entry) => !isDefault(entry))].map(({ id, checked, problem }) => {
      const loadedIn = this.#pool.loadedIn(id);
      return {
        id,
        ...(checked ? { description: checked.description } : {}),
        ...(problem === undefined ? {} : { problem }),
        loadedIn,
        memoryBytes: loadedIn * (checked?.memoryBytes ?? 0),
      };
    });
  }

  async model(id?: string): Promise<ModelDescription> {
    return id === undefined ? this.defaultModel : (await this.#models.check(id)).description;
  }

  selfTest(id: string): Promise<SelfTest> {
    return this.#models.selfTest(id);
  }

  async encodeTexts(model: string, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]> {
    const inputs = texts.map((text) => ({ text, bytes: new Uint8Array(0), thumbnail: false }));
    const outcomes = await this.#encode<TextEmbedding>(model, 'text', inputs, options);
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    });
  }

  async encodeImages(model: string, images: Uint8Array[], options: EncodeOptions & { thumbnail?: boolean }): Promise<Outcome<ImageEmbedding>[]> {
    const inputs = images.map((bytes) => ({ text: '', bytes, thumbnail: options.thumbnail ?? false }));
    return this.#encode<ImageEmbedding>(model, 'image', inputs, options);
  }

  waiting(): number {
    return this.#pool.waiting;
  }

  workers(): { residentBytes: number; cpuSeconds: number; replaced: number } {
    return { ...this.#pool.usage, replaced: this.#pool.replaced };
  }

  async close(): Promise<void> {
    await Promise.all([this.#models.close(), this.#pool.close()]);
  }

  async #encode<T extends TextEmbedding | ImageEmbedding>(
    id: string,
    modality: Modality,
    inputs: Pick<Job, 'text' | 'bytes' | 'thumbnail'>[],
    { priority, signal }: EncodeOptions,
  ): Promise<Outcome<T>[]> {
    const { files } = this.#models.checked(id) ?? (await this.#models.check(id));
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
}

function hungUp(signal: AbortSignal | undefined): MixspaceError {
  return new MixspaceError('not_ready', 'The caller hung up; the request was dropped.', { cause: signal?.reason });
}
