import { exifFields } from './exif.js';

export type Scalar = string | number | boolean | null;
/** What one field is compared with. */
export interface FieldCondition {
  $eq?: Scalar;
  $ne?: Scalar;
  $gt?: string | number;
  $gte?: string | number;
  $lt?: string | number;
  $lte?: string | number;
  $in?: Scalar[];
  $nin?: Scalar[];
  $exists?: boolean;
  $prefix?: string;
  $not?: FieldCondition;
}
/** What stands before the names of an item's own fields, beside those of its metadata. */
export const itemPrefix = '$item.';
/** They are missing where an item has none; `source`, `folder` (those of the sources) and `exif.keywords` are lists. */
export const itemFields = ['modality', 'source', 'folder', 'width', 'height', 'media_type', 'taken_at', 'created_at', 'updated_at', ...exifFields.map((name) => `exif.${name}` as const)] as const;
export type ItemField = (typeof itemFields)[number];
/** Keys are ANDed; a key is a field (dots go into objects), an item's own field, or one of `$and`, `$or`, `$not`. */
export interface Filter {
  $and?: Filter[];
  $or?: Filter[];
  $not?: Filter;
  [field: string]: Scalar | FieldCondition | Filter | Filter[] | undefined;
}

/** What a filter lets through, as far as it can be told without any metadata. */
type Reach = 'all' | 'none' | 'some';
const opposite: Record<Reach, Reach> = { all: 'none', none: 'all', some: 'some' };
const all = (parts: Reach[]): Reach => (parts.includes('none') ? 'none' : parts.includes('some') ? 'some' : 'all');
const any = (parts: Reach[]): Reach => opposite[all(parts.map((part) => opposite[part]))];

/** Whether a filter matches everything because it names no field, or compares none with anything. */
export function matchesAll(filter: Filter): boolean {
  return reachOf(filter) === 'all';
}

function reachOf(filter: Filter): Reach {
  return all(
    Object.entries(filter).map(([key, part]) => {
      if (key === '$and') return all((part as Filter[]).map(reachOf));
      if (key === '$or') return any((part as Filter[]).map(reachOf));
      if (key === '$not') return opposite[reachOf(part as Filter)];
      return fieldReach(part);
    }),
  );
}

function fieldReach(condition: unknown): Reach {
  if (!isObject(condition)) return 'some';
  return all(
    Object.entries(condition).map(([operator, operand]) => {
      if (operator === '$not') return opposite[fieldReach(operand)];
      if ((operator === '$in' || operator === '$nin') && (operand as unknown[]).length === 0) return operator === '$in' ? 'none' : 'all';
      return 'some';
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
