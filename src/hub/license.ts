/** What a hub's card says of a license. */
export interface License {
  /** The hub's short name, such as `apache-2.0`; `other` where it has none. */
  id?: string;
  /** What the card calls it where the id is `other`. */
  name?: string;
  link?: string;
}

/** Licenses that let anyone use the model for anything, by the hub's short names (its list: docs/hub/repositories-licenses). */
const free = new Set([
  'mit', 'apache-2.0', 'bsd', 'bsd-2-clause', 'bsd-3-clause', 'bsd-3-clause-clear', 'isc', 'zlib', 'unlicense', 'wtfpl', 'ncsa', 'postgresql', 'bsl-1.0', 'afl-3.0', 'artistic-2.0', 'ecl-2.0', 'ms-pl',
  'cc0-1.0', 'cc-by-2.0', 'cc-by-2.5', 'cc-by-3.0', 'cc-by-4.0', 'pddl', 'cdla-permissive-1.0', 'cdla-permissive-2.0',
]);

/** Short names of conditions that a reader should not have to look up. */
const knownRestrictions: [RegExp, string][] = [
  [/-nc\b|-nc-/, 'it forbids commercial use'],
  [/^apple-(amlr|ascl)|research/, 'it allows research only'],
];

/** Whether the user must agree first: whatever is not known to be free. */
export function mustBeAccepted({ id }: License): boolean {
  return id === undefined || !free.has(id.toLowerCase());
}

/** One line for the user, without a full stop's doubt: what it is, what it asks, where it can be read. */
export function tellLicense(license: License, page: string): string {
  const { id, name, link } = license;
  if (id === undefined) return `License: none is named on ${page}, so what the model may be used for is not known.`;
  const called = id === 'other' || id === 'unknown' ? (name ?? id) : id;
  if (!mustBeAccepted(license)) return `License: ${called}, free to use for anything.`;
  const restriction = knownRestrictions.find(([pattern]) => pattern.test(id.toLowerCase()) || pattern.test(called.toLowerCase()))?.[1] ?? 'it sets conditions';
  return `License: ${called}; ${restriction}. Read it at ${link ?? page}.`;
}

/** As `/v1/models` shows it. */
export function shortLicense({ id, name }: License): string | undefined {
  return id === 'other' ? (name ?? id) : id;
}

/** The card of a repository, as the hub's API gives it: `cardData` where it was read, and tags `license:...`. */
export function readLicense(card: { license?: unknown; license_name?: unknown; license_link?: unknown } | undefined, tags: string[]): License {
  const own = Array.isArray(card?.license) ? (card.license[0] as unknown) : card?.license;
  const id = typeof own === 'string' && own !== '' ? own : tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const name = text(card?.license_name);
  const link = text(card?.license_link);
  return { ...(id === undefined ? {} : { id: id.toLowerCase() }), ...(name === undefined ? {} : { name }), ...(link === undefined || !link.startsWith('https://') ? {} : { link }) };
}
