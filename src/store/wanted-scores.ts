import type { ScoreScale } from '../domain/standard-scores.js';
import type { Neighbors } from './vector-index.js';

/** The standard score of the one at that place, the first being 1, among all that the lists hold; -Infinity where there are not so many. */
export function standardAt(place: number, lists: Neighbors[], scales: ScoreScale[]): number {
  const scores = lists.flatMap(({ neighbors }, i) => neighbors.map(({ score }) => scales[i]!.standard(score)));
  return scores.sort((a, b) => b - a)[place - 1] ?? -Infinity;
}
