import { scaleOf } from '../../../domain/standard-scores.js';

/**
 * How likely it is that a match is what was asked for: logistic in its score's places among others'.
 *
 * Nothing in it is a model's own: `among pictures` is the score less the mean of what the query scores against the whole
 * list, over the deviation; `among texts` the same against what background texts score with the query's nearest. So one
 * set of coefficients does for all models, queries and collections; scripts/fit-relevance.py fitted them on names that no
 * evaluation asks for.
 */
export interface Evidence {
  /** Of the query's scores against the list. */
  list: { mean: number; deviation: number };
  /** Of background texts' scores with the query's nearest; absent where no text was asked. */
  texts?: { mean: number; deviation: number };
  /** Embeddings in the list: among many, one scores high by chance. */
  count: number;
}

const ofTexts = { texts: 0.8995, list: 0.3755, count: -0.2799, bias: -4.8909 };
const ofOthers = { texts: 0, list: 0.658, count: 0, bias: -3.051 };

/** Below it, the best of a list is not what was asked for, and the list is empty. Low: to miss what is there is worse than to see what is not. */
export const leastRelevance = 0.04;
/** The same where the model does not know a word of the query, among others that it knows: they must be clearly there. */
export const leastWhereUnknown = 0.08;
/** Beside one that is, the others may be less sure. */
export const leastBeside = 0.02;

/** The shares of a list's matches that are what was asked for, by their scores: rises with the score. */
export interface Relevance {
  /** 0..1. */
  of(score: number): number;
  /** The score from which on it is at least that; infinite where none is enough. */
  scoreAt(relevance: number): number;
}

export function relevanceBy({ list, texts, count }: Evidence): Relevance {
  const { bias, count: perCount, ...weights } = texts ? ofTexts : ofOthers;
  const perList = weights.list / deviationOf(list);
  const perTexts = texts ? weights.texts / deviationOf(texts) : 0;
  const slope = perList + perTexts;
  const start = bias + perCount * Math.log(Math.max(1, count)) - perList * list.mean - perTexts * (texts?.mean ?? 0);
  const logits = scaleOf(-start / slope, 1 / slope);
  return {
    of: (score) => 1 / (1 + Math.exp(-logits.standard(score))),
    scoreAt: (relevance) => logits.scoreAt(Math.log(relevance / (1 - relevance))),
  };
}

const leastDeviation = 1e-3;
/** Not below what a list of one has. */
export const deviationOf = ({ deviation }: { deviation: number }): number => Math.max(leastDeviation, deviation);
