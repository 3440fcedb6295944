/** The Decisions API of OpenAI (beta, autumn 2026): typed questions about one input. */
import { z } from 'zod';
import { ModelId } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const breakpoint = maybe(z.unknown()).meta({ description: 'Known, and without effect.' });
const TextPart = z.strictObject({ type: z.literal('input_text'), text: z.string(), prompt_cache_breakpoint: breakpoint }).meta({ id: 'DecisionTextPart' });
const ImagePart = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().meta({ description: 'A data URI, or an https URL.' }),
  detail: maybe(z.enum(['low', 'high', 'auto', 'original'])).meta({ description: 'Known, and without effect.' }),
  prompt_cache_breakpoint: breakpoint,
}).meta({ id: 'DecisionImagePart' });
const part = { error: 'A part is {"type": "input_text", "text"} or {"type": "input_image", "image_url"}.' };
const UserMessage = z.strictObject({
  type: maybe(z.literal('message')),
  role: z.literal('user', { error: 'Only messages of the user are read.' }),
  content: z.union([z.string(), list(z.discriminatedUnion('type', [TextPart, ImagePart], part)).min(1)], { error: 'content is a string, or a list of input_text and input_image parts.' }),
});

const name = maybe(z.string().min(1).max(limits.idBytes));
const instructions = z.union([z.string().min(1), list(TextPart).min(1)], { error: 'instructions are a string, or a list of input_text parts.' }).meta({ description: 'What is asked, best as a description of what must be seen: "a dog on a beach".' });
const Choice = z.strictObject({
  value: z.union([z.string().min(1), z.boolean()], { error: 'A value is a string or a boolean.' }),
  description: maybe(z.string().min(1)).meta({ description: 'What it looks like, in place of its value.' }),
}).meta({ id: 'DecisionChoice' });
const Level = z.union([z.string().min(1), z.strictObject({ label: z.string().min(1), description: maybe(z.string().min(1)) }).meta({ id: 'DecisionLevel' })], { error: 'A level is a string, or {"label", "description"}.' });
const many = `A question takes 2 to ${limits.options} options.`;
const options = <S extends z.ZodType>(option: S): z.ZodArray<S> => list(option).min(2, many).max(limits.options, many);

export const Question = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('predicate'), name, instructions }),
      z.strictObject({ type: z.literal('choice'), name, instructions, choices: options(Choice) }),
      z.strictObject({ type: z.literal('score'), name, instructions, levels: options(Level).meta({ description: 'Ascending.' }) }),
    ],
    { error: 'A question has the type "predicate", "choice" or "score".' },
  )
  .meta({ id: 'DecisionQuestion' });
export type Question = z.infer<typeof Question>;

export const DecisionsRequest = z
  .strictObject({
    model: maybe(ModelId).meta({ description: 'A model of this service; one that begins with "gpt-" or "gemini-" is the default one.' }),
    input: z.union([z.string(), list(UserMessage).min(1)], { error: 'input is a string, or a list of user messages.' }),
    questions: list(Question).min(1).max(limits.questions, `A request takes at most ${limits.questions} questions.`),
    safety_identifier: maybe(z.string()).meta({ description: 'Known, and without effect, as the two that follow.' }),
    prompt_cache_key: maybe(z.string()),
    prompt_cache_options: maybe(z.unknown()),
  })
  .meta({ id: 'DecisionsRequest' });
export type DecisionsRequest = z.infer<typeof DecisionsRequest>;

const answer = { name: z.string().nullable() };
const ChoiceProbability = z.object({ value: z.union([z.string(), z.boolean()]), probability: z.number() }).meta({ id: 'ChoiceProbability' });
const LevelProbability = z.object({ value: z.number().int(), label: z.string(), probability: z.number() }).meta({ id: 'LevelProbability' });
export const DecisionAnswer = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('predicate'), ...answer, probability: z.number() }),
    z.object({ type: z.literal('choice'), ...answer, choice: z.union([z.string(), z.boolean()]), confidence: z.number(), probabilities: z.array(ChoiceProbability) }),
    z.object({
      type: z.literal('score'),
      ...answer,
      score: z.number().meta({ description: 'The expected level: each counted from 0, times its probability.' }),
      confidence: z.number(),
      probabilities: z.array(LevelProbability),
    }),
    z.object({ type: z.literal('refusal'), ...answer, reason: z.string().meta({ description: 'Why the model cannot know, a sentence.' }) }),
  ])
  .meta({ id: 'DecisionAnswer' });
export type DecisionAnswer = z.infer<typeof DecisionAnswer>;

export const DecisionsResponse = z
  .object({
    model: z.string(),
    answers: z.array(DecisionAnswer).meta({ description: 'In the order of the questions; none depends on the others.' }),
    calibrated: z.boolean().meta({ description: "Whether probabilities are by the model's calibration, or by its own scale." }),
    usage: z.object({
      input_tokens: z.number().int(),
      input_tokens_details: z.object({ cached_tokens: z.number().int(), cache_write_tokens: z.number().int() }),
      output_tokens: z.number().int(),
      output_tokens_details: z.object({ reasoning_tokens: z.number().int() }),
      total_tokens: z.number().int(),
    }),
  })
  .meta({ id: 'DecisionsResponse' });
export type DecisionsResponse = z.infer<typeof DecisionsResponse>;
