import { z } from 'zod';
import { itemFields, itemPrefix, type Filter as Filtering, type Scalar } from '../domain/filter.js';
import { isObject } from './zod-helpers.js';

/** Levels of nesting and clauses that a filter may have, values of `$in` and `$nin`, and characters of all its strings together. */
export const filterLimits = { depth: 8, clauses: 64, values: 1000, characters: 1_000_000 } as const;

const fieldOperators = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists', '$prefix', '$not']);
const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

const itemFieldNames = itemFields.map((name) => `${itemPrefix}${name}`);
const isItemField = (key: string): boolean => itemFieldNames.includes(key);

/** A field as filters name it. */
const isField = (name: string): boolean => name !== '' && (!name.startsWith('$') || isItemField(name));
const fieldMessage = (name: string): string => `"${name.slice(0, 100)}" is no field here: name one of the metadata, with dots into objects, or one of ${itemFieldNames.join(', ')}.`;
const longestField = 1_000;

export interface Sort {
  field: string;
  descending: boolean;
}
/** `FIELD` or `-FIELD`. */
export const SortQuery = z
  .string()
  .max(longestField)
  .superRefine((text, context) => {
    if (!isField(sortOf(text).field)) context.addIssue({ code: 'custom', message: fieldMessage(sortOf(text).field) });
  })
  .meta({ description: 'A field, ascending, or `-` and a field, descending: booleans, then numbers, then strings by code point. Items without it come last.' });
export const sortOf = (text: string): Sort => (text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false });

export const FieldName = z.string().max(longestField).superRefine((name, context) => {
  if (!isField(name)) context.addIssue({ code: 'custom', message: fieldMessage(name) });
});

export const mostFields = 20;
/** Fields of the metadata. */
export const TextFields = z
  .array(z.string().max(longestField).refine((name) => name !== '' && !name.startsWith('$'), 'A field of the metadata, with dots into objects.'))
  .max(mostFields, `At most ${mostFields} fields.`)
  .refine((names) => new Set(names).size === names.length, 'Each field once.')
  .meta({ description: 'Fields of the metadata, strings, numbers or lists of these, of which searches with `lexical` find the words.' });

/** Fields between commas. */
export const FieldsQuery = z
  .string()
  .max(mostFields * longestField)
  .superRefine((text, context) => {
    const names = text.split(',');
    const wrong = names.find((name) => !isField(name));
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: fieldMessage(wrong) });
    if (names.length > mostFields) context.addIssue({ code: 'custom', message: `At most ${mostFields} fields.` });
  })
  .meta({ description: 'Fields as filters name them, between commas: one with a comma in its name cannot be asked for.' });

class FilterProblem extends Error {
  constructor(
    readonly path: (string | number)[],
    message: string,
  ) {
    super(message);
  }
}

/** Every clause counts one: a field's comparison, or a logical operator. */
function checkFilter(root: unknown): FilterProblem | undefined {
  let clauses = 0;
  let characters = 0;
  const enter = (path: (string | number)[], depth: number): void => {
    if (depth > filterLimits.depth) throw new FilterProblem(path, `A filter nests at most ${filterLimits.depth} levels.`);
  };
  const count = (path: (string | number)[]): void => {
    if (++clauses > filterLimits.clauses) throw new FilterProblem(path, `A filter has at most ${filterLimits.clauses} clauses.`);
  };
  const weigh = (value: unknown, path: (string | number)[]): void => {
    if (typeof value !== 'string') return;
    characters += value.length;
    if (characters > filterLimits.characters) throw new FilterProblem(path, `The strings of a filter have at most ${filterLimits.characters} characters together.`);
  };
  const filter = (value: unknown, path: (string | number)[], depth: number): void => {
    enter(path, depth);
    if (!isObject(value)) throw new FilterProblem(path, 'A filter is an object.');
    for (const [key, part] of Object.entries(value)) {
      const at = [...path, key];
      weigh(key, at);
      if (key === '$and' || key === '$or') {
        count(at);
        if (!Array.isArray(part) || part.length === 0) throw new FilterProblem(at, `${key} takes a list of at least one filter.`);
        part.forEach((each, i) => filter(each, [...at, i], depth + 1));
      } else if (key === '$not') {
        count(at);
        filter(part, at, depth + 1);
      } else if (key.startsWith(itemPrefix)) {
        if (!isItemField(key)) throw new FilterProblem(at, `Unknown field ${key.slice(0, 100)} of an item; known are ${itemFieldNames.join(', ')}.`);
        field(part, at, depth);
      } else if (key.startsWith('$')) {
        throw new FilterProblem(at, `Unknown operator ${key.slice(0, 100)}; here stand field names, $and, $or, $not or ${itemPrefix}FIELD.`);
      } else {
        field(part, at, depth);
      }
    }
  };
  const field = (value: unknown, path: (string | number)[], depth: number): void => {
    weigh(value, path);
    if (isScalar(value)) return count(path);
    if (!isObject(value)) throw new FilterProblem(path, 'A field is compared with a string, number, boolean, null, or an object of operators; for lists use $in.');
    enter(path, depth + 1);
    const entries = Object.entries(value);
    if (entries.length === 0) throw new FilterProblem(path, 'An object of operators holds at least one; for nested fields write "a.b".');
    for (const [operator, operand] of entries) {
      const at = [...path, operator];
      if (!fieldOperators.has(operator)) throw new FilterProblem(at, `Unknown operator ${operator.slice(0, 100)}; known are ${[...fieldOperators].join(', ')}.`);
      count(at);
      weigh(operand, at);
      if (operator === '$not') field(operand, at, depth + 1);
      else if (operator === '$exists') {
        if (typeof operand !== 'boolean') throw new FilterProblem(at, '$exists takes true or false.');
      } else if (operator === '$in' || operator === '$nin') {
        if (Array.isArray(operand) && operand.length > filterLimits.values) throw new FilterProblem(at, `${operator} takes at most ${filterLimits.values} values.`);
        if (!Array.isArray(operand) || !operand.every(isScalar)) throw new FilterProblem(at, `${operator} takes a list of strings, numbers, booleans or nulls.`);
        operand.forEach((each) => weigh(each, at));
      } else if (operator === '$eq' || operator === '$ne') {
        if (!isScalar(operand)) throw new FilterProblem(at, `${operator} takes a string, number, boolean or null.`);
      } else if (operator === '$prefix') {
        if (typeof operand !== 'string') throw new FilterProblem(at, '$prefix takes a string.');
      } else if (typeof operand !== 'string' && !(typeof operand === 'number' && Number.isFinite(operand))) {
        throw new FilterProblem(at, `${operator} takes a number or a string.`);
      }
    }
  };
  try {
    filter(root, [], 1);
    return undefined;
  } catch (problem) {
    if (problem instanceof FilterProblem) return problem;
    throw problem;
  }
}

export const Filter = z
  .custom<Record<string, unknown>>(() => true)
  .superRefine((value, context) => {
    const problem = checkFilter(value);
    if (problem) context.addIssue({ code: 'custom', path: problem.path, message: problem.message });
  })
  .transform((value) => value as Filtering)
  .meta({
    id: 'Filter',
    type: 'object',
    additionalProperties: {},
    description:
      'Conditions on metadata. Keys are ANDed; dots go into objects; types are strict; a scalar matches an array that holds it. ' +
      'Operators: $eq $ne $gt $gte $lt $lte $in $nin $prefix $exists $and $or $not. A missing field matches only $ne, $nin and $exists: false. ' +
      `An item's own fields are ${itemFieldNames.join(', ')}. ` +
      '$gt, $gte, $lt and $lte compare as times where both sides are YYYY-MM-DD[Thh:mm[:ss[.s]][Z | +hh:mm | -hh:mm]] (without a zone: UTC), other strings by code point. ' +
      `At most ${filterLimits.depth} levels and ${filterLimits.clauses} clauses.`,
    examples: [{ year: 2024, tags: { $in: ['a'] }, size: { $gte: 10 } }],
  });
