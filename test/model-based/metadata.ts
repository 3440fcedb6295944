/** Metadata and filters over one vocabulary, so that they meet. */
import type { Random } from '../crash/random.js';

export type Json = Record<string, unknown>;

const times = ['2024-05-01', '2024-05-01T00:00', '2024-05-01T02:00+02:00', '2024-05-01T00:00:00.000Z', '2024-05-01T00:00:00.0005', '2024-04-30T23:59:59-00:30', '2024-02-30', '2024-02-29T24:00Z', '2023-02-29'];
const strings = ['', 'a', 'aa', 'B', 'é', 'e\u0301', '\uFB01', '\uFFFD', '😀', '😀a', '1', 'a'.repeat(300), ...times];
const numbers = [0, 1, 2, -1, 2.5, 1e-7, 1e21, 2 ** 53 - 1, 2024];
const fields = ['year', 'tag', 'size', 'place', 'list', '', 'constructor', 'é', '$'];
const inner = ['name', 'deep', 'n', 'toString'];

const scalar = (random: Random): unknown => {
  const kind = random.next();
  if (kind < 0.4) return random.pick(strings);
  if (kind < 0.8) return random.pick(numbers);
  return random.pick([true, false, null]);
};

function value(random: Random, depth: number): unknown {
  const kind = random.next();
  if (kind < 0.6 || depth > 2) return scalar(random);
  if (kind < 0.8) return Array.from({ length: random.between(0, 3) }, () => (random.next() < 0.9 ? scalar(random) : value(random, depth + 1)));
  return Object.fromEntries(Array.from({ length: random.between(0, 2) }, () => [random.pick(inner), value(random, depth + 1)]));
}

export function drawMetadata(random: Random): Json {
  const metadata: Json = {};
  for (let left = random.between(0, 5); left > 0; left--) metadata[random.pick(fields)] = value(random, 0);
  if (random.next() < 0.05) metadata['place.name'] = 'a key with a dot';
  return metadata;
}

/** The same, told in another order. */
export const reordered = (metadata: Json): Json => Object.fromEntries(Object.entries(metadata).reverse());

const filterFields = fields.filter((field) => !field.startsWith('$'));

export function drawFilter(random: Random, depth = 0): Json {
  const kind = random.next();
  if (depth < 2 && kind < 0.12) return { $or: list(random, () => drawFilter(random, depth + 1)) };
  if (depth < 2 && kind < 0.2) return { $and: list(random, () => drawFilter(random, depth + 1)) };
  if (depth < 2 && kind < 0.32) return { $not: drawFilter(random, depth + 1) };
  const filter: Json = {};
  for (let left = random.next() < 0.75 ? 1 : 2; left > 0; left--) filter[fieldPath(random)] = condition(random, 0);
  return filter;
}

const list = (random: Random, draw: () => unknown): unknown[] => Array.from({ length: random.between(1, 3) }, draw);

export function fieldPath(random: Random): string {
  if (random.next() < 0.08) return random.pick(['$item.modality', '$item.source']);
  const field = random.pick(filterFields);
  if (random.next() < 0.7) return field;
  return [field, ...Array.from({ length: random.between(1, 2) }, () => random.pick(inner))].join('.');
}

function condition(random: Random, depth: number): unknown {
  if (random.next() < 0.25) return operandOf(random);
  const operators: Json = {};
  for (let left = random.next() < 0.7 ? 1 : 2; left > 0; left--) {
    const operator = random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$gte', '$lte', '$in', '$nin', '$prefix', '$exists', '$not']);
    operators[operator] = operand(random, operator, depth);
  }
  return operators;
}

/** Now and then one that an item's own fields hold. */
const operandOf = (random: Random): unknown => (random.next() < 0.1 ? random.pick(['image', 'text', 'a.jpg']) : scalar(random));

function operand(random: Random, operator: string, depth: number): unknown {
  if (operator === '$exists') return random.next() < 0.5;
  if (operator === '$not') return depth < 2 ? condition(random, depth + 1) : { $exists: true };
  if (operator === '$in' || operator === '$nin') return Array.from({ length: random.between(0, 3) }, () => scalar(random));
  if (operator === '$eq' || operator === '$ne') return scalar(random);
  if (operator === '$prefix') return random.pick(['', 'a', '2024', '😀', '\uFB01', random.pick(strings)]);
  return random.next() < 0.5 ? random.pick(strings) : random.pick(numbers);
}
