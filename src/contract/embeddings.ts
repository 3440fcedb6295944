import { z } from 'zod';
import { Input, TokenArray, Usage } from './common.js';

export const EmbeddingsRequest = z
  .strictObject({
    model: z.string().optional(),
    input: z.union([Input, z.array(z.union([Input, TokenArray])).min(1), TokenArray], {
      error: 'input is a string, {"text"}, {"image"}, or a list of at least one of them.',
    }),
    encoding_format: z.enum(['float', 'base64']).optional(),
    embedding_type: z.enum(['float', 'base64']).optional().meta({ description: 'Another name of `encoding_format`.' }),
    dimensions: z.number().int().min(1).optional().meta({ description: "Only the model's own number, for now." }),
    normalized: z.boolean().optional().meta({ description: 'Default true; false gives what the tower gave, as far as the model tells.' }),
    user: z.unknown().optional().meta({ description: 'Known, changes nothing.' }),
    task: z.unknown().optional().meta({ description: 'Known, changes nothing.' }),
    truncate: z.unknown().optional().meta({ description: 'Known, changes nothing: too long a text is always cut, and says so.' }),
    late_chunking: z.unknown().optional().meta({ description: 'Known, changes nothing.' }),
  })
  .meta({ id: 'EmbeddingsRequest' });
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

export const EmbeddingsResponse = z
  .object({
    object: z.literal('list'),
    model: z.string(),
    fingerprint: z.string(),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.number().int(),
        embedding: z.union([z.array(z.number()), z.string()]).meta({ description: 'Numbers, or base64 of little-endian float32.' }),
        truncated: z.boolean().optional(),
      }),
    ),
    usage: Usage,
  })
  .meta({ id: 'EmbeddingsResponse' });
export type EmbeddingsResponse = z.infer<typeof EmbeddingsResponse>;
