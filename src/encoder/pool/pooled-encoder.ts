import type { Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { EncodeOptions, Encoder, ImageEmbedding, ListedModel, ModelDescription, ModelVersion, Outcome, SelfTest, TextEmbedding } from '../encoder.js';
import type { ModelSet } from './model-set.js';
import type { WorkerPool } from './pool.js';
import type { Job } from './queue.js';
import { rankOf } from './rank.js';

/** The port's implementation over a set of models and a pool of workers. */
export class PooledEncoder implements Encoder {
  readonly #default: string;
  readonly #models: ModelSet;
  readonly #pool: WorkerPool;

  constructor(byDefault: string, models: ModelSet, pool: WorkerPool) {
    this.#default = byDefault;
    this.#models = models;
    this.#pool = pool;
  }

  get defaultModel(): ModelDescription {
    return this.#models.checked(this.#default)!.description;
  }

  models(): ListedModel[] {
    const isDefault = ({ id }: { id: string }) => id === this.#default;
    const { entries } = this.#models;
    return [...entries.filter(isDefault), ...entries.filter((entry) => !isDefault(entry))].map(({ id, checked, problem, replacement }) => {
      const loadedIn = checked ? this.#pool.loadedIn(checked.files) : 0;
      return {
        id,
        ...(checked ? { description: checked.description } : {}),
        ...(problem === undefined ? {} : { problem }),
        ...(replacement === undefined ? {} : { replacement }),
        loadedIn,
        memoryBytes: loadedIn * (checked?.memoryBytes ?? 0),
      };
    });
  }

  look(): Promise<void> {
    return this.#models.look();
  }

  async model(id?: string): Promise<ModelDescription> {
    return id === undefined ? this.defaultModel : (await this.#models.check(id)).description;
  }

  selfTest(id: string): Promise<SelfTest> {
    return this.#models.selfTest(id);
  }

  async encodeTexts(model: string | ModelVersion, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]> {
    const inputs = texts.map((text) => ({ text, bytes: new Uint8Array(0), thumbnail: false }));
    const outcomes = await this.#encode<TextEmbedding>(model, 'text', inputs, options);
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    });
  }

  async encodeImages(model: string | ModelVersion, images: Uint8Array[], options: EncodeOptions & { thumbnail?: boolean }): Promise<Outcome<ImageEmbedding>[]> {
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
    model: string | ModelVersion,
    modality: Modality,
    inputs: Pick<Job, 'text' | 'bytes' | 'thumbnail'>[],
    { priority, signal }: EncodeOptions,
  ): Promise<Outcome<T>[]> {
    const { id, fingerprint } = typeof model === 'string' ? { id: model } : model;
    const { files, description } = this.#models.checked(id) ?? (await this.#models.check(id));
    if (fingerprint !== undefined && fingerprint !== description.fingerprint) {
      throw new MixspaceError('conflict', `Model "${id}" has other files now: its space is ${description.fingerprint}, no more ${fingerprint}.`, { param: 'model' });
    }
    if (this.#pool.loadedIn(files) === 0) this.#models.requireFiles(id);
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
        rank: rankOf(priority, modality, inputs.length),
        deaths: 0,
        dropped: false,
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
