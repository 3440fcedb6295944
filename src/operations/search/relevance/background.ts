import type { TextList } from '../../text-lists.js';
import { backgroundTexts } from './background-texts.js';

/** How texts that nobody asked for score, by a model. */
export interface Background {
  /** Mean and deviation of the background texts' cosines with an embedding. */
  scores(embedding: Float32Array): { mean: number; deviation: number };
}

/** What the scores of a query stand out against: half a second with the bundled model, once. */
export const queryBackground: TextList<Background> = {
  name: 'queries',
  texts: backgroundTexts,
  priority: 'interactive',
  // A person who waits is held up by no more.
  atOnce: 64,
  keep: (embeddings) => ({ scores: (embedding) => spreadOf(embeddings.map((each) => similarTo(each, embedding))) }),
};

export function spreadOf(scores: number[]): { mean: number; deviation: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return { mean, deviation: Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length) };
}

export function similarTo(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Of an item's parts, of which there is one at least, the one that an embedding is nearest to. */
export const nearestOf = (parts: Float32Array[], embedding: Float32Array): Float32Array => parts.reduce((best, part) => (similarTo(part, embedding) > similarTo(best, embedding) ? part : best));
