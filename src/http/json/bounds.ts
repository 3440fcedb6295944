/** What a JSON text from outside may hold, whatever it means: kept while it is read, before any schema looks at it. */
import { limits } from '../../contract/limits.js';

export interface JsonBounds {
  /** Levels of nesting, the outermost object being the first. */
  depth: number;
  /** Entries of a list or an object that `lists` does not name. */
  entries: number;
  /** Values in all; a key, a list and an object count `valuesOf.container` each. */
  values: number;
  /** Bytes of UTF-8. */
  keyBytes: number;
  /** Bytes of UTF-8: a string of ASCII alone, as base64 is, and any other. */
  asciiBytes: number;
  otherBytes: number;
  lists: ListBounds;
}

/** Lists that take fewer, by their place: `labels[].prompts`. */
export interface ListBounds {
  limit?: number;
  /** The sentence for one that has more. */
  message?: string;
  fields?: Map<string, ListBounds>;
  element?: ListBounds;
}

/** What a key, a list or an object takes of memory is that of a few numbers. */
export const containerValues = 4;

export interface DeploymentLimits {
  /** Bytes. */
  picture: number;
  text: number;
  metadata: number;
  /** Entries of one request. */
  inputs: number;
  items: number;
  labels: number;
  /** Values of one body. */
  values: number;
}

export function jsonBounds({ picture, text, metadata, inputs, items, labels, values }: DeploymentLimits): JsonBounds {
  const lists: ListBounds = {};
  const bound = (place: string, limit: number, message: string): void => {
    const end = place.split(/\.|(?=\[\])/).reduce((node, part) => (part === '[]' ? (node.element ??= {}) : within((node.fields ??= new Map()), part)), lists);
    Object.assign(end, { limit, message });
  };
  bound('input', inputs, `A request takes at most ${inputs} inputs; this one has more.`);
  bound('items', items, `A request takes at most ${items} items; this one has more.`);
  bound('metadata', items, `A request takes at most ${items} items; this one has metadata of more.`);
  bound('labels', labels, `A request takes at most ${labels} labels; this one has more.`);
  bound('labels[].prompts', limits.promptsPerLabel, `A label takes at most ${limits.promptsPerLabel} prompts.`);
  bound('templates', limits.templates, `A request takes at most ${limits.templates} templates.`);
  bound('questions', limits.questions, `A request takes at most ${limits.questions} questions.`);
  for (const name of ['choices', 'levels']) bound(`questions[].${name}`, limits.options, `A question takes at most ${limits.options} options.`);
  bound('inputs', limits.examples, `At most ${limits.examples} inputs.`);
  bound('ids', limits.ids, `At most ${limits.ids} ids.`);
  bound('query', limits.queries, `At most ${limits.queries} weighted queries.`);
  for (const name of ['encoding_format', 'embedding_type']) bound(name, limits.encodings, `At most ${limits.encodings} encodings.`);
  return {
    depth: limits.depth,
    entries: limits.entries,
    values,
    keyBytes: limits.keyBytes,
    // A picture as base64 is a third longer than its bytes; some writers break it into lines or escape its slashes.
    asciiBytes: Math.max(2 * picture, 6 * text, metadata, limits.leastStringBytes),
    otherBytes: Math.max(6 * text, metadata, limits.leastStringBytes),
    lists,
  };
}

function within(fields: Map<string, ListBounds>, name: string): ListBounds {
  const node = fields.get(name) ?? {};
  fields.set(name, node);
  return node;
}
