import type { ModelVersion } from '../../encoder/encoder.js';

export interface KeptEmbedding {
  embedding: Float32Array;
  /** Of all prompts. */
  tokens: number;
}

/** Bytes of embeddings and keys. */
const limit = 32 * 2 ** 20;
const overheadBytes = 400;

/** Embeddings of labels, those asked last: a thousand labels of seven prompts are seven thousand texts, looked up one by one else. */
export class LabelCache {
  readonly #kept = new Map<string, KeptEmbedding>();
  readonly #limit: number;
  #bytes = 0;

  /** 0 keeps nothing. */
  constructor(bytes = limit) {
    this.#limit = bytes;
  }

  keyOf({ id, fingerprint }: ModelVersion, prompts: string[]): string {
    return `${id} ${fingerprint} ${prompts.map((prompt) => `${prompt.length}:${prompt}`).join('')}`;
  }

  get(key: string): KeptEmbedding | undefined {
    const found = this.#kept.get(key);
    if (!found) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  set(key: string, value: KeptEmbedding): void {
    const bytes = weightOf(key, value);
    const before = this.#kept.get(key);
    if (before) this.#bytes -= weightOf(key, before);
    this.#kept.delete(key);
    if (bytes > this.#limit) return;
    this.#kept.set(key, value);
    this.#bytes += bytes;
    for (const [oldest, each] of this.#kept) {
      if (this.#bytes <= this.#limit) return;
      this.#kept.delete(oldest);
      this.#bytes -= weightOf(oldest, each);
    }
  }
}

const weightOf = (key: string, { embedding }: KeptEmbedding): number => embedding.byteLength + 2 * key.length + overheadBytes;
