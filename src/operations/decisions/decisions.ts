/** `POST /v1/decisions`: each question is answered by itself, so that none changes another's answer. */
import type { DecisionAnswer, DecisionsRequest, DecisionsResponse, Question } from '../../contract/decisions.js';
import type { Input } from '../../contract/shared.js';
import { levelOf } from '../../domain/calibration.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import { labelBackground } from '../classify/background.js';
import { embedEnsembles } from '../classify/labels.js';
import { activationOf, calibratedScale, ownScale, similarity, type Scale } from '../classify/scales.js';
import type { Caller, Context } from '../context.js';
import { withModel } from '../in-space.js';
import { encodeInputs, priorityOf, resolveInputs } from '../input/encode.js';
import { heldBy } from '../input/forms.js';
import { checkCount, checkedText } from '../input/limits.js';
import { normalizedSum } from '../weighted-sum.js';
import { describedBy, promptOf } from './description.js';

/** Options that are embedded, and held, together; a question's stay together. */
const optionsAtOnce = 1_024;
/** What the clients of the services that speak this protocol call their models. */
const otherServices = /^(?:gpt|gemini|o\d)-/i;

export function decide(context: Context, request: DecisionsRequest, caller: Caller): Promise<DecisionsResponse> {
  const id = request.model === undefined || otherServices.test(request.model) ? undefined : request.model;
  checkValues(request.questions);
  return withModel(context, id, async (model) => {
    const judged = await judgedInput(context, model, request.input, caller);
    const answers: DecisionAnswer[] = [];
    let tokens = judged.tokens;
    for (let from = 0; from < request.questions.length; ) {
      const asked: { question: Question; options: Options }[] = [];
      for (let count = 0; from < request.questions.length && count < optionsAtOnce; from++) {
        const question = request.questions[from]!;
        const options = optionsOf(context, question, from);
        asked.push({ question, options });
        count += 'prompts' in options ? options.prompts.length : 0;
      }
      const prompts = asked.flatMap(({ options }) => ('prompts' in options ? options.prompts : []));
      const embedded = await embedEnsembles(context, model, prompts.map((prompt) => [prompt]), caller);
      let at = 0;
      for (const { question, options } of asked) {
        if ('refusal' in options) answers.push(refused(question, options.refusal));
        else {
          const own = embedded.slice(at, (at += options.prompts.length));
          tokens += own.reduce((sum, each) => sum + each.tokens, 0);
          answers.push(answerTo(question, own.map(({ embedding }) => similarity(embedding, judged.embedding)), judged));
        }
      }
    }
    return {
      model: model.id,
      answers,
      calibrated: judged.scale.isCalibrated,
      usage: { input_tokens: tokens, input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 }, output_tokens: 0, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: tokens },
    };
  });
}

interface Judged {
  embedding: Float32Array;
  tokens: number;
  scale: Scale;
  /** Why a yes or no about it cannot be told. */
  noYesNo?: string;
}

/** Its pictures, where it has some, as one; else its texts, which are cut where the model's context ends. */
async function judgedInput(context: Context, model: ModelDescription, input: DecisionsRequest['input'], caller: Caller): Promise<Judged> {
  const parts: { at: string; input: Input }[] = [];
  if (typeof input === 'string') parts.push({ at: 'input', input: { text: input } });
  else {
    input.forEach(({ content }, i) => {
      if (typeof content === 'string') parts.push({ at: `input[${i}].content`, input: { text: content } });
      else content.forEach((part, j) => parts.push({ at: `input[${i}].content[${j}]`, input: part.type === 'input_text' ? { text: part.text } : { image: part.image_url } }));
    });
  }
  checkCount('input', parts.length, context.limits.inputs);
  const pictures = parts.filter(({ input }) => typeof input === 'object' && 'image' in input);
  const chosen = pictures.length > 0 ? pictures : [{ at: parts[0]!.at, input: { text: checkedText(context, parts.map(({ input }) => (input as { text: string }).text).join('\n')) } }];
  const field = (index: number): string => chosen[index]!.at;
  const resolved = await resolveInputs(context, chosen.map((part) => heldBy(part.input)), caller, field);
  const encoded = await encodeInputs(context, model, resolved, { priority: priorityOf(resolved.length), caller, field });
  const embedding = normalizedSum(encoded.map((each) => ({ embedding: each.embedding, weight: 1 })));
  if (!embedding) throw new MixspaceError('unprocessable', 'The pictures cancel each other out: ask about each by itself.', { param: 'input' });
  const tokens = encoded.reduce((sum, each) => sum + each.tokens, 0);
  if (pictures.length > 0 && model.calibration) {
    const background = await context.texts.of(model, labelBackground);
    return { embedding, tokens, scale: calibratedScale(model.calibration, levelOf(embedding, background, model.calibration.sharpness)) };
  }
  const scale = ownScale(model, activationOf(model, undefined));
  if (pictures.length > 0 && model.logitBias !== undefined) return { embedding, tokens, scale };
  const noYesNo = pictures.length > 0 ? 'This model is not calibrated: it can choose between descriptions, but knows no yes or no. `mixspace models calibrate` changes that.' : 'This model can tell which description is nearest to a text, but not whether one of them alone holds.';
  return { embedding, tokens, scale, noYesNo };
}

type Options = { prompts: string[] } | { refusal: string };

function optionsOf(context: Context, question: Question, index: number): Options {
  const texts = descriptionsOf(question);
  if (!Array.isArray(texts)) return texts;
  const prompts: string[] = [];
  for (const [i, text] of texts.entries()) {
    const described = describedBy(text);
    if ('refusal' in described) return described;
    try {
      prompts.push(checkedText(context, promptOf(described.description)));
    } catch (error) {
      const where = question.type === 'predicate' ? 'instructions' : question.type === 'choice' ? `choices[${i}]` : `levels[${i}]`;
      throw error instanceof MixspaceError ? error.at(`questions[${index}].${where}`) : error;
    }
  }
  return { prompts };
}

function descriptionsOf(question: Question): string[] | { refusal: string } {
  if (question.type === 'predicate' || (question.type === 'choice' && areYesAndNo(question.choices))) {
    const { instructions } = question;
    return [typeof instructions === 'string' ? instructions : instructions.map(({ text }) => text).join(' ')];
  }
  if (question.type === 'score') return question.levels.map((level) => (typeof level === 'string' ? level : (level.description ?? level.label)));
  const bare = question.choices.find(({ value, description }) => typeof value === 'boolean' && description === undefined);
  if (bare) return { refusal: `The choice ${String(bare.value)} says nothing that could be seen: describe it.` };
  return question.choices.map(({ value, description }) => description ?? String(value));
}

type Choices = Extract<Question, { type: 'choice' }>['choices'];

/** True and false, that nothing describes. */
const areYesAndNo = (choices: Choices): boolean => choices.every(({ value, description }) => typeof value === 'boolean' && description === undefined);

function answerTo(question: Question, similarities: number[], { scale, noYesNo }: Judged): DecisionAnswer {
  const name = question.name ?? null;
  if (question.type === 'predicate' || (question.type === 'choice' && areYesAndNo(question.choices))) {
    if (noYesNo !== undefined) return refused(question, noYesNo);
    const probability = scale.each(similarities)[0]!;
    if (question.type === 'predicate') return { type: 'predicate', name, probability };
    return chosen(name, question.choices.map(({ value }) => ({ value, probability: value === true ? probability : 1 - probability })));
  }
  const shares = scale.choice(similarities);
  if (question.type === 'choice') return chosen(name, question.choices.map(({ value }, index) => ({ value, probability: shares[index]! })));
  return {
    type: 'score',
    name,
    score: shares.reduce((sum, share, level) => sum + share * level, 0),
    confidence: shares.reduce((a, b) => Math.max(a, b)),
    probabilities: question.levels.map((level, value) => ({ value, label: typeof level === 'string' ? level : level.label, probability: shares[value]! })),
  };
}

function chosen(name: string | null, probabilities: { value: string | boolean; probability: number }[]): DecisionAnswer {
  const best = probabilities.reduce((a, b) => (b.probability > a.probability ? b : a));
  return { type: 'choice', name, choice: best.value, confidence: best.probability, probabilities };
}

const refused = ({ name = null }: { name?: string | null | undefined }, reason: string): DecisionAnswer => ({ type: 'refusal', name, reason });

/** A string and a boolean of the same letters are two. */
function checkValues(questions: Question[]): void {
  questions.forEach((question, index) => {
    if (question.type !== 'choice') return;
    const seen = new Set<string | boolean>();
    question.choices.forEach(({ value }, i) => {
      if (seen.has(value)) throw new MixspaceError('invalid_request', `The choice ${JSON.stringify(value).slice(0, 100)} stands twice.`, { param: `questions[${index}].choices[${i}].value` });
      seen.add(value);
    });
  });
}
