import type { Query } from '../shell/address.js';
import { Link } from './link.js';

interface SectionLinksProps<T extends string> {
  label: string;
  names: readonly T[];
  words: Record<T, string>;
  chosen: T;
  collection: string;
  /** Of each, what the address says. */
  queryOf: (name: T) => Query;
}

/** Links beside each other, of which one is where one is. */
export function SectionLinks<T extends string>({ label, names, words, chosen, collection, queryOf }: SectionLinksProps<T>) {
  return (
    <nav class="sections" aria-label={label}>
      {names.map((name) => (
        <Link key={name} collection={collection} query={queryOf(name)} aria-current={name === chosen ? 'page' : undefined}>
          {words[name]}
        </Link>
      ))}
    </nav>
  );
}
