import type { Input } from '../../contract/shared.js';
import type { EmbeddingEncoding, EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../context.js';
import { cut, cutFingerprint } from './matryoshka.js';
import { encoded } from './encoding-formats.js';
import { withModel } from '../in-space.js';
import { encodeInputs, priorityOf, resolveInputs } from '../input/encode.js';
import { checkCount } from '../input/limits.js';

/** `POST /v1/embeddings`: all or nothing. */
export function embed(context: Context, request: EmbeddingsRequest, caller: Caller): Promise<EmbeddingsResponse> {
  return withModel(context, request.model, (model) => embedWith(model, context, request, caller));
}

async function embedWith(model: ModelDescription, context: Context, request: EmbeddingsRequest, caller: Caller): Promise<EmbeddingsResponse> {
  const encodings = encodingsOf(request);
  const normalized = request.normalized !== false;
  if (!normalized && [encodings].flat().includes('int8')) {
    throw new MixspaceError('unprocessable', 'int8 has one scale for all embeddings, which only normalised ones fit: leave `normalized` out, or ask for another encoding.', { param: 'normalized' });
  }
  const dimensions = dimensionsOf(request, model);
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
  const results = await encodeInputs(context, model, resolved, { priority: priorityOf(entries.length), caller, field });

  const tokens = results.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    object: 'list',
    model: model.id,
    fingerprint: cutFingerprint(model, dimensions),
    data: results.map(({ embedding, norm, truncated }, index) => ({
      object: 'embedding',
      index,
      embedding: encoded(normalized ? cut(embedding, dimensions) : atLength(embedding.subarray(0, dimensions), norm), encodings),
      ...(truncated ? { truncated } : {}),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** OpenAI's SDKs send `encoding_format` unasked: what `embedding_type` says besides must not be overheard. */
function encodingsOf({ encoding_format: format, embedding_type: type }: EmbeddingsRequest): EmbeddingEncoding | EmbeddingEncoding[] {
  if (format !== undefined && type !== undefined && String(format) !== String(type)) {
    throw new MixspaceError('invalid_request', `embedding_type is another name of encoding_format; one says "${String(type)}", the other "${String(format)}". Send one of them.`, { param: 'embedding_type' });
  }
  return format ?? type ?? 'float';
}

function dimensionsOf({ dimensions, force_dimensions: force }: EmbeddingsRequest, model: ModelDescription): number {
  const own = model.dimension;
  if (dimensions === undefined || dimensions === own) return own;
  const trained = (model.matryoshkaDimensions ?? []).filter((each) => each < own).sort((a, b) => a - b);
  if (trained.includes(dimensions) || (force === true && dimensions < own)) return dimensions;
  const allowed = trained.length === 0 ? `It was not trained to be cut: leave \`dimensions\` out` : `It was trained to be cut to ${trained.join(', ')}: ask for one of these`;
  const way = dimensions < own ? `${allowed}, or force it with \`force_dimensions\`.` : `${allowed}.`;
  throw new MixspaceError('unprocessable', `Model "${model.id}" gives ${own} dimensions, not ${dimensions}. ${way}`, { param: 'dimensions' });
}

function atLength(embedding: Float32Array, norm: number): Float32Array {
  return embedding.map((value) => value * norm);
}
