/** What a user says of an item: any JSON object. */
export type Metadata = Record<string, unknown>;

/** Goes into objects alone, and by their own keys alone. */
export function valueAt(fields: Metadata, path: string[]): unknown {
  let value: unknown = fields;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
