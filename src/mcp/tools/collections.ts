import { z } from 'zod';
import type { Collection } from '../../contract/collections.js';
import type { ValueCounts } from '../../contract/items.js';
import { list } from '../../contract/zod-helpers.js';
import { collection } from '../arguments.js';
import { tool } from '../tool.js';

const mostFields = 12;
/** Items whose metadata tells the fields there are. */
const lookedAt = 200;
const shownValues = 20;
const inText = 8;

const listed = ['name', 'description', 'model', 'model_available', 'counts', 'text_fields', 'created_at'] as const;

export const listCollections = tool({
  name: 'list_collections',
  title: 'List collections',
  description: 'Lists the collections there are, with how many pictures and texts each holds. Call it first where you do not know what can be searched.',
  input: z.strictObject({}),
  output: z.looseObject({ collections: z.array(z.looseObject({ name: z.string(), description: z.string().nullable(), model: z.string(), counts: z.looseObject({ total: z.number().int() }) })) }),
  run: async (_, { client, signal }) => {
    const collections = (await client.collections({ signal })).map((each) => Object.fromEntries(listed.map((field) => [field, each[field]])) as Pick<Collection, (typeof listed)[number]>);
    return {
      content: [{ type: 'text', text: collections.length === 0 ? 'There is no collection.' : collections.map(lineOf).join('\n') }],
      structuredContent: { collections },
    };
  },
});

export const describeCollection = tool({
  name: 'describe_collection',
  title: 'Describe a collection',
  description: 'Tells what a collection holds: counts, its model, the fields of its metadata and their most frequent values. Call it before you search with a filter.',
  input: z.strictObject({
    collection,
    fields: list(z.string().min(1).max(512).regex(/^[^,]+$/, 'A field has no comma.')).min(1).max(mostFields).optional().describe(`Fields whose values are counted, such as "camera", "place.city" or "$item.taken_at". Left out: those that the first items have, at most ${mostFields}.`),
  }),
  output: z.looseObject({
    collection: z.looseObject({ name: z.string(), counts: z.looseObject({ total: z.number().int() }) }),
    facets: z.record(z.string(), z.looseObject({ values: z.array(z.looseObject({ value: z.unknown(), count: z.number().int() })), other: z.number().int(), missing: z.number().int() })).describe('By field: its most frequent values; how many items have others, and none.'),
  }),
  run: async ({ collection: name, fields: asked }, { client, signal }) => {
    const [told, { items }] = await Promise.all([client.collection(name, { signal }), asked ? { items: [] } : client.itemPage(name, { limit: lookedAt }, { signal })]);
    const fields = asked ?? fieldsOf(items.map(({ metadata }) => metadata));
    const facets = fields.length === 0 ? {} : await client.facets(name, fields, { limit: shownValues }, { signal });
    return {
      content: [{ type: 'text', text: [lineOf(told), ...Object.entries(facets).map(([field, counts]) => `${field}: ${valuesOf(counts)}`)].join('\n') }],
      structuredContent: { collection: told, facets },
    };
  },
});

/** The most frequent; those within objects by their path. */
function fieldsOf(all: Record<string, unknown>[]): string[] {
  const counts = new Map<string, number>();
  const count = (metadata: Record<string, unknown>, before: string, depth: number): void => {
    for (const [key, value] of Object.entries(metadata)) {
      // Such a name cannot be asked for.
      if (key === '' || /[,.]/.test(key) || key.startsWith('$')) continue;
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        if (depth < 3) count(value as Record<string, unknown>, `${before}${key}.`, depth + 1);
      } else counts.set(before + key, (counts.get(before + key) ?? 0) + 1);
    }
  };
  for (const each of all) count(each, '', 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, mostFields).map(([field]) => field);
}

function lineOf({ name, description, counts, model, model_available }: Pick<Collection, 'name' | 'description' | 'counts' | 'model' | 'model_available'>): string {
  const { total, ...kinds } = counts;
  return `${name}${description ? ` (${description})` : ''}: ${total} items (${Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`).join(', ')}), model ${model}${model_available ? '' : ', which is not there: it can be listed, not searched by words'}.`;
}

function valuesOf({ values, other, missing }: ValueCounts): string {
  const told = values.slice(0, inText).map(({ value, count }) => `${JSON.stringify(value)} ${count}`);
  const more = other + values.slice(inText).reduce((sum, { count }) => sum + count, 0);
  return [...told, ...(more > 0 ? [`others ${more}`] : []), ...(missing > 0 ? [`without it ${missing}`] : [])].join(', ') || 'no values';
}
