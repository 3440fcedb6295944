/** How much texts and pictures have to do with a query, each by itself. */
import type { Input } from '../contract/shared.js';
import { levelOf } from '../domain/calibration.js';
import { labelBackground } from './classify/background.js';
import { calibratedScale, similarity } from './classify/scales.js';
import type { Caller, Context } from './context.js';
import { withModel } from './in-space.js';
import { encodeInputs, hasPicture, priorityOf, resolveInputs } from './input/encode.js';
import { heldBy } from './input/forms.js';
import { checkCount } from './input/limits.js';

export interface RerankRequest {
  model?: string | undefined;
  query: Input;
  documents: Input[];
  /** How many are answered; undefined: all. */
  top?: number | undefined;
}

export interface Reranked {
  model: string;
  /** Best first; equal ones as they were sent. */
  results: {
    index: number;
    /** 0..1. */
    relevance: number;
  }[];
  tokens: number;
}

/**
 * A calibrated package tells the probability that query and document, a text and a picture, say the same, and of two texts
 * by the same measure: how far their cosine stands above what the document has with names of anything. Else, and of two
 * pictures: (1 + cosine) / 2.
 */
export function rerank(context: Context, { model: id, query, documents, top = documents.length }: RerankRequest, caller: Caller): Promise<Reranked> {
  checkCount('documents', documents.length, context.limits.inputs);
  return withModel(context, id, async (model) => {
    const field = (index: number): string => (index === 0 ? 'query' : `documents[${index - 1}]`);
    const resolved = await resolveInputs(context, [query, ...documents].map((input) => heldBy(input)), caller, field);
    const [asked, ...encoded] = await encodeInputs(context, model, resolved, { priority: priorityOf(resolved.length), caller, field });
    const { calibration } = model;
    const background = calibration && (await context.texts.of(model, labelBackground));
    const isPictureAsked = hasPicture(resolved[0]!);
    const levelAsked = calibration && isPictureAsked ? levelOf(asked!.embedding, background!, calibration.sharpness) : undefined;
    const results = encoded.map(({ embedding }, index) => {
      const cosine = similarity(asked!.embedding, embedding);
      if (!calibration || (isPictureAsked && hasPicture(resolved[index + 1]!))) return { index, relevance: (1 + cosine) / 2 };
      const level = levelAsked ?? levelOf(embedding, background!, calibration.sharpness);
      return { index, relevance: calibratedScale(calibration, level).each([cosine])[0]! };
    });
    results.sort((a, b) => b.relevance - a.relevance || a.index - b.index);
    return { model: model.id, results: results.slice(0, top), tokens: [asked!, ...encoded].reduce((sum, { tokens }) => sum + tokens, 0) };
  });
}
