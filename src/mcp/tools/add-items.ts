import { z } from 'zod';
import type { NewItem } from '../../contract/items.js';
import { limits } from '../../contract/limits.js';
import { list } from '../../contract/zod-helpers.js';
import { collection, itemId, picture } from '../arguments.js';
import { tool } from '../tool.js';

const mostItems = 20;

const Added = z
  .strictObject({
    id: itemId.optional().describe('Left out: the hash of the content, so that the same picture is kept once. An item of the id that is there is replaced.'),
    text: z.string().min(1).max(1_000_000).optional(),
    image: picture.optional(),
    path: z.string().min(1).max(limits.pathLength).optional().describe("A picture's file, in a folder that the service may read."),
    metadata: z.looseObject({}).optional().describe('Any JSON object; filters go by it.'),
    source: z.string().min(1).max(limits.sourceBytes).optional().describe('Where it is from: a name, a path or a URL.'),
  })
  .describe('Exactly one of text, image and path.');

export const addItems = tool({
  name: 'add_items',
  title: 'Add pictures and texts',
  description: 'Adds pictures and texts to a collection, which has to be there. Each stands for itself; what could not be taken is told. An item whose id is there is replaced.',
  input: z.strictObject({ collection, items: list(Added).min(1).max(mostItems) }),
  output: z.looseObject({ items: z.array(z.looseObject({ id: z.string().nullable(), status: z.enum(['created', 'updated', 'unchanged', 'failed']) })).describe('In the order given.') }),
  effect: 'adds',
  run: async ({ collection: name, items }, { client, signal }) => {
    // What is left out must not stand there as undefined: the API takes exactly one content.
    const outcomes = await client.addItems(name, JSON.parse(JSON.stringify(items)) as NewItem[], { signal });
    const lines = outcomes.map(({ id, status, error }) => `${id ?? 'an item'}: ${status}${error ? `: ${error.message}` : ''}`);
    return {
      content: [{ type: 'text', text: lines.join('\n') }],
      structuredContent: { items: outcomes },
      ...(outcomes.every(({ status }) => status === 'failed') && { isError: true }),
    };
  },
});
