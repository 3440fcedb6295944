import type { Input } from '../../contract/shared.js';
import type { Priority } from '../../domain/priority.js';
import type { ModelVersion, TextEmbedding } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import type { Caller, Context } from '../context.js';
import { checkedText } from './limits.js';
import { imageBytes, pictureIn } from './picture.js';

export type Resolved = { text: string } | { image: Uint8Array };

/** Texts checked, pictures read; the first bad one throws, told by its place: `input[3].image`. */
export async function resolveInputs(context: Context, inputs: Input[], caller: Caller, field: (index: number) => string): Promise<Resolved[]> {
  return mapLimited(inputs, 8, async (sent, index) => {
    const input = typeof sent === 'string' ? (pictureIn(sent) ?? sent) : sent;
    try {
      if (typeof input === 'string') return { text: checkedText(context, input) };
      if ('text' in input) return { text: checkedText(context, input.text) };
      return { image: await imageBytes(context, input.image, caller) };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      throw error.at(typeof input === 'string' ? field(index) : `${field(index)}.${'text' in input ? 'text' : 'image'}`);
    }
  });
}

export interface EncodeOptions {
  priority: Priority;
  caller: Caller;
  /** What errors call an input, by its place. */
  field: (index: number) => string;
}

/** Texts and pictures embedded, in the order given, a picture as a text of no tokens; the first bad picture throws, told by its place. */
export async function encodeInputs(context: Context, model: ModelVersion, inputs: Resolved[], { priority, caller, field }: EncodeOptions): Promise<TextEmbedding[]> {
  const textAt: number[] = [];
  const imageAt: number[] = [];
  inputs.forEach((input, index) => ('text' in input ? textAt : imageAt).push(index));
  const options = { priority, signal: caller.signal };
  const [texts, images] = await Promise.all([
    textAt.length ? context.encoder.encodeTexts(model, textAt.map((index) => (inputs[index] as { text: string }).text), options) : [],
    imageAt.length ? context.encoder.encodeImages(model, imageAt.map((index) => (inputs[index] as { image: Uint8Array }).image), options) : [],
  ]);
  const results = new Array<TextEmbedding>(inputs.length);
  textAt.forEach((index, i) => (results[index] = texts[i]!));
  imageAt.forEach((index, i) => {
    const outcome = images[i]!;
    if (!outcome.ok) throw outcome.error.at(`${field(index)}.image`);
    const { embedding, norm } = outcome.value;
    results[index] = { embedding, norm, tokens: 0, truncated: false };
  });
  return results;
}

/** Few inputs are a person's or a page's; many are a batch job. */
export function priorityOf(count: number): Priority {
  return count <= 8 ? 'interactive' : 'bulk';
}
