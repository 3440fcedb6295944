import type { ImageEmbedding } from '../../encoder/encoder.js';
import type { Caller, Context } from '../context.js';
import { withModel } from '../in-space.js';
import { priorityOf } from '../input/encode.js';

/** One picture's bytes as they are, at most as many as the limit of pictures. @throws MixspaceError what `Encoder` says of models and pictures. */
export function embedPicture(context: Context, { model, bytes }: { model: string; bytes: Uint8Array }, caller: Caller): Promise<ImageEmbedding> {
  return withModel(context, model, async (version) => {
    const [outcome] = await context.encoder.encodeImages(version, [bytes], { priority: priorityOf(1), signal: caller.signal });
    if (!outcome!.ok) throw outcome!.error;
    return outcome!.value;
  });
}
