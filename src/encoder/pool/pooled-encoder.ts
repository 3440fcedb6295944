import type { Modality } from '../../domain/modality.js';
import { mostTiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { EncodeOptions, Encoder, ImageEmbedding, ImageOptions, ModelVersion, Outcome, TextEmbedding } from '../encoder.js';
import type { ModelPackage } from '../package/model-package.js';
import { pixelsOf, tokensOf } from './cost.js';
import type { PackagedModels } from './packaged-models.js';
import type { WorkerPool } from './pool.js';
import type { Job } from './queue.js';
import { rankOf } from './rank.js';

/** The port's implementation over the models there are and a pool of workers. */
export class PooledEncoder implements Encoder {
  readonly #models: PackagedModels;
  readonly #pool: WorkerPool;

  constructor(models: PackagedModels, pool: WorkerPool) {
    this.#models = models;
    this.#pool = pool;
  }

  async encodeTexts(model: string | ModelVersion, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]> {
    const inputs = texts.map((text) => ({ text, bytes: new Uint8Array(0), thumbnail: false, parts: 1 }));
    const outcomes = await this.#encode<TextEmbedding>(model, 'text', inputs, options);
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    });
  }

  async encodeImages(model: string | ModelVersion, images: Uint8Array[], options: ImageOptions): Promise<Outcome<ImageEmbedding>[]> {
    const { tiles = 'none', thumbnail = false } = options;
    const inputs = images.map((bytes, i) => {
      const cut = typeof tiles === 'string' ? tiles : tiles[i]!;
      const most = typeof cut === 'string' ? mostTiles : cut.length;
      return { text: '', bytes, thumbnail, ...(cut === 'none' ? { parts: 1 } : { tiles: cut, parts: 1 + most }) };
    });
    return this.#encode<ImageEmbedding>(model, 'image', inputs, options);
  }

  async #encode<T extends TextEmbedding | ImageEmbedding>(
    model: string | ModelVersion,
    modality: Modality,
    inputs: Pick<Job, 'text' | 'bytes' | 'thumbnail' | 'tiles' | 'parts'>[],
    { priority, signal }: EncodeOptions,
  ): Promise<Outcome<T>[]> {
    const { id, fingerprint } = typeof model === 'string' ? { id: model } : model;
    const version = this.#models.usable(id) ?? (await this.#models.version(id));
    const { description } = version;
    if (fingerprint !== undefined && fingerprint !== description.fingerprint) {
      throw new MixspaceError('conflict', `Model "${id}" has other files now: its space is ${description.fingerprint}, no more ${fingerprint}.`, { param: 'model' });
    }
    if (!description.modalities.includes(modality)) throw new MixspaceError('invalid_request', `Model "${id}" embeds ${description.modalities.map((each) => plural[each]).join(' and ')} alone.`, { param: 'model' });
    if (this.#pool.holders(version, modality).length === 0) this.#models.requireFiles(id);
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
        version,
        modality,
        cost: costOf(input, version.files.towers, modality),
        rank: rankOf(priority, modality, inputs.length),
        deaths: 0,
        loadFailed: false,
        settled: false,
        dropped: false,
        queuedAt: performance.now(),
        done: (outcome) => {
          outcomes[i] = outcome as Outcome<T>;
          if (--left > 0) return;
          signal?.removeEventListener('abort', abort);
          // Its files have gone, or are others now.
          if (jobs.some(({ loadFailed }) => loadFailed)) void this.#models.look();
          resolve(outcomes);
        },
      }));
      this.#pool.submit(jobs);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

const plural: Record<Modality, string> = { text: 'texts', image: 'pictures' };

function costOf({ text, bytes }: Pick<Job, 'text' | 'bytes'>, towers: ModelPackage['towers'], modality: Modality): number {
  return modality === 'text' ? tokensOf(text, towers.text!) : pixelsOf(bytes);
}

function hungUp(signal: AbortSignal | undefined): MixspaceError {
  return new MixspaceError('not_ready', 'The caller hung up; the request was dropped.', { cause: signal?.reason });
}
