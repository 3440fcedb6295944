import { backgroundNames, backgroundTemplate } from '../../domain/background.js';
import type { Encoder, ModelDescription } from '../../encoder/encoder.js';

const keptModels = 4;
/** Sent on in parts: other work passes in between. */
const atOnce = 128;

/** The background's embeddings, made when they are first needed and kept for the models asked last. */
export class Backgrounds {
  readonly #encoder: Encoder;
  readonly #kept = new Map<string, Promise<readonly Float32Array[]>>();

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  /** Of all names, in their order. */
  of(model: ModelDescription): Promise<readonly Float32Array[]> {
    const key = model.fingerprint;
    const background = this.#kept.get(key) ?? this.#embed(model);
    this.#kept.delete(key);
    this.#kept.set(key, background);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptModels) break;
      this.#kept.delete(oldest);
    }
    background.catch(() => this.#kept.get(key) === background && this.#kept.delete(key));
    return background;
  }

  async #embed(model: ModelDescription): Promise<readonly Float32Array[]> {
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < backgroundNames.length; from += atOnce) {
      const prompts = backgroundNames.slice(from, from + atOnce).map(backgroundTemplate);
      embeddings.push(...(await this.#encoder.encodeTexts(model, prompts, { priority: 'bulk' })).map(({ embedding }) => embedding));
    }
    return embeddings;
  }
}
