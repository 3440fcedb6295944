/** Filters on fields: types are strict, a scalar matches an array that holds it, and two strings that are times compare as such. */
import type { Filter } from '../../domain/filter.js';
import { valueAt, type Metadata } from '../../domain/metadata.js';
import { compareCodePoints } from '../../domain/code-point-order.js';
import { areWrittenAlike, timeOf } from '../../domain/times.js';

type Predicate<T> = (value: T) => boolean;
/** A field's value; `undefined` when it is missing, which JSON itself can't hold. */
export type FieldPredicate = Predicate<unknown>;

/** Of the fields of an item (ItemTable). The filter must have passed the contract's validation. */
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
        return (fields) => matches(valueAt(fields, path));
      }
    }
  });
  return all(clauses);
}

/** What a filter says of one field. */
export function compileField(condition: unknown): FieldPredicate {
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
    case '$prefix':
      return holds((value) => typeof value === 'string' && value.startsWith(operand as string));
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
  if (typeof operand === 'string') {
    const time = timeOf(operand);
    if (time === undefined) return (value) => typeof value === 'string' && accepts(compareCodePoints(value, operand));
    return (value) => typeof value === 'string' && accepts(compareWithTime(value, operand, time));
  }
  return (value) => typeof value === 'number' && accepts(value - (operand as number));
}

function compareWithTime(value: string, operand: string, time: number): number {
  const other = areWrittenAlike(value, operand) ? undefined : timeOf(value);
  return other === undefined ? compareCodePoints(value, operand) : other - time;
}
