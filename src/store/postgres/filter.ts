/** Filters as conditions that PostgreSQL checks: one jsonpath wherever that can say it, which an index of `jsonb_path_ops` serves where it is of equality. */
import type { Filter, Scalar } from '../../domain/filter.js';
import { timeOf } from '../../domain/times.js';
import { fieldAt, keysOfField, nestsTooDeep } from './fields.js';
import { toStored } from './stored-text.js';

const dayMs = 86_400_000;

const comparisons = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
type Comparison = keyof typeof comparisons;

/** As SQL, or as a jsonpath's predicate at the root: what is unknown there lets nothing through, so that it cannot be turned into its opposite. */
type Condition = { sql: string } | { test: string };

const always: Condition = { sql: 'true' };
const never: Condition = { sql: 'false' };

/**
 * A filter as a condition on `items.fields` that is true or false and never null; what it compares with is appended to
 * `values` and named by its place there (`$1` is the first). The filter must have passed the contract's validation.
 */
export function compileFilter(filter: Filter, values: unknown[]): string {
  return new Compiler(values).filter(filter);
}

class Compiler {
  readonly #values: unknown[];

  constructor(values: unknown[]) {
    this.#values = values;
  }

  filter(filter: Filter): string {
    return this.#sql(this.#meets(filter));
  }

  #meets(filter: Filter): Condition {
    return this.#all(
      Object.entries(filter).map(([key, operand]) => {
        switch (key) {
          case '$and':
            return this.#all((operand as Filter[]).map((each) => this.#meets(each)));
          case '$or':
            return this.#any((operand as Filter[]).map((each) => this.#meets(each)));
          case '$not':
            return this.#not(this.#meets(operand as Filter));
          default:
            return this.#is(key, operand);
        }
      }),
    );
  }

  /** What a filter says of one field. */
  #is(field: string, condition: unknown): Condition {
    if (condition === null || typeof condition !== 'object') return isAmong(field, [condition as Scalar]);
    return this.#all(Object.entries(condition).map(([operator, operand]) => this.#compares(field, operator, operand)));
  }

  #compares(field: string, operator: string, operand: unknown): Condition {
    switch (operator) {
      case '$eq':
        return isAmong(field, [operand as Scalar]);
      case '$ne':
        return this.#not(isAmong(field, [operand as Scalar]));
      case '$in':
        return isAmong(field, operand as Scalar[]);
      case '$nin':
        return this.#not(isAmong(field, operand as Scalar[]));
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.#ranges(field, operator, operand as string | number);
      case '$prefix':
        return holds(field, `@ starts with ${literal(operand as string)}`);
      case '$exists':
        return operand === true ? exists(field) : this.#not(exists(field));
      case '$not':
        return this.#not(this.#is(field, operand));
      default:
        throw new TypeError(`Unknown operator ${operator} in a filter that should have been validated.`);
    }
  }

  #ranges(field: string, operator: Comparison, bound: string | number): Condition {
    const time = typeof bound === 'string' ? timeOf(bound) : undefined;
    if (time === undefined) return holds(field, `@ ${comparisons[operator]} ${literal(bound)}`);
    // Zones are less than a day: as times and as strings alike, what is written with another day, far enough away, stands before or behind.
    const [before, behind] = [dayOf(time - 2 * dayMs), dayOf(time + 3 * dayMs)].map((day) => day && literal(day));
    const isUp = operator === '$gt' || operator === '$gte';
    const surely = isUp ? behind && `@ >= ${behind}` : before && `@ < ${before}`;
    const perhaps = [`@ >= ${before ?? '""'}`, ...(behind === undefined ? [] : [`@ < ${behind}`])].join(' && ');
    const exactly = { sql: `stands_to_time(${fieldAt(field, this.#values)}, '${operator}', ${this.#value(bound, 'text')}, ${this.#value(time, 'float8')})` };
    return this.#any([...(surely === undefined ? [] : [holds(field, surely)]), this.#all([holds(field, perhaps), exactly])]);
  }

  #all = (conditions: Condition[]): Condition => this.#joined(conditions, { jsonpath: '&&', sql: 'AND', none: always });
  #any = (conditions: Condition[]): Condition => this.#joined(conditions, { jsonpath: '||', sql: 'OR', none: never });
  #not = (condition: Condition): Condition => ({ sql: `NOT (${this.#sql(condition)})` });

  /** Tests become one, so that each row's fields are read once for them. */
  #joined(conditions: Condition[], by: { jsonpath: string; sql: string; none: Condition }): Condition {
    const tests = conditions.flatMap((each) => ('test' in each ? [each.test] : []));
    const parts: Condition[] = [...(tests.length > 0 ? [{ test: joinedBy(by.jsonpath, tests) }] : []), ...conditions.filter((each) => 'sql' in each)];
    if (parts.length < 2) return parts[0] ?? by.none;
    return { sql: joinedBy(by.sql, parts.map((part) => this.#sql(part))) };
  }

  #sql(condition: Condition): string {
    return 'sql' in condition ? condition.sql : `fields @? ${this.#value(`strict $ ? (${condition.test})`, 'jsonpath')}`;
  }

  #value(value: unknown, type: string): string {
    return `$${this.#values.push(value)}::${type}`;
  }
}

const isAmong = (field: string, operands: Scalar[]): Condition => (operands.length === 0 ? never : holds(field, joinedBy('||', operands.map((each) => `@ == ${literal(each)}`))));
const exists = (field: string): Condition => (nestsTooDeep(field) ? never : { test: `exists(${pathTo(field)})` });

/** True of a value, or of a list with an element, for which `test` holds; `@` is the value there. */
const holds = (field: string, test: string): Condition => (nestsTooDeep(field) ? never : { test: `exists(${pathTo(field)} ? (${test} || exists(@[*] ? (${test}))))` });

/** In strict mode its keys lead into objects alone. */
const pathTo = (field: string): string => `@${keysOfField(field).map((key) => `.${JSON.stringify(key)}`).join('')}`;
/** JSON's strings and numbers are jsonpath's. */
const literal = (value: Scalar): string => JSON.stringify(typeof value === 'string' ? toStored(value) : value);
const joinedBy = (operator: string, parts: string[]): string => (parts.length === 1 ? parts[0]! : `(${parts.join(` ${operator} `)})`);

/** UTC; undefined where four digits do not write its year. */
function dayOf(time: number): string | undefined {
  const day = new Date(time).toISOString();
  return /^\d/.test(day) ? day.slice(0, 10) : undefined;
}
