import type { Collection } from '../../../contract/collections.js';
import { useFigures } from '../figures.js';
import { Link } from '../link.js';
import { useSectionTexts } from '../sections.js';
import { useCollectionTexts } from './words.js';

export function CollectionList({ collections, chosen }: { collections: Collection[]; chosen: string }) {
  const words = useCollectionTexts();
  const { collections: label } = useSectionTexts();
  const { count, bytes } = useFigures();
  return (
    <nav aria-label={label}>
      <ul class="collection-list">
        {collections.map(({ name, counts, bytes: stored, model }) => (
          <li key={name}>
            <Link collection={name} aria-current={name === chosen ? 'true' : undefined}>
              <b>{name}</b>
              <span>
                {words.counts(counts.total, count(counts.total))} · {bytes(stored)}
              </span>
              <span>{model}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
