/** Filters on metadata, as api.md has them: types are strict, a scalar matches an array that holds it. */
import type { Filter } from '../../domain/filter.js';
import type { Metadata } from '../../domain/metadata.js';
import { compareCodePoints } from '../../domain/code-point-order.js';

type Predicate<T> = (value: T) => boolean;
/** A field's value; `undefined` when it is missing, which JSON itself can't hold. */
type FieldPredicate = Predicate<unknown>;

/** The filter must have passed the contract's validation. */
export function compileFilter(filter: Filter): Predicate<Metadata> {
  const clauses = Object.entries(filter).map(([key, operand]): Predicate<Metadata> => {
    switch (key) {
      case '$and':
        return all((operand as Filter[]).map(compileFilter));
      case '$or':
        return any((operand as Filter[]).map(compileFilter));
      case '$not':
        return not(compileFilter(operand as Filter));
      default: {
        const path = key.split('.');
        const matches = compileField(operand);
        return (metadata) => matches(valueAt(metadata, path));
      }
    }
  });
  return all(clauses);
}

function compileField(condition: unknown): FieldPredicate {
  if (condition === null || typeof condition !== 'object') return holds((value) => value === condition);
  return all(Object.entries(condition).map(([operator, operand]) => compileOperator(operator, operand)));
}

function compileOperator(operator: string, operand: unknown): FieldPredicate {
  switch (operator) {
    case '$eq':
      return holds((value) => value === operand);
    case '$ne':
      return not(holds((value) => value === operand));
    case '$in':
      return holds(isAmong(operand));
    case '$nin':
      return not(holds(isAmong(operand)));
    case '$gt':
      return holds(comparesWith(operand, (order) => order > 0));
    case '$gte':
      return holds(comparesWith(operand, (order) => order >= 0));
    case '$lt':
      return holds(comparesWith(operand, (order) => order < 0));
    case '$lte':
      return holds(comparesWith(operand, (order) => order <= 0));
    case '$exists':
      return (value) => (value !== undefined) === operand;
    case '$not':
      return not(compileField(operand));
    default:
      throw new TypeError(`Unknown operator ${operator} in a filter that should have been validated.`);
  }
}

const all =
  <T>(predicates: Predicate<T>[]): Predicate<T> =>
  (value) =>
    predicates.every((predicate) => predicate(value));
const any =
  <T>(predicates: Predicate<T>[]): Predicate<T> =>
  (value) =>
    predicates.some((predicate) => predicate(value));
const not =
  <T>(predicate: Predicate<T>): Predicate<T> =>
  (value) =>
    !predicate(value);

/** True of a value, or of an array with an element, that passes. */
const holds =
  (test: FieldPredicate): FieldPredicate =>
  (value) =>
    value !== undefined && (Array.isArray(value) ? value.some(test) : test(value));

function isAmong(operands: unknown): FieldPredicate {
  const among = new Set(operands as unknown[]);
  return (value) => among.has(value);
}

function comparesWith(operand: unknown, accepts: (order: number) => boolean): FieldPredicate {
  if (typeof operand === 'string') return (value) => typeof value === 'string' && accepts(compareCodePoints(value, operand));
  return (value) => typeof value === 'number' && accepts(value - (operand as number));
}

/** Goes into objects alone, and by their own keys alone. */
function valueAt(metadata: Metadata, path: string[]): unknown {
  let value: unknown = metadata;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
