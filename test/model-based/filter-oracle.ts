/** What a filter matches, from the contract's text alone. */
type Scalar = string | number | boolean | null;

interface Item {
  metadata: Record<string, unknown>;
  modality: string;
  sources: string[];
}

export const matchesItem = (filter: Record<string, any>, item: Item): boolean => matches(filter, fieldsOf(item));

/** What filters and orders see of an item, as far as is drawn. */
export const fieldsOf = ({ metadata, modality, sources }: Item): Record<string, unknown> => ({ ...metadata, $item: { modality, ...(sources.length > 0 ? { source: sources } : {}) } });

export function matches(filter: Record<string, any>, metadata: Record<string, unknown>): boolean {
  for (const [key, operand] of Object.entries(filter)) {
    let isMet: boolean;
    if (key === '$and') isMet = operand.every((each: any) => matches(each, metadata));
    else if (key === '$or') isMet = operand.some((each: any) => matches(each, metadata));
    else if (key === '$not') isMet = !matches(operand, metadata);
    else isMet = meets(at(metadata, key), operand);
    if (!isMet) return false;
  }
  return true;
}

/** Where the path leads, in a list of its own; an empty list where it leads nowhere. */
export function at(metadata: Record<string, unknown>, path: string): unknown[] {
  let here: unknown = metadata;
  for (const key of path.split('.')) {
    const isObject = typeof here === 'object' && here !== null && !Array.isArray(here);
    if (!isObject || !Object.prototype.hasOwnProperty.call(here, key)) return [];
    here = (here as Record<string, unknown>)[key];
  }
  return [here];
}

function meets(found: unknown[], condition: any): boolean {
  if (condition === null || typeof condition !== 'object') return equalsSome(found, [condition]);
  for (const [operator, operand] of Object.entries<any>(condition)) {
    let isMet: boolean;
    if (operator === '$eq') isMet = equalsSome(found, [operand]);
    else if (operator === '$ne') isMet = !equalsSome(found, [operand]);
    else if (operator === '$in') isMet = equalsSome(found, operand);
    else if (operator === '$nin') isMet = !equalsSome(found, operand);
    else if (operator === '$exists') isMet = found.length === 1 === operand;
    else if (operator === '$not') isMet = !meets(found, operand);
    else isMet = scalarsIn(found).some((value) => ranges(operator, value, operand));
    if (!isMet) return false;
  }
  return true;
}

/** A field's own value, or those that its array holds. */
const scalarsIn = (found: unknown[]): unknown[] => found.flatMap((value) => (Array.isArray(value) ? value.map((each) => (Array.isArray(each) ? {} : each)) : [value]));

function equalsSome(found: unknown[], wanted: Scalar[]): boolean {
  for (const value of scalarsIn(found)) for (const each of wanted) if (value === each) return true;
  return false;
}

function ranges(operator: string, value: unknown, bound: string | number): boolean {
  if (typeof value !== typeof bound || (typeof value !== 'string' && typeof value !== 'number')) return false;
  if (operator === '$prefix') return (value as string).slice(0, (bound as string).length) === bound;
  const order = typeof value === 'number' ? value - (bound as number) : stringOrder(value, bound as string);
  if (operator === '$gt') return order > 0;
  if (operator === '$gte') return order >= 0;
  if (operator === '$lt') return order < 0;
  return order <= 0;
}

function stringOrder(a: string, b: string): number {
  const [first, second] = [time(a), time(b)];
  return Number.isNaN(first) || Number.isNaN(second) ? byteOrder(a, b) : first - second;
}

/** Milliseconds, by the platform's own reading of the one form it is bound to read; NaN for what is no time. */
function time(text: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?:(:\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!parts) return NaN;
  // The platform cuts what is finer than a millisecond.
  const [, day, minutes = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = parts;
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return NaN;
  return Date.parse(`${day}T${minutes}${seconds}${zone}`) + Number(`0${fraction}`) * 1000;
}

/** By UTF-8 bytes, which is by code point. */
export const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
