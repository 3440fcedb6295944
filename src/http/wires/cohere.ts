/** Cohere's embeddings, version 2; its reranking is in rerank.ts. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EmbeddingEncoding } from '../../contract/embeddings.js';
import { Input, ModelId } from '../../contract/shared.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { MixspaceError } from '../../errors.js';
import { embed } from '../../operations/embed/embed.js';
import { route, type Wire, type WireCall, type WireParts } from './wire.js';

const types = ['float', 'int8', 'uint8', 'binary', 'ubinary', 'base64'] as const;
type Type = (typeof types)[number];

const EmbedRequest = z
  .object({
    model: maybe(ModelId),
    texts: maybe(list(z.string()).min(1)),
    images: maybe(list(z.string()).min(1)),
    inputs: maybe(list(z.object({ content: list(Input).min(1) })).min(1)),
    embedding_types: maybe(list(z.enum(types)).min(1).max(types.length)),
    output_dimension: maybe(z.number().int().min(0)),
    truncate: maybe(z.enum(['NONE', 'START', 'END'])),
    // Known, and of no effect.
    input_type: z.unknown().optional(),
    max_tokens: z.unknown().optional(),
    priority: z.unknown().optional(),
  })
  .refine(({ texts, images, inputs }) => [texts, images, inputs].filter((each) => each !== undefined).length === 1, 'One of texts, images and inputs is sent.');
type EmbedRequest = z.infer<typeof EmbedRequest>;

/** The service's encoding, from which Cohere's is made. */
const sourceOf = (type: Type): EmbeddingEncoding => (type === 'uint8' ? 'int8' : type);
const told = (type: Type, embedding: unknown): unknown => (type === 'uint8' ? (embedding as number[]).map((value) => value + 128) : embedding);

export const cohere: Wire = {
  name: 'cohere',
  errorBody: ({ message }) => ({ id: randomUUID(), message }),
  routes: ({ context }: WireParts) => [
    route<EmbedRequest>({
      method: 'post',
      path: '/v2/embed',
      scope: 'read',
      body: EmbedRequest,
      answer: async ({ body, caller }: WireCall<EmbedRequest>) => {
        const { model, texts, images, inputs, embedding_types: asked = ['float'], output_dimension: dimensions, truncate } = body;
        if (truncate === 'START') throw new MixspaceError('unprocessable', 'Too long a text is cut at its end: truncate takes END or NONE.', { param: 'truncate' });
        const input: Input[] = texts?.map((text) => ({ text })) ?? images?.map((image) => ({ image })) ?? inputs!.map(({ content }) => ({ content: content as (Input & { content?: never })[] }));
        const encodings = [...new Set(asked.map(sourceOf))];
        const { data, usage } = await embed(context, { model, input, encoding_format: encodings, dimensions }, caller);
        const long = data.findIndex(({ truncated }) => truncated);
        if (truncate === 'NONE' && long >= 0) throw new MixspaceError('unprocessable', 'The text is longer than the model reads, and truncate is NONE.', { param: `${texts ? 'texts' : 'inputs'}[${long}]` });
        const embeddings = Object.fromEntries(asked.map((type) => [type, data.map(({ embedding }) => told(type, (embedding as Record<string, unknown>)[sourceOf(type)]))]));
        const isMixed = data.some(({ mixed }) => mixed);
        return {
          id: randomUUID(),
          response_type: 'embeddings_by_type',
          embeddings,
          texts: texts ?? [],
          meta: {
            api_version: { version: '2' },
            billed_units: { input_tokens: usage.total_tokens, images: images?.length ?? 0 },
            ...(isMixed && { warnings: ['The parts of an input were embedded each, and their embeddings added and normalised.'] }),
          },
        };
      },
    }),
  ],
};
