import type { Input } from '../contract/common.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../contract/embeddings.js';
import { MixspaceError } from '../errors.js';
import type { Caller, Context } from './context.js';
import { checkCount, encodeInputs, priorityOf, resolveInputs } from './inputs.js';

/** `POST /v1/embeddings`: all or nothing. */
export async function embed(context: Context, request: EmbeddingsRequest, caller: Caller): Promise<EmbeddingsResponse> {
  const model = await context.encoder.model(request.model);
  if (request.dimensions !== undefined && request.dimensions !== model.dimension) {
    throw new MixspaceError('unprocessable', `Model "${model.id}" gives ${model.dimension} dimensions, not ${request.dimensions}.`, { param: 'dimensions' });
  }
  if (request.normalized === false) {
    throw new MixspaceError('unprocessable', 'Embeddings are always normalised here; leave `normalized` out.', { param: 'normalized' });
  }
  // A list of bare numbers is one token array.
  const many = Array.isArray(request.input) && typeof request.input[0] !== 'number';
  const field = (index: number): string => (many ? `input[${index}]` : 'input');
  const entries: unknown[] = many ? (request.input as unknown[]) : [request.input];
  checkCount('input', entries.length, context.limits.inputs);
  entries.forEach((entry, index) => {
    if (Array.isArray(entry) || typeof entry === 'number') {
      throw new MixspaceError('unprocessable', 'Token arrays belong to another tokenizer; send the text.', { param: field(index) });
    }
  });
  const resolved = await resolveInputs(context, entries as Input[], caller, field);
  const results = await encodeInputs(context, model.id, resolved, priorityOf(entries.length), caller, field);

  const base64 = (request.encoding_format ?? request.embedding_type) === 'base64';
  const tokens = results.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    object: 'list',
    model: model.id,
    fingerprint: model.fingerprint,
    data: results.map(({ embedding, truncated }, index) => ({
      object: 'embedding',
      index,
      embedding: base64 ? toBase64(embedding) : Array.from(embedding),
      ...(truncated ? { truncated } : {}),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Little-endian float32, as every platform that Node runs on holds it. */
function toBase64(embedding: Float32Array): string {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString('base64');
}
