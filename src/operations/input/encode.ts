import type { Priority } from '../../domain/priority.js';
import type { ModelVersion, TextEmbedding } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import type { Caller, Context } from '../context.js';
import { normalizedSum } from '../weighted-sum.js';
import type { Held, HeldOne } from './forms.js';
import { checkCount, checkedText } from './limits.js';
import { imageBytes } from './picture.js';

/** `field`: see `HeldOne`. */
export type ResolvedOne = { text: string } | { image: Uint8Array; field: string };
export type Resolved = ResolvedOne | { parts: ResolvedOne[] };

export const onesOf = (input: Resolved): ResolvedOne[] => ('parts' in input ? input.parts : [input]);
export const hasPicture = (input: Resolved): boolean => onesOf(input).some((part) => 'image' in part);

/** How many texts and pictures are read at once. */
const atOnce = 8;

/** Texts checked, pictures read; the first bad one throws, told by its place: `input[3].image`. */
export async function resolveInputs(context: Context, inputs: Held[], caller: Caller, field: (index: number) => string): Promise<Resolved[]> {
  const parts = inputs.flatMap((held, index): { one: HeldOne; index: number }[] => ('parts' in held ? held.parts.map((one) => ({ one, index })) : [{ one: held, index }]));
  if (parts.length > inputs.length) checkCount('input', parts.length, context.limits.inputs);
  const read = await mapLimited(parts, atOnce, async ({ one, index }): Promise<ResolvedOne> => {
    try {
      return 'text' in one ? { text: checkedText(context, one.text) } : { image: await imageBytes(context, one.image, caller), field: one.field };
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(field(index) + one.field) : error;
    }
  });
  let next = 0;
  return inputs.map((held) => ('parts' in held ? { parts: held.parts.map(() => read[next++]!) } : read[next++]!));
}

export interface EncodeOptions {
  priority: Priority;
  caller: Caller;
  /** What errors call an input, by its place. */
  field: (index: number) => string;
}

/** Of one input. `mixed`: it is the normalised sum of several parts' embeddings. */
export interface InputEmbedding extends TextEmbedding {
  mixed?: true;
}

/** Texts and pictures embedded, in the order given, a picture as a text of no tokens; the first bad picture throws, told by its place. */
export async function encodeInputs(context: Context, model: ModelVersion, inputs: Resolved[], { priority, caller, field }: EncodeOptions): Promise<InputEmbedding[]> {
  const ones = inputs.flatMap((input, index) => onesOf(input).map((one) => ({ one, index })));
  const textAt: number[] = [];
  const imageAt: number[] = [];
  ones.forEach(({ one }, at) => ('text' in one ? textAt : imageAt).push(at));
  const options = { priority, signal: caller.signal };
  const [texts, images] = await Promise.all([
    textAt.length ? context.encoder.encodeTexts(model, textAt.map((at) => (ones[at]!.one as { text: string }).text), options) : [],
    imageAt.length ? context.encoder.encodeImages(model, imageAt.map((at) => (ones[at]!.one as { image: Uint8Array }).image), options) : [],
  ]);
  const results = new Array<TextEmbedding>(ones.length);
  textAt.forEach((at, i) => (results[at] = texts[i]!));
  imageAt.forEach((at, i) => {
    const outcome = images[i]!;
    const { one, index } = ones[at]!;
    if (!outcome.ok) throw outcome.error.at(field(index) + (one as { field: string }).field);
    const { embedding, norm } = outcome.value;
    results[at] = { embedding, norm, tokens: 0, truncated: false };
  });
  let next = 0;
  return inputs.map((input, index) => {
    const own = results.slice(next, (next += onesOf(input).length));
    return own.length === 1 ? own[0]! : mixed(own, `${field(index)}.content`);
  });
}

/** The towers embed one part each: what several say together is their sum, each as heavy as the others. */
function mixed(parts: TextEmbedding[], field: string): InputEmbedding {
  const embedding = normalizedSum(parts.map((part) => ({ embedding: part.embedding, weight: 1 })));
  if (!embedding) throw new MixspaceError('unprocessable', 'The parts cancel each other out: their embeddings have no direction together.', { param: field });
  return { embedding, norm: 1, tokens: parts.reduce((sum, { tokens }) => sum + tokens, 0), truncated: parts.some(({ truncated }) => truncated), mixed: true };
}

/** Few inputs are a person's or a page's; many are a batch job. */
export function priorityOf(count: number): Priority {
  return count <= 8 ? 'interactive' : 'bulk';
}
