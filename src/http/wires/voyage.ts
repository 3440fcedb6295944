/** Voyage's multimodal embeddings; its others are /v1/embeddings, its reranking is in rerank.ts. */
import { z } from 'zod';
import { EmbeddingEncoding } from '../../contract/embeddings.js';
import { limits } from '../../contract/limits.js';
import { ModelId, type OneInput } from '../../contract/shared.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { embed } from '../../operations/embed/embed.js';
import { errorBody } from '../errors.js';
import { route, type Wire, type WireCall, type WireParts } from './wire.js';

const Part = z.discriminatedUnion('type', [z.object({ type: z.literal('text'), text: z.string() }), z.object({ type: z.literal('image_url'), image_url: z.string() }), z.object({ type: z.literal('image_base64'), image_base64: z.string() })], {
  error: 'A part is {"type": "text", "text"}, {"type": "image_url", "image_url"} or {"type": "image_base64", "image_base64"}.',
});

const EmbedRequest = z.object({
  model: maybe(ModelId),
  inputs: list(z.object({ content: list(Part).min(1).max(limits.contentParts, `content has at most ${limits.contentParts} parts.`) })).min(1),
  encoding_format: maybe(z.literal('base64')),
  output_dtype: maybe(EmbeddingEncoding),
  output_dimension: maybe(z.number().int().min(0)),
  truncation: maybe(z.boolean()),
  // Known, and of no effect.
  input_type: z.unknown().optional(),
});
type EmbedRequest = z.infer<typeof EmbedRequest>;

function inputOf(part: z.infer<typeof Part>): OneInput {
  if (part.type === 'text') return { text: part.text };
  return { image: part.type === 'image_url' ? part.image_url : part.image_base64 };
}

export const voyage: Wire = {
  name: 'voyage',
  errorBody,
  fields: { input: 'inputs' },
  routes: ({ context }: WireParts) => [
    route<EmbedRequest>({
      method: 'post',
      path: '/v1/multimodalembeddings',
      scope: 'read',
      body: EmbedRequest,
      answer: async ({ body, caller }: WireCall<EmbedRequest>) => {
        const { model, inputs, encoding_format: encoding, output_dtype: type, output_dimension: dimensions, truncation } = body;
        const { usage, ...answer } = await embed(context, { model, input: inputs.map(({ content }) => ({ content: content.map(inputOf) })), encoding_format: encoding ?? type, dimensions, truncation }, caller);
        // Pictures count no tokens here; the client reads a number all the same.
        return { ...answer, usage: { text_tokens: usage.total_tokens, image_pixels: 0, video_pixels: 0, total_tokens: usage.total_tokens } };
      },
    }),
  ],
};
