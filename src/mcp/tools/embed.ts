import { z } from 'zod';
import { decodeEmbedding } from '../../client/index.js';
import { limits } from '../../contract/limits.js';
import { list } from '../../contract/zod-helpers.js';
import { picture, text } from '../arguments.js';
import { ArgumentProblem, tool } from '../tool.js';

const mostInputs = 32;

export const embed = tool({
  name: 'embed',
  title: 'Embed and compare',
  description: 'Embeds texts and pictures in one vector space and tells how alike each is to each other (cosine). To compare, leave vectors at "none"; texts and pictures lie apart, so compare a text with pictures by which of them is higher.',
  input: z.strictObject({
    inputs: list(z.strictObject({ text: text.optional(), image: picture.optional() }).describe('Either text or image.')).min(1).max(mostInputs),
    model: z.string().min(1).max(limits.modelLength).optional().describe('Left out: the default one.'),
    vectors: z.enum(['none', 'base64', 'float']).default('none').describe('Whether the embeddings themselves are told: as little-endian float32 in base64, or as numbers.'),
  }),
  output: z.looseObject({
    model: z.string(),
    fingerprint: z.string().describe("The vector space's: embeddings of two are not compared."),
    dimensions: z.number().int(),
    similarities: z.array(z.array(z.number())).describe('Rows and columns in the order of the inputs.'),
    data: z.array(z.looseObject({ index: z.number().int(), embedding: z.union([z.string(), z.array(z.number())]).optional(), truncated: z.boolean().optional().describe('The text was too long: its end was not read.') })),
  }),
  run: async ({ inputs, model, vectors }, { client, signal }) => {
    const input = inputs.map(({ text: words, image }, index) => {
      if ((words === undefined) === (image === undefined)) throw new ArgumentProblem(`inputs.${index}: It has either text or image.`);
      return words === undefined ? { image: image! } : { text: words };
    });
    const answer = await client.embed({ input, encoding_format: 'base64', ...(model === undefined ? {} : { model }) }, { signal });
    const embeddings = answer.data.map(({ embedding }) => decodeEmbedding(embedding, 'base64'));
    const similarities = embeddings.map((a) => embeddings.map((b) => rounded(a.reduce((sum, value, i) => sum + value * b[i]!, 0))));
    const data = answer.data.map(({ embedding, ...rest }, index) => ({ ...rest, ...(vectors === 'none' ? {} : { embedding: vectors === 'base64' ? embedding : Array.from(embeddings[index]!) }) }));
    return {
      content: [{ type: 'text', text: [`${input.length} embedded by ${answer.model}.`, ...(input.length < 2 ? [] : ['Cosines:', ...similarities.map((row, index) => `${index}: ${row.join(' ')}`)])].join('\n') }],
      structuredContent: { ...answer, dimensions: embeddings[0]!.length, similarities, data },
    };
  },
});

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
