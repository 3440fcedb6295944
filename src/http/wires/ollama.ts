/** Ollama, as far as it embeds and tells of models. */
import { z } from 'zod';
import { limits } from '../../contract/limits.js';
import type { Model } from '../../contract/models.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../../operations/context.js';
import { embed } from '../../operations/embed/embed.js';
import { getModel, listModels } from '../../operations/models.js';
import { version } from '../../program-facts.js';
import { route, type Wire, type WireParts } from './wire.js';

const nanoseconds = 1e6;
/** Of a model that stays loaded for as long as it is used. */
const farOff = '2318-01-01T00:00:00Z';

const ModelName = z.string().max(limits.modelLength);

const EmbedRequest = z.object({
  model: ModelName,
  input: maybe(z.union([z.string(), list(z.string())], { error: 'input is a text, or a list of texts.' })),
  truncate: maybe(z.boolean()),
  dimensions: maybe(z.number().int().min(0)),
});
type EmbedRequest = z.infer<typeof EmbedRequest>;

/** The older form, of one text. */
const EmbeddingsRequest = z.object({ model: ModelName, prompt: maybe(z.string()) });
type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

const ShowRequest = z.object({ model: maybe(ModelName), name: maybe(ModelName) });
type ShowRequest = z.infer<typeof ShowRequest>;

export const ollama: Wire = {
  name: 'ollama',
  errorBody: (error) => ({ error: error.message }),
  routes: ({ context }: WireParts) => [
    route<EmbedRequest>({
      method: 'post',
      path: '/api/embed',
      scope: 'read',
      body: EmbedRequest,
      answer: async ({ body, caller }) => {
        const started = performance.now();
        const { id } = await modelNamed(context, body.model);
        const { embeddings, tokens } = await embedded(context, { ...body, id }, caller);
        return { model: body.model, embeddings, total_duration: Math.round((performance.now() - started) * nanoseconds), load_duration: 0, prompt_eval_count: tokens };
      },
    }),
    route<EmbeddingsRequest>({
      method: 'post',
      path: '/api/embeddings',
      scope: 'read',
      body: EmbeddingsRequest,
      answer: async ({ body: { model, prompt }, caller }) => {
        const { id } = await modelNamed(context, model);
        const { embeddings } = await embedded(context, { id, input: prompt }, caller);
        return { embedding: embeddings[0] ?? [] };
      },
    }),
    route({ method: 'get', path: '/api/tags', scope: 'read', answer: async () => ({ models: (await usable(context)).map(listed) }) }),
    route({
      method: 'get',
      path: '/api/ps',
      scope: 'read',
      answer: async () => ({ models: (await usable(context)).filter(({ loaded }) => loaded).map((model) => ({ ...listed(model), expires_at: farOff, size_vram: 0, context_length: model.context_length ?? 0 })) }),
    }),
    route({ method: 'get', path: '/api/version', scope: 'read', answer: () => ({ version }) }),
    route<ShowRequest>({
      method: 'post',
      path: '/api/show',
      scope: 'read',
      body: ShowRequest,
      answer: async ({ body: { model, name = model } }) => {
        if (name === undefined) throw new MixspaceError('invalid_request', 'model is required', { param: 'model' });
        return shown(await modelNamed(context, model ?? name));
      },
    }),
  ],
};

/** `small:latest` names `small`. @throws MixspaceError `not_found`, in the words that clients look for. */
async function modelNamed(context: Context, name: string): Promise<Model> {
  try {
    return await getModel(context, name.replace(/:latest$/, ''));
  } catch (error) {
    if (!(error instanceof MixspaceError) || error.code !== 'not_found') throw error;
    throw new MixspaceError('not_found', `model '${name}' not found`, { param: 'model' });
  }
}

interface Asked {
  id: string;
  input?: string | string[] | undefined;
  truncate?: boolean | undefined;
  dimensions?: number | undefined;
}

async function embedded(context: Context, { id, input = [], truncate, dimensions }: Asked, caller: Caller): Promise<{ embeddings: unknown[]; tokens: number }> {
  // An empty text alone asks for no embedding: so clients load a model.
  const texts = input === '' ? [] : [input].flat();
  if (texts.length === 0) return { embeddings: [], tokens: 0 };
  const { data, usage } = await embed(context, { model: id, input: texts, ...(dimensions === undefined ? {} : { dimensions }) }, caller);
  if (truncate === false && data.some(({ truncated }) => truncated)) throw new MixspaceError('invalid_request', 'the input length exceeds the context length', { param: 'input' });
  return { embeddings: data.map(({ embedding }) => embedding), tokens: usage.prompt_tokens };
}

const usable = async (context: Context): Promise<Model[]> => (await listModels(context)).data.filter(({ fingerprint }) => fingerprint !== null);

const modifiedAt = ({ created }: Model): string => new Date(created * 1000).toISOString();
const detailsOf = ({ variant }: Model): object => ({ parent_model: '', format: 'onnx', family: 'clip', families: ['clip'], parameter_size: '', quantization_level: variant ?? '' });

function listed(model: Model): object {
  const name = `${model.id}:latest`;
  return { name, model: name, modified_at: modifiedAt(model), size: model.memory_bytes, digest: model.fingerprint ?? '', details: detailsOf(model) };
}

function shown(model: Model): object {
  return {
    license: model.license ?? '',
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(model),
    model_info: { 'general.architecture': 'clip', 'general.basename': model.id, 'clip.context_length': model.context_length, 'clip.embedding_length': model.dimensions },
    capabilities: ['embedding'],
    modified_at: modifiedAt(model),
  };
}
