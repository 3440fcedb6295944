/** A query string's values as texts, without those that are left out. */
export function queryTexts<K extends string>(query: Partial<Record<K, string | number | undefined>>): Partial<Record<K, string>> {
  const entries = Object.entries<string | number | undefined>(query);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))) as Partial<Record<K, string>>;
}
