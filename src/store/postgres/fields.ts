/** What stands in `items.fields` under a field's name as filters have it: dots go into objects. */
import { toStored } from './stored-text.js';

/** More than JSON that is taken in may nest. */
const deepest = 100;

export const keysOfField = (field: string): string[] => field.split('.').map(toStored);

/** Nothing stands there. */
export const nestsTooDeep = (field: string): boolean => field.split('.', deepest + 1).length > deepest;

/** The value as jsonb, NULL where there is none; its keys are appended to `values`. */
export function fieldAt(field: string, values: unknown[]): string {
  if (nestsTooDeep(field)) return 'NULL::jsonb';
  // By this operator a text leads into objects alone.
  return `(${keysOfField(field).reduce((value, key) => `${value} -> $${values.push(key)}::text`, 'fields')})`;
}
