/** Filters as conditions that PostgreSQL checks: each comparison is one jsonpath, which an index of `jsonb_path_ops` serves where it is of equality. */
import type { Filter, Scalar } from '../../domain/filter.js';
import { timeOf } from '../../domain/times.js';
import { fieldAt, keysOfField, nestsTooDeep } from './fields.js';
import { toStored } from './stored-text.js';

const dayMs = 86_400_000;

const never = 'false';
const comparisons = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
type Comparison = keyof typeof comparisons;

/**
 * A filter as a condition on `items.fields` that is true or false and never null; what it compares with is appended to
 * `values` and named by its place there (`$1` is the first). The filter must have passed the contract's validation.
 */
export function compileFilter(filter: Filter, values: unknown[]): string {
  return all(
    Object.entries(filter).map(([key, operand]) => {
      switch (key) {
        case '$and':
          return all((operand as Filter[]).map((each) => compileFilter(each, values)));
        case '$or':
          return any((operand as Filter[]).map((each) => compileFilter(each, values)));
        case '$not':
          return not(compileFilter(operand as Filter, values));
        default:
          return new Field(key, values).meets(operand);
      }
    }),
  );
}

/** A field by its name in filters, and what is said of it. */
class Field {
  readonly #name: string;
  readonly #path: string;
  readonly #values: unknown[];

  constructor(name: string, values: unknown[]) {
    this.#name = name;
    this.#path = nestsTooDeep(name) ? '' : memberPath(keysOfField(name));
    this.#values = values;
  }

  meets(condition: unknown): string {
    if (condition === null || typeof condition !== 'object') return this.#isAmong([condition as Scalar]);
    return all(Object.entries(condition).map(([operator, operand]) => this.#compares(operator, operand)));
  }

  #compares(operator: string, operand: unknown): string {
    switch (operator) {
      case '$eq':
        return this.#isAmong([operand as Scalar]);
      case '$ne':
        return not(this.#isAmong([operand as Scalar]));
      case '$in':
        return this.#isAmong(operand as Scalar[]);
      case '$nin':
        return not(this.#isAmong(operand as Scalar[]));
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.#ranges(operator, operand as string | number);
      case '$prefix':
        return this.#holds(`@ starts with ${literal(operand as string)}`);
      case '$exists':
        return operand === true ? this.#is(`exists(${this.#path})`) : not(this.#is(`exists(${this.#path})`));
      case '$not':
        return not(this.meets(operand));
      default:
        throw new TypeError(`Unknown operator ${operator} in a filter that should have been validated.`);
    }
  }

  #isAmong(operands: Scalar[]): string {
    return operands.length === 0 ? never : this.#holds(operands.map((each) => `@ == ${literal(each)}`).join(' || '));
  }

  #ranges(operator: Comparison, bound: string | number): string {
    const time = typeof bound === 'string' ? timeOf(bound) : undefined;
    if (time === undefined) return this.#holds(`@ ${comparisons[operator]} ${literal(bound)}`);
    // Zones are less than a day: as times and as strings alike, what is written with another day, far enough away, stands before or behind.
    const [before, behind] = [dayOf(time - 2 * dayMs), dayOf(time + 3 * dayMs)].map((day) => day && literal(day));
    const isUp = operator === '$gt' || operator === '$gte';
    const surely = isUp ? behind && `@ >= ${behind}` : before && `@ < ${before}`;
    const perhaps = [`@ >= ${before ?? '""'}`, ...(behind === undefined ? [] : [`@ < ${behind}`])].join(' && ');
    const exactly = `stands_to_time(${fieldAt(this.#name, this.#values)}, '${operator}', ${this.#value(bound, 'text')}, ${this.#value(time, 'float8')})`;
    return any([...(surely === undefined ? [] : [this.#holds(surely)]), all([this.#holds(perhaps), exactly])]);
  }

  /** True of a value, or of a list with an element, for which `test` holds; `@` is the value there. */
  #holds(test: string): string {
    return this.#is(`exists(${this.#path} ? (${test} || @.type() == "array" && exists(@[*] ? (${test}))))`);
  }

  /** In strict mode keys lead into objects alone; what goes wrong on the way is unknown, and lets nothing through. */
  #is(predicate: string): string {
    if (this.#path === '') return never;
    return `fields @? ${this.#value(`strict $ ? (${predicate})`, 'jsonpath')}`;
  }

  #value(value: unknown, type: string): string {
    this.#values.push(value);
    return `$${this.#values.length}::${type}`;
  }
}

const all = (conditions: string[]): string => (conditions.length === 0 ? 'true' : conditions.length === 1 ? conditions[0]! : `(${conditions.join(' AND ')})`);
const any = (conditions: string[]): string => (conditions.length === 0 ? never : conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`);
const not = (condition: string): string => `NOT (${condition})`;

/** As a jsonpath goes to it from `@`; JSON's strings are jsonpath's. */
const memberPath = (keys: string[]): string => `@${keys.map((key) => `.${JSON.stringify(key)}`).join('')}`;
const literal = (value: Scalar): string => JSON.stringify(typeof value === 'string' ? toStored(value) : value);

/** UTC; undefined where four digits do not write its year. */
function dayOf(time: number): string | undefined {
  const day = new Date(time).toISOString();
  return /^\d/.test(day) ? day.slice(0, 10) : undefined;
}
