import type { Encoder, ModelDescription } from '../../../encoder/encoder.js';
import { backgroundTexts } from './background-texts.js';

/** Models whose background is kept. */
const kept = 4;
/** A person who waits is held up by no more. */
const textsAtOnce = 64;

/** How texts that nobody asked for score, by a model. */
export interface Background {
  /** Mean and deviation of the background texts' cosines with an embedding. */
  scores(embedding: Float32Array): { mean: number; deviation: number };
}

/** Backgrounds by model, made when first asked for: half a second with the bundled one. */
export class TextBackgrounds {
  readonly #encoder: Encoder;
  readonly #byFingerprint = new Map<string, Promise<Background>>();

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  of(model: Pick<ModelDescription, 'id' | 'fingerprint'>): Promise<Background> {
    const known = this.#byFingerprint.get(model.fingerprint);
    if (known) return known;
    const made = this.#make(model);
    this.#byFingerprint.set(model.fingerprint, made);
    const [oldest] = this.#byFingerprint.keys();
    if (this.#byFingerprint.size > kept) this.#byFingerprint.delete(oldest!);
    made.catch(() => this.#byFingerprint.delete(model.fingerprint));
    return made;
  }

  async #make({ id, fingerprint }: Pick<ModelDescription, 'id' | 'fingerprint'>): Promise<Background> {
    const embeddings: Float32Array[] = [];
    for (let from = 0; from < backgroundTexts.length; from += textsAtOnce) {
      const encoded = await this.#encoder.encodeTexts({ id, fingerprint }, backgroundTexts.slice(from, from + textsAtOnce), { priority: 'interactive' });
      for (const { embedding } of encoded) embeddings.push(embedding);
    }
    return { scores: (embedding) => spreadOf(embeddings.map((each) => similarTo(each, embedding))) };
  }
}

export function spreadOf(scores: number[]): { mean: number; deviation: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return { mean, deviation: Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length) };
}

export function similarTo(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
