import type { ClassifyRequest, ClassifyResponse } from '../../contract/classify.js';
import type { Input } from '../../contract/shared.js';
import { levelOf } from '../../domain/calibration.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import { classifierOf } from '../classifiers/classifiers.js';
import type { Caller, Context } from '../context.js';
import { withModel } from '../in-space.js';
import { encodeInputs, hasPicture, priorityOf, resolveInputs } from '../input/encode.js';
import { heldBy } from '../input/forms.js';
import { checkCount } from '../input/limits.js';
import { answerOf, type AnswerOptions } from './answers.js';
import { labelBackground } from './background.js';
import { labelledSet } from './labelled-set.js';
import { activationOf, calibratedScale, ownScale, type Scale } from './scales.js';

/** `POST /v1/classify`. */
export async function classify(context: Context, request: ClassifyRequest, caller: Caller): Promise<ClassifyResponse> {
  const saved = request.classifier === undefined ? undefined : await classifierOf(context, request.classifier, caller);
  return withModel(context, saved?.model ?? request.model, async (model) => {
    const activation = activationOf(model, request.activation);
    const labelled = saved ? await saved.of(model) : await labelledSet(context, model, { labels: request.labels!, templates: request.templates }, caller);
    const scaleOf = await scales(context, model, { ...request, activation, isAsked: request.activation !== undefined, labels: labelled.names.length, temperature: labelled.fewShot?.temperature });
    const many = Array.isArray(request.input);
    const inputs: Input[] = Array.isArray(request.input) ? request.input : [request.input];
    checkCount('input', inputs.length, context.limits.inputs);
    const field = (index: number): string => (many ? `input[${index}]` : 'input');
    const resolved = await resolveInputs(context, inputs.map((input) => heldBy(input)), caller, field);
    const encoded = await encodeInputs(context, model, resolved, { priority: priorityOf(inputs.length), caller, field });
    const tokens = encoded.reduce((sum, each) => sum + each.tokens, labelled.tokens);
    return {
      object: 'list',
      model: model.id,
      data: encoded.map(({ embedding, mixed }, index) => ({ object: 'classification' as const, index, ...answerOf(labelled, embedding, scaleOf(embedding, hasPicture(resolved[index]!)), options(request)), ...(mixed && { mixed }) })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  });
}

export interface ScaleRequest {
  activation: 'softmax' | 'sigmoid';
  /** Somebody asked for this activation. */
  isAsked: boolean;
  abstain?: 'none' | 'auto' | undefined;
  multi_label?: boolean | undefined;
  calibrated?: boolean | undefined;
  /** How many there are. */
  labels: number;
  /** Divides the logits of the model's own scale. */
  temperature?: number | undefined;
}

/** The scale for an embedding: calibrated where that is asked for, the model has one, and it is a picture's. */
export async function scales(context: Context, model: ModelDescription, request: ScaleRequest): Promise<(embedding: Float32Array, isPicture: boolean) => Scale> {
  const { activation, isAsked, abstain, multi_label: multiLabel = false, calibrated = false, labels, temperature = 1 } = request;
  const { logitScale, logitBias } = model;
  const own = ownScale({ logitScale: logitScale / temperature, ...(logitBias === undefined ? {} : { logitBias: logitBias / temperature }) }, activation);
  const { calibration } = model;
  for (const [name, isWanted] of [['multi_label', multiLabel], ['calibrated', calibrated], ['abstain', abstain === 'auto']] as const) {
    if (isWanted && isAsked) throw new MixspaceError('invalid_request', `An activation is the model's own scale, ${name} asks for the calibrated one: leave one of the two out.`, { param: name });
  }
  if (multiLabel && !calibration && model.logitBias === undefined) {
    throw new MixspaceError('unprocessable', `Model "${model.id}" has neither a calibration nor a trained bias: of a label alone it knows nothing. \`mixspace models calibrate\` gives it one.`, { param: 'multi_label' });
  }
  if (!calibration || isAsked || !(multiLabel || calibrated || abstain === 'auto' || labels === 1)) return () => own;
  const background = await context.texts.of(model, labelBackground);
  return (embedding, isPicture) => (isPicture ? calibratedScale(calibration, levelOf(embedding, background, calibration.sharpness)) : own);
}

function options({ threshold, top_k: topK, abstain, multi_label: multiLabel = false }: ClassifyRequest): AnswerOptions {
  return { threshold, topK, abstains: abstain === 'auto', multiLabel };
}
