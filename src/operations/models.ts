import type { Model, ModelList, SelfTest } from '../contract/models.js';
import type { ListedModel } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Context } from './context.js';

/** `GET /v1/models`: the default one first, after packages were looked for again. */
export async function listModels(context: Context): Promise<ModelList> {
  await context.models.look();
  return { object: 'list', data: context.models.list().map(told) };
}

/** `GET /v1/models/{id}`, or by another name of it. @throws MixspaceError `not_found`. */
export async function getModel(context: Context, id: string): Promise<Model> {
  const isMeant = (model: ListedModel): boolean => model.id === id || model.aliases.includes(id);
  if (!context.models.list().some(isMeant)) await context.models.look();
  const found = context.models.list().find(isMeant);
  if (!found) throw new MixspaceError('not_found', `There is no model ${JSON.stringify(id)}; there are ${context.models.list().map((model) => model.id).join(', ')}.`, { param: 'id' });
  return told(found);
}

/** `POST /v1/models/{id}/selftest`: the golden vectors once more, now. */
export async function selfTest(context: Context, id: string): Promise<{ id: string } & Omit<SelfTest, 'error'>> {
  return { id, ...(await context.models.selfTest(id)) };
}

function told({ id, aliases, changedAt, description: model, problem, replacement, loadedIn, memoryBytes }: ListedModel): Model {
  const state = { id, object: 'model' as const, created: changedAt, owned_by: 'mixspace' as const, aliases, loaded: loadedIn > 0, loaded_in: loadedIn, memory_bytes: memoryBytes };
  if (!model) {
    const unknown = { modalities: [], dimensions: null, context_length: null, image_size: null, fingerprint: null, license: null, logit_scale: null };
    return { ...state, ...unknown, self_test: problem === undefined ? { status: 'pending' } : { status: 'unusable', error: problem } };
  }
  return {
    ...state,
    modalities: model.modalities,
    dimensions: model.dimension,
    context_length: model.contextLength ?? null,
    image_size: model.imageSize ?? null,
    fingerprint: model.fingerprint,
    license: model.license ?? null,
    ...(model.description === undefined ? {} : { description: model.description }),
    ...(model.languages === undefined ? {} : { languages: model.languages }),
    execution_provider: model.executionProvider,
    variant: model.variant,
    variants: model.variants,
    preprocess_speed: model.preprocessSpeed,
    batching: model.batching,
    logit_scale: model.logitScale,
    ...(model.logitBias === undefined ? {} : { logit_bias: model.logitBias }),
    ...(model.activation === undefined ? {} : { activation: model.activation }),
    ...(model.templates === undefined ? {} : { templates: model.templates }),
    ...(model.noMatch === undefined ? {} : { no_match: model.noMatch }),
    ...(model.calibration === undefined ? {} : { calibrated: true as const }),
    ...(model.matryoshkaDimensions === undefined ? {} : { matryoshka_dimensions: model.matryoshkaDimensions }),
    ...(replacement === undefined ? {} : { replacement: replacement === 'checking' ? { status: replacement } : { status: 'unusable', error: replacement.problem } }),
    self_test: model.selfTest,
  };
}
