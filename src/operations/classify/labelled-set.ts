import type { Label } from '../../contract/classify.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import type { Caller, Context } from '../context.js';
import type { LabelledSet } from './answers.js';
import { hierarchyOf } from './hierarchy.js';
import { embedLabels, labelNames } from './labels.js';

/** @throws MixspaceError `invalid_request`: labels that stand twice, or have parents that are none; `too_large`: too many of them, or of their prompts. */
export async function labelledSet(context: Context, model: ModelDescription, { labels, templates }: { labels: Label[]; templates?: string[] | undefined }, caller: Caller): Promise<LabelledSet> {
  const names = labelNames(context, labels);
  const hierarchy = hierarchyOf(labels);
  return { names, hierarchy, labels, ...(await embedLabels(context, model, { labels, templates }, caller)) };
}
