/** A collection in memory, as the ports' text has it: the oracle of the contract suites, which asks no code of the product. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Item, ItemWrite } from '../../src/store/catalog.js';
import type { NearestRequest } from '../../src/store/vector-index.js';
import type { Random } from '../crash/random.js';
import { at, byteOrder, fieldsOf, matchesItem } from '../model-based/filter-oracle.js';

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface Kept {
  id: string;
  modality: 'image' | 'text';
  contentHash: string;
  text?: string;
  metadata: Record<string, unknown>;
  sources: string[];
  vectors: Float32Array[];
}

export class ShelfOfItems {
  readonly items = new Map<string, Kept>();

  /** Undefined: there is no such item, and the write brings none. */
  take({ id, content, metadata, source }: ItemWrite): 'created' | 'updated' | 'unchanged' | undefined {
    const before = this.items.get(id);
    if (!before) {
      if (!content) return undefined;
      this.items.set(id, { ...contentOf(content), id, metadata: metadata ?? {}, sources: source === undefined ? [] : [source] });
      return 'created';
    }
    const sources = source === undefined || before.sources.includes(source) ? before.sources : [...before.sources, source];
    const noted = metadata === undefined || isDeepStrictEqual(metadata, before.metadata) ? before.metadata : metadata;
    const isOther = content !== undefined && (content.contentHash !== before.contentHash || content.modality !== before.modality || before.vectors.length === 0);
    if (!isOther && noted === before.metadata && sources === before.sources) return 'unchanged';
    this.items.set(id, { ...(isOther ? contentOf(content) : before), id, metadata: noted, sources });
    return 'updated';
  }

  ids(filter?: Record<string, unknown>): string[] {
    return [...this.items.values()]
      .filter((item) => !filter || matchesItem(filter, item))
      .map(({ id }) => id)
      .sort(byteOrder);
  }

  /** Ids in the order of a field; those of equal values in any order, side by side in one list. */
  sorted(field: string, descending: boolean, filter?: Record<string, unknown>): string[][] {
    const sign = descending ? -1 : 1;
    const groups = new Map<string, { value: Scalar | undefined; ids: string[] }>();
    for (const item of this.items.values()) {
      if (filter && !matchesItem(filter, item)) continue;
      const ordered = at(fieldsOf(item), field).flat().filter((each): each is Scalar => ['boolean', 'number', 'string'].includes(typeof each));
      const [value] = ordered.sort((a, b) => sign * scalarOrder(a, b));
      const name = `${typeof value} ${String(value)}`;
      groups.set(name, { value, ids: [...(groups.get(name)?.ids ?? []), item.id].sort() });
    }
    const inOrder = [...groups.values()].sort((a, b) => (a.value === undefined ? 1 : b.value === undefined ? -1 : sign * scalarOrder(a.value, b.value)));
    return inOrder.map(({ ids }) => ids);
  }

  /** How many items have which value of a field, by its JSON; strings of over 256 characters are among the others. */
  valueCounts(field: string, filter?: Record<string, unknown>): { values: Map<string, number>; other: number; missing: number } {
    const values = new Map<string, number>();
    let [other, missing] = [0, 0];
    for (const item of this.items.values()) {
      if (filter && !matchesItem(filter, item)) continue;
      const [value] = at(fieldsOf(item), field);
      const held = new Set([Array.isArray(value) ? value : [value]].flatMap((list) => list.filter((each) => each === null || (typeof each !== 'object' && !(typeof each === 'string' && each.length > 256)))).map((each) => JSON.stringify(each)));
      if (value === undefined) missing++;
      else if (held.size === 0) other++;
      else for (const each of held) values.set(each, (values.get(each) ?? 0) + 1);
    }
    return { values, other, missing };
  }

  counts(): { image: number; text: number } {
    const of = (modality: string): number => [...this.items.values()].filter((item) => item.modality === modality).length;
    return { image: of('image'), text: of('text') };
  }

  /** Every item that is asked for with its best score, best first. */
  ranked(modality: 'image' | 'text', { embedding, filter, excludeIds }: Omit<NearestRequest, 'leaves'>): { id: string; score: number }[] {
    return [...this.items.values()]
      .filter((item) => item.modality === modality && item.vectors.length > 0 && !excludeIds?.includes(item.id) && (!filter || matchesItem(filter, item)))
      .map(({ id, vectors }) => ({ id, score: Math.max(...vectors.map((vector) => dot(vector, embedding))) }))
      .sort((a, b) => b.score - a.score || byteOrder(a.id, b.id));
  }
}

type Scalar = string | number | boolean;

function scalarOrder(a: Scalar, b: Scalar): number {
  const kinds = ['boolean', 'number', 'string'];
  if (typeof a === 'string' && typeof b === 'string') return byteOrder(a, b);
  return kinds.indexOf(typeof a) - kinds.indexOf(typeof b) || Number(a) - Number(b);
}

const contentOf = ({ modality, contentHash, text, embeddings }: NonNullable<ItemWrite['content']>): Pick<Kept, 'modality' | 'contentHash' | 'text' | 'vectors'> => ({
  modality,
  contentHash,
  ...(text === undefined ? {} : { text }),
  vectors: embeddings,
});

/** In float64, which no sum of 32 products leaves by more than 1e-6. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** What both say of an item. */
export const told = ({ id, modality, contentHash, text, metadata, sources }: Item | Kept): object => ({ id, modality, contentHash, metadata, sources, ...(text === undefined ? {} : { text }) });

export const dimension = 32;
export const space = { model: 'first', fingerprint: 'f-first', dimension };
export const otherSpace = { model: 'second', fingerprint: 'f-second', dimension: 24 };

/** A direction that is the same for a name each time, near one of twelve centers, as the embeddings of a real collection lie. */
export function direction(random: Random, size = dimension): Float32Array {
  const center = random.between(0, 11);
  const values = Array.from({ length: size }, (_, i) => Math.sin(center * 37 + i * (center + 1)) + 0.6 * random.normal());
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

/** Names that sort otherwise by code unit, by locale or without regard to case. */
export const idForms = [(n: number) => `item-${n}`, (n: number) => `Z${n}`, (n: number) => `ü/${n}`, (n: number) => `u\u0308/${n}`, (n: number) => `😀${n}`, (n: number) => `\uFFEE${n}`, (n: number) => `日本 ${n}`, (n: number) => `"${n}' \\`];
export const idOf = (n: number): string => idForms[n % idForms.length]!(n);
