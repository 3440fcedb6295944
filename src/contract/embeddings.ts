import { z } from 'zod';
import { Input, inputForms, MixedInput, Modality, ModelId, TokenArray, Usage } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

/** An int8 is the number of a normalised embedding times this, rounded. */
export const int8Scale = 127;

export const embeddingEncodings = ['float', 'base64', 'int8', 'binary', 'ubinary'] as const;
const allowed = `one of ${embeddingEncodings.map((name) => `"${name}"`).join(', ')}, or a list of them`;

export const EmbeddingEncoding = z.enum(embeddingEncodings).meta({
  id: 'EmbeddingEncoding',
  description: `\`float\`: numbers. \`base64\`: the same as little-endian float32. \`int8\`: each number of the normalised embedding times ${int8Scale}, rounded to the nearest integer, one scale for all embeddings: the dot product of two over ${int8Scale ** 2} is their cosine, nearly. \`ubinary\`: a bit a number, 1 where it is above zero, eight to an integer of 0 to 255, the first number in the highest bit, the last integer filled up with zeros; the bits that differ count the distance. \`binary\`: the same less 128.`,
});
export type EmbeddingEncoding = z.infer<typeof EmbeddingEncoding>;

const Encodings = z.union([EmbeddingEncoding, list(EmbeddingEncoding).min(1).max(limits.encodings)], { error: `It takes ${allowed}.` });

const anotherEncoding = maybe(Encodings).meta({ description: 'Another name of `encoding_format`; where both are sent, they must agree.' });
const Dimensions = z.number().int().min(0);
/** As vLLM takes what is embedded: the parts of all messages are one input. */
const Message = z.object({ role: z.string().max(64), content: z.union([z.string(), MixedInput.shape.content], { error: 'content is a string or a list of parts.' }) });

const unused = z.unknown().optional().meta({ description: 'Known, changes nothing.' });

export const EmbeddingsRequest = z
  .strictObject({
    model: maybe(ModelId),
    input: maybe(z.union([Input, list(z.union([Input, TokenArray], { error: `An input is ${inputForms}, exactly one.` })).min(1), TokenArray], {
      error: `input is ${inputForms}, or a list of at least one of them.`,
    })).meta({ description: 'Needed, unless there are `messages`.' }),
    messages: maybe(list(Message).min(1).max(limits.contentParts, `At most ${limits.contentParts} messages.`)).meta({ description: 'In place of `input`: one input, of the parts of all messages.' }),
    encoding_format: maybe(Encodings).meta({ description: 'Default `float`. With a list, each `embedding` is an object by these names.' }),
    embedding_type: anotherEncoding,
    encoding_type: anotherEncoding,
    output_dtype: anotherEncoding,
    dimensions: maybe(Dimensions).meta({ description: "The first so many numbers, normalised again: the model's own number (also: 0), or one of its `matryoshka_dimensions`. A cut embedding is of another space and has another `fingerprint`." }),
    output_dimension: maybe(Dimensions).meta({ description: 'Another name of `dimensions`; where both are sent, they must agree.' }),
    modality: maybe(Modality).meta({ description: '`image`: strings are pictures, each an https URL, a data URI or base64. Default `text`.' }),
    force_dimensions: maybe(z.boolean()).meta({ description: 'Takes any `dimensions` below the model\'s own, although it was not trained to be cut there: expect worse results.' }),
    normalized: maybe(z.boolean()).meta({ description: 'Default true; false gives what the tower gave, at the length it had (with `dimensions`, the first so many numbers of it). Not with `int8`.' }),
    user: unused,
    task: unused,
    input_type: unused,
    prompt_name: unused,
    truncation: maybe(z.boolean()).meta({ description: 'true changes nothing: too long a text is always cut, and says so. false is refused (422).' }),
    return_multivector: maybe(z.boolean()).meta({ description: 'false changes nothing; true is refused (422): an input has one embedding.' }),
    truncate: z.unknown().optional().meta({ description: 'Known, changes nothing: too long a text is always cut, and says so.' }),
    late_chunking: unused,
  })
  .superRefine(({ input, messages }, context) => {
    if (input === undefined && messages === undefined) context.addIssue({ code: 'custom', path: ['input'], message: 'It is missing.' });
    if (input !== undefined && messages !== undefined) context.addIssue({ code: 'custom', path: ['messages'], message: 'Send input or messages, not both.' });
  })
  .meta({ id: 'EmbeddingsRequest' });
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

const numbers = z.array(z.number());
const integers = z.array(z.number().int());

export const EncodedEmbeddings = z
  .object({ float: numbers.optional(), base64: z.string().optional(), int8: integers.optional(), binary: integers.optional(), ubinary: integers.optional() })
  .meta({ id: 'EncodedEmbeddings', description: 'One embedding in each encoding that was asked for.' });
export type EncodedEmbeddings = z.infer<typeof EncodedEmbeddings>;

export const EmbeddingsResponse = z
  .object({
    object: z.literal('list'),
    model: z.string(),
    fingerprint: z.string().meta({ description: "Of the embeddings' space: the model's own, and `-d256` behind it where they were cut to 256 dimensions." }),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.number().int(),
        embedding: z.union([numbers, z.string(), EncodedEmbeddings]).meta({ description: 'As `encoding_format` says: numbers, a base64 string, or an object by encoding where a list was sent.' }),
        truncated: z.boolean().optional(),
        mixed: z.literal(true).optional().meta({ description: 'Its parts (`content`) were embedded each, and their embeddings added and normalised.' }),
      }),
    ),
    usage: Usage,
  })
  .meta({ id: 'EmbeddingsResponse' });
export type EmbeddingsResponse = z.infer<typeof EmbeddingsResponse>;
