import type { ClassifyResponse, Label } from '../../contract/classify.js';
import type { FewShot } from './few-shot.js';
import { deepest, scoresOf, type Hierarchy } from './hierarchy.js';
import { partsOf } from './labels.js';
import { similarity, type Scale } from './scales.js';

export interface LabelledSet {
  labels: Label[];
  names: string[];
  hierarchy: Hierarchy;
  /** Of the labels, normalised. */
  embeddings: readonly Float32Array[];
  /** What it took to embed them. */
  tokens: number;
  /** Learnt from examples: what it says of an embedding counts beside the labels' similarities. */
  fewShot?: FewShot;
}

export interface AnswerOptions {
  threshold?: number | undefined;
  topK?: number | undefined;
  abstains: boolean;
  multiLabel: boolean;
}

export type Answer = Omit<ClassifyResponse['data'][number], 'object' | 'index'>;

const holds = 0.5;

/** What one embedding is, by the labels. */
export function answerOf({ labels, names, hierarchy, embeddings, fewShot }: LabelledSet, embedding: Float32Array, scale: Scale, { threshold, topK, abstains, multiLabel }: AnswerOptions): Answer {
  const similarities = embeddings.map((label) => similarity(label, embedding));
  const { scores, none } = scoresOf(hierarchy, fewShot ? fewShot.adjust(embedding, similarities) : similarities, scale, howAsked(hierarchy, scale, abstains, multiLabel));
  const isCalibrated = scale.isCalibrated && !fewShot;
  const order = names.map((_, index) => index).sort((a, b) => scores[b]! - scores[a]! || similarities[b]! - similarities[a]!);
  const predictions = order.slice(0, topK ?? names.length).map((index) => {
    const { parent } = partsOf(labels[index]!);
    return { label: names[index]!, ...(parent === undefined ? {} : { parent }), score: scores[index]!, similarity: similarities[index]! };
  });
  const best = deepest(hierarchy, scores, threshold ?? 0);
  const top = scores[order[0]!]!;
  const abstained = abstains && none !== undefined && none > top;
  const prediction = best === undefined || abstained || (multiLabel && top < (threshold ?? holds)) ? null : names[best]!;
  return {
    prediction,
    score: top,
    ...(isCalibrated ? { calibrated: true as const } : {}),
    ...(abstains && none !== undefined ? { none } : {}),
    ...(multiLabel ? { labels: order.filter((index) => scores[index]! >= (threshold ?? holds)).map((index) => names[index]!) } : {}),
    predictions,
  };
}

/** On the calibrated scale, a choice that may not be none of several labels is one of them. */
function howAsked({ roots }: Hierarchy, scale: Scale, abstains: boolean, multiLabel: boolean): 'among' | 'choice' | 'each' {
  if (multiLabel) return 'each';
  return scale.isCalibrated && !abstains && roots.length > 1 ? 'choice' : 'among';
}
