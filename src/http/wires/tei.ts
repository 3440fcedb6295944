/** Text Embeddings Inference: its own routes, and the one that Hugging Face's InferenceClient calls. */
import { z } from 'zod';
import { Input } from '../../contract/shared.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { statusOf } from '../errors.js';
import { embed } from '../../operations/embed/embed.js';
import { version } from '../../program-facts.js';
import { route, type Wire, type WireCall, type WireParts } from './wire.js';

const EmbedRequest = z.object({
  inputs: z.union([Input, list(Input).min(1)], { error: 'inputs is a text, or a list of at least one.' }),
  normalize: maybe(z.boolean()),
  dimensions: maybe(z.number().int().min(0)),
  // Known, and of no effect: texts that are too long are always cut, at their end.
  truncate: z.unknown().optional(),
  truncation_direction: z.unknown().optional(),
  prompt_name: z.unknown().optional(),
});
type EmbedRequest = z.infer<typeof EmbedRequest>;

/** By status, as the service names them. */
const errorTypes: Record<number, string> = { 400: 'Validation', 413: 'Validation', 415: 'Validation', 422: 'Validation', 429: 'Overloaded', 503: 'Unhealthy' };

export const tei: Wire = {
  name: 'tei',
  errorBody: (error) => ({ error: error.message, error_type: errorTypes[statusOf[error.code]] ?? 'Backend' }),
  fields: { input: 'inputs' },
  routes: ({ context }: WireParts) => {
    const answer = async ({ body: { inputs, normalize, dimensions }, caller }: WireCall<EmbedRequest>): Promise<unknown> => {
      const { data } = await embed(context, { input: inputs, ...(normalize === undefined ? {} : { normalized: normalize }), ...(dimensions === undefined ? {} : { dimensions }) }, caller);
      return data.map(({ embedding }) => embedding);
    };
    return [
      route<EmbedRequest>({ method: 'post', path: '/embed', scope: 'read', body: EmbedRequest, answer }),
      route<EmbedRequest>({ method: 'post', path: '/', scope: 'read', body: EmbedRequest, answer }),
      route({ method: 'get', path: '/health', scope: 'read', answer: () => '' }),
      route({
        method: 'get',
        path: '/info',
        scope: 'read',
        answer: () => {
          const model = context.models.defaultModel;
          return {
            model_id: model.id,
            model_sha: model.fingerprint,
            served_model_name: model.id,
            model_dtype: 'float32',
            model_type: { embedding: { pooling: 'cls' } },
            max_concurrent_requests: context.limits.inputs,
            max_input_length: model.contextLength,
            max_batch_tokens: context.limits.inputs * (model.contextLength ?? 1),
            max_client_batch_size: context.limits.inputs,
            auto_truncate: true,
            tokenization_workers: 1,
            version,
            max_batch_requests: null,
            sha: null,
            docker_label: null,
          };
        },
      }),
    ];
  },
};
