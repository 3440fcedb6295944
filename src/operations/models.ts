import type { ModelList, SelfTest } from '../contract/models.js';
import type { Context } from './context.js';

/** `GET /v1/models`: the default one first. */
export function listModels(context: Context): ModelList {
  return {
    object: 'list',
    data: context.encoder.models().map((model) => ({
      id: model.id,
      object: 'model',
      modalities: model.modalities,
      dimensions: model.dimension,
      context_length: model.contextLength,
      image_size: model.imageSize,
      fingerprint: model.fingerprint,
      license: model.license ?? null,
      ...(model.description === undefined ? {} : { description: model.description }),
      ...(model.languages === undefined ? {} : { languages: model.languages }),
      loaded: model.loaded,
      variant: model.variant,
      variants: model.variants,
      batching: model.batching,
      logit_scale: model.logitScale,
      ...(model.logitBias === undefined ? {} : { logit_bias: model.logitBias }),
      ...(model.activation === undefined ? {} : { activation: model.activation }),
      ...(model.templates === undefined ? {} : { templates: model.templates }),
      ...(model.noMatch === undefined ? {} : { no_match: model.noMatch }),
      self_test: model.selfTest,
    })),
  };
}

/** `POST /v1/models/{id}/selftest`: the golden vectors once more, now. */
export async function selfTest(context: Context, id: string): Promise<{ id: string } & SelfTest> {
  return { id, ...(await context.encoder.selfTest(id)) };
}
