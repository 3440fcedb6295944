import type { Encoder, ModelVersion } from '../encoder/encoder.js';
import type { Priority } from '../domain/priority.js';
import { KeptLatest } from './kept-latest.js';

/** In all, over models. */
const mostKept = 12;

/** Texts of the product's own that are compared with in a model's space. */
export interface TextList<T> {
  /** Its own among lists. */
  name: string;
  texts: readonly string[];
  priority: Priority;
  /** Embedded together; other work passes in between. */
  atOnce: number;
  /** What is kept of their embeddings, which are in the texts' order. */
  keep: (embeddings: Float32Array[]) => T;
}

/** Lists of texts by model, embedded when they are first asked for; those that were asked for last are kept. */
export class TextLists {
  readonly #encoder: Encoder;
  readonly #kept = new KeptLatest(mostKept);

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  of<T>(model: ModelVersion, list: TextList<T>): Promise<T> {
    return this.#kept.of(`${list.name} ${model.fingerprint}`, () => this.#make(model, list));
  }

  async #make<T>({ id, fingerprint }: ModelVersion, { texts, atOnce, priority, keep }: TextList<T>): Promise<T> {
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += atOnce) {
      const encoded = await this.#encoder.encodeTexts({ id, fingerprint }, texts.slice(from, from + atOnce), { priority });
      for (const { embedding } of encoded) embeddings.push(embedding);
    }
    return keep(embeddings);
  }
}
