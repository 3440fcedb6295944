/** Which words of a query's texts carried a score: how far it falls without each of them (leave-one-out). */
import type { ModelVersion } from '../../../encoder/encoder.js';
import type { Caller, Context } from '../../context.js';
import { normalizedSum } from '../../weighted-sum.js';
import type { Query } from '../query.js';
import { similarTo } from '../relevance/background.js';

/** Of all texts of a query; where there are more words, neighbors go together. */
const mostWords = 24;
/** Characters; of a longer text no words are told. */
const longest = 1_000;

interface Word {
  text: string;
  /** Which of the query's parts it stands in, and the embedding of the query without it. */
  embedding: Float32Array;
}

export interface WordWeight {
  text: string;
  /** The score less that without the word. */
  weight: number;
}

/** `embeddings`: of the query's parts. */
export async function queryWords(context: Context, model: ModelVersion, { query: { parts }, embeddings }: { query: Query; embeddings: Float32Array[] }, { signal }: Caller): Promise<Word[]> {
  const texts = parts.map(({ input }) => (typeof input === 'string' ? input : 'text' in input ? input.text : ''));
  const spoken = texts.filter((text) => text.trim() !== '' && text.length <= longest).length;
  const left = texts.flatMap((text, part) => (text.length > longest ? [] : runsOf(text, Math.floor(mostWords / spoken)).map(({ start, end }) => ({ part, text: text.slice(start, end), rest: tidied(text.slice(0, start) + text.slice(end)) }))));
  if (left.length === 0) return [];
  const encoded = await context.encoder.encodeTexts(model, left.map(({ rest }) => rest), { priority: 'interactive', signal });
  return left.flatMap(({ part, text, rest }, i) => {
    const isGone = rest === '' && parts.length > 1;
    const others = parts.flatMap(({ weight }, each) => (each === part && isGone ? [] : [{ weight, embedding: each === part ? encoded[i]!.embedding : embeddings[each]! }]));
    const embedding = normalizedSum(others);
    return embedding ? [{ text, embedding }] : [];
  });
}

/** `matched`, `embedding`: of the match and of the query. */
export function wordWeights(words: Word[], matched: Float32Array, embedding: Float32Array): WordWeight[] {
  const score = similarTo(matched, embedding);
  return words.map(({ text, embedding: without }) => ({ text, weight: score - similarTo(matched, without) }));
}

interface Run {
  start: number;
  end: number;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });
const pictograph = /\p{Extended_Pictographic}/u;

/** Words, of scripts without spaces too, and pictographs; at most so many runs of them. */
function runsOf(text: string, most: number): Run[] {
  const words: Run[] = [];
  for (const { segment, index, isWordLike } of segmenter.segment(text)) {
    if (isWordLike || pictograph.test(segment)) words.push({ start: index, end: index + segment.length });
  }
  const count = Math.min(most, words.length);
  return Array.from({ length: count }, (_, i) => ({ start: words[Math.floor((i * words.length) / count)]!.start, end: words[Math.floor(((i + 1) * words.length) / count) - 1]!.end }));
}

const tidied = (text: string): string => text.replace(/\s+/g, ' ').trim();
