import type { Input, OneInput } from '../../contract/shared.js';
import type { EmbeddingEncoding, EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../context.js';
import { cut, cutFingerprint } from './matryoshka.js';
import { encoded } from './encoding-formats.js';
import { withModel } from '../in-space.js';
import { encodeInputs, priorityOf, resolveInputs } from '../input/encode.js';
import { heldBy } from '../input/forms.js';
import { checkCount } from '../input/limits.js';

/** `POST /v1/embeddings`: all or nothing. */
export function embed(context: Context, request: EmbeddingsRequest, caller: Caller): Promise<EmbeddingsResponse> {
  return withModel(context, request.model, (model) => embedWith(model, context, request, caller));
}

async function embedWith(model: ModelDescription, context: Context, request: EmbeddingsRequest, caller: Caller): Promise<EmbeddingsResponse> {
  refuseWhatIsNotDone(request);
  const encodings = encodingsOf(request);
  const normalized = request.normalized !== false;
  if (!normalized && [encodings].flat().includes('int8')) {
    throw new MixspaceError('unprocessable', 'int8 has one scale for all embeddings, which only normalised ones fit: leave `normalized` out, or ask for another encoding.', { param: 'normalized' });
  }
  const dimensions = dimensionsOf(request, model);
  const { entries, field } = entriesOf(request);
  checkCount('input', entries.length, context.limits.inputs);
  entries.forEach((entry, index) => {
    if (Array.isArray(entry) || typeof entry === 'number') {
      throw new MixspaceError('unprocessable', 'Token arrays belong to another tokenizer; send the text. LangChain does so with `check_embedding_ctx_length=False`.', { param: field(index) });
    }
  });
  const resolved = await resolveInputs(context, (entries as Input[]).map((input) => heldBy(input, request.modality)), caller, field);
  const results = await encodeInputs(context, model, resolved, { priority: priorityOf(entries.length), caller, field });

  const tokens = results.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    object: 'list',
    model: model.id,
    fingerprint: cutFingerprint(model, dimensions),
    data: results.map(({ embedding, norm, truncated, mixed }, index) => ({
      object: 'embedding',
      index,
      embedding: encoded(normalized ? cut(embedding, dimensions) : atLength(embedding.subarray(0, dimensions), norm), encodings),
      ...(truncated ? { truncated } : {}),
      ...(mixed && { mixed }),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** What is embedded, and what errors call each. */
function entriesOf({ input, messages }: EmbeddingsRequest): { entries: unknown[]; field: (index: number) => string } {
  if (messages) {
    const content = messages.flatMap(({ content: parts }): OneInput[] => (typeof parts === 'string' ? [{ text: parts }] : parts));
    return { entries: [{ content }], field: () => 'messages' };
  }
  // A list of bare numbers is one token array.
  const many = Array.isArray(input) && typeof input[0] !== 'number';
  return { entries: many ? input : [input], field: (index) => (many ? `input[${index}]` : 'input') };
}

const encodingNames = ['encoding_format', 'embedding_type', 'encoding_type', 'output_dtype'] as const;
const dimensionNames = ['dimensions', 'output_dimension'] as const;

const encodingsOf = (request: EmbeddingsRequest): EmbeddingEncoding | EmbeddingEncoding[] => agreed(request, encodingNames) ?? 'float';

/** What is said under one of these names, or under several alike: OpenAI's SDKs send `encoding_format` unasked, and what another says besides must not be overheard. */
function agreed<Name extends keyof EmbeddingsRequest>(request: EmbeddingsRequest, names: readonly Name[]): EmbeddingsRequest[Name] {
  const [first, ...others] = names.filter((name) => request[name] !== undefined);
  if (first === undefined) return undefined;
  const other = others.find((name) => String(request[name]) !== String(request[first]));
  if (other !== undefined) {
    throw new MixspaceError('invalid_request', `${other} is another name of ${first}; one says "${String(request[other])}", the other "${String(request[first])}". Send one of them.`, { param: other });
  }
  return request[first];
}

/** What would change the answer, were it done here. */
function refuseWhatIsNotDone({ truncation, return_multivector: multivector }: EmbeddingsRequest): void {
  if (truncation === false) throw new MixspaceError('unprocessable', 'Too long a text is always cut, and the answer says so (`truncated`): leave `truncation` out.', { param: 'truncation' });
  if (multivector === true) throw new MixspaceError('unprocessable', 'An input has one embedding here: leave `return_multivector` out.', { param: 'return_multivector' });
}

function dimensionsOf(request: EmbeddingsRequest, model: ModelDescription): number {
  const own = model.dimension;
  const { force_dimensions: force } = request;
  const dimensions = agreed(request, dimensionNames);
  if (dimensions === undefined || dimensions === 0 || dimensions === own) return own;
  const trained = (model.matryoshkaDimensions ?? []).filter((each) => each < own).sort((a, b) => a - b);
  if (trained.includes(dimensions) || (force === true && dimensions < own)) return dimensions;
  const allowed = trained.length === 0 ? `It was not trained to be cut: leave \`dimensions\` out` : `It was trained to be cut to ${trained.join(', ')}: ask for one of these`;
  const way = dimensions < own ? `${allowed}, or force it with \`force_dimensions\`.` : `${allowed}.`;
  throw new MixspaceError('unprocessable', `Model "${model.id}" gives ${own} dimensions, not ${dimensions}. ${way}`, { param: 'dimensions' });
}

function atLength(embedding: Float32Array, norm: number): Float32Array {
  return embedding.map((value) => value * norm);
}
