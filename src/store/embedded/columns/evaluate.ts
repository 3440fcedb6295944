import { itemPrefix, type Filter, type Scalar } from '../../../domain/filter.js';
import { timeOf } from '../../../domain/times.js';
import { compileField } from '../filter.js';
import { verdict, type Column, type PassingScalars, type Range } from './column.js';

/** What is held of a field: a column; nothing, because no item has it; nothing, although items may have it. */
export type Held = Column | 'missing' | 'unknown';

/** Of each item from one place to another, that excluded, whether it matches. The filter must have passed the contract's validation. */
export function verdictsOf(filter: Filter, held: (field: string) => Held, from: number, to: number): Uint8Array {
  const clauses = Object.entries(filter).map(([key, operand]) => clauseVerdicts(key, operand, held, [from, to]));
  return clauses.length === 0 ? new Uint8Array(to - from).fill(verdict.yes) : clauses.reduce(lower);
}

function clauseVerdicts(key: string, operand: unknown, held: (field: string) => Held, [from, to]: [number, number]): Uint8Array {
  const parts = (): Uint8Array[] => (operand as Filter[]).map((part) => verdictsOf(part, held, from, to));
  if (key === '$and') return parts().reduce(lower);
  if (key === '$or') return parts().reduce(raise);
  if (key === '$not') return opposite(verdictsOf(operand as Filter, held, from, to));
  const column = held(key);
  if (column === 'unknown') return new Uint8Array(to - from).fill(verdict.unknown);
  const passes = compileField(operand);
  if (column === 'missing') return new Uint8Array(to - from).fill(passes(undefined) ? verdict.yes : verdict.no);
  return column.verdicts(passes, passingScalars(operand), from, to);
}

/** `undefined` where each has to be asked. */
function passingScalars(condition: unknown): PassingScalars | undefined {
  if (condition === null || typeof condition !== 'object') return { among: [condition as Scalar] };
  const operators = Object.entries(condition) as [string, unknown][];
  const [[operator, operand], ...more] = operators as [[string, unknown], ...[string, unknown][]];
  if (more.length === 0 && operator === '$eq') return { among: [operand as Scalar] };
  if (more.length === 0 && operator === '$in') return { among: operand as Scalar[] };
  if (!operators.every(([name]) => name in bounds)) return undefined;
  const ends = operators.map(([, bound]) => (typeof bound === 'string' ? timeOf(bound) : (bound as number)));
  const of = operators.every(([, bound]) => typeof bound === 'string') ? 'times' : operators.every(([, bound]) => typeof bound === 'number') ? 'numbers' : undefined;
  if (of === undefined || ends.includes(undefined)) return undefined;
  const range: Range = { of, above: -Infinity, from: -Infinity, below: Infinity, to: Infinity };
  operators.forEach(([name], i) => (range[bounds[name as keyof typeof bounds]] = ends[i]!));
  return range;
}

const bounds = { $gt: 'above', $gte: 'from', $lt: 'below', $lte: 'to' } as const satisfies Record<string, keyof Range>;

function lower(all: Uint8Array, part: Uint8Array): Uint8Array {
  for (let i = 0; i < all.length; i++) if (part[i]! < all[i]!) all[i] = part[i]!;
  return all;
}

function raise(all: Uint8Array, part: Uint8Array): Uint8Array {
  for (let i = 0; i < all.length; i++) if (part[i]! > all[i]!) all[i] = part[i]!;
  return all;
}

function opposite(all: Uint8Array): Uint8Array {
  for (let i = 0; i < all.length; i++) all[i] = verdict.yes - all[i]!;
  return all;
}

/** Whether it names one of the items' own fields. */
export function namesOwnFields(filter: Filter): boolean {
  return Object.entries(filter).some(([key, operand]) => {
    if (key === '$and' || key === '$or') return (operand as Filter[]).some(namesOwnFields);
    return key === '$not' ? namesOwnFields(operand as Filter) : key.startsWith(itemPrefix);
  });
}
