/** Names of clusters: the words of a vocabulary that tell each from the rest. */
import type { ClusterLanguage } from '../../contract/clusters.js';
import type { TextList } from '../text-lists.js';
import { normalizedSum } from '../weighted-sum.js';
import { centered, countOf, meanOf, type Rows } from './spherical-k-means.js';
import { translated, vocabulary } from './vocabulary.js';

/** Encoders read English best: what is embedded is English, what is shown is in the language asked for. */
const prompts = [(word: string): string => word, (word: string): string => `a photo of ${word}`];
const toldWords = 5;
/** The vocabulary's embeddings in a model's space, less their mean. */
export const embeddedVocabulary: TextList<Rows> = {
  name: 'vocabulary',
  texts: vocabulary.flatMap(({ en }) => prompts.map((prompt) => prompt(en))),
  priority: 'bulk',
  atOnce: 256,
  keep: (embeddings) => {
    const dimension = embeddings[0]!.length;
    const values = new Float32Array(vocabulary.length * dimension);
    vocabulary.forEach((_, i) => {
      const word = normalizedSum(embeddings.slice(i * prompts.length, (i + 1) * prompts.length).map((embedding) => ({ embedding, weight: 1 })));
      if (word) values.set(word, i * dimension);
    });
    const rows = { values, dimension };
    return centered(rows, meanOf(rows));
  },
};

export interface Naming {
  name: string;
  words: string[];
}

/**
 * A name for each center that has none in `given`, no name twice. Centers lie around the mean of all items and words around
 * that of all words, so that what all have in common, the gap between words and pictures included, tells nobody's name.
 */
export function namesFor(centers: Rows, words: Rows, language: ClusterLanguage, given: ReadonlyMap<number, string>): Naming[] {
  const { dimension } = centers;
  const count = countOf(centers);
  const nearest = Array.from({ length: count }, (_, center) => {
    const scored = vocabulary.map((_, word) => {
      let score = 0;
      for (let i = 0; i < dimension; i++) score += centers.values[center * dimension + i]! * words.values[word * dimension + i]!;
      return { word, score };
    });
    return scored.sort((a, b) => b.score - a.score);
  });
  const taken = new Set(given.values());
  const names = new Map(given);
  // Whoever is nearest to a word has it.
  const claims = nearest.flatMap((scored, center) => (given.has(center) ? [] : scored.map(({ word, score }) => ({ center, word, score })))).sort((a, b) => b.score - a.score);
  for (const { center, word } of claims) {
    const name = vocabulary[word]![language];
    if (names.has(center) || taken.has(name)) continue;
    names.set(center, name);
    taken.add(name);
  }
  return nearest.map((scored, center) => ({ name: names.get(center) ?? `${center + 1}`, words: scored.slice(0, toldWords).map(({ word }) => vocabulary[word]![language]) }));
}

/** In another language than they were named in: a name that somebody gave stays, and so does one whose translation another has. */
export function renamedInto<T extends Naming & { renamed: boolean }>(language: ClusterLanguage, clusters: readonly T[], from: ClusterLanguage): T[] {
  if (language === from) return [...clusters];
  const taken = new Set(clusters.filter(({ renamed }) => renamed).map(({ name }) => name));
  return clusters.map((cluster) => {
    const words = cluster.words.map((word) => translated(word, from, language) ?? word);
    const wanted = cluster.renamed ? undefined : translated(cluster.name, from, language);
    const name = wanted === undefined || taken.has(wanted) ? cluster.name : wanted;
    taken.add(name);
    return { ...cluster, name, words };
  });
}
