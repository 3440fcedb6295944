import { useEffect, useState } from 'preact/hooks';
import { Picture, titleOf } from '../items/picture.js';
import { useSession } from '../shell/session.js';
import { useDetailsTexts } from './details-texts.js';
import type { Result } from './results.js';

const neighbors = 14;
/** Whoever steps on meanwhile asks for nothing. */
const restMs = 250;

/** What lies next to an item; nothing where searches do not find it. */
export function Filmstrip({ collection, id, onOpen }: { collection: string; id: string; onOpen: (item: Result) => void }) {
  const words = useDetailsTexts();
  const { client } = useSession();
  const [near, setNear] = useState<{ of: string; items: Result[] }>();
  useEffect(() => {
    const leaving = new AbortController();
    const resting = setTimeout(() => {
      client.search(collection, { id }, { limit: neighbors, signal: leaving.signal }).then(
        ({ matches }) => setNear({ of: id, items: matches.filter((match) => match.id !== id).map((match) => ({ ...match, section: 'matches' })) }),
        () => leaving.signal.aborted || setNear({ of: id, items: [] }),
      );
    }, restMs);
    return () => {
      clearTimeout(resting);
      leaving.abort();
    };
  }, [client, collection, id]);
  const items = near?.of === id ? near.items : undefined;
  if (items?.length === 0) return <div class="filmstrip" />;
  return (
    <section class="filmstrip" aria-label={words.near} aria-busy={items === undefined}>
      <p aria-hidden="true">{words.near}</p>
      <ul>
        {(items ?? []).map((item) => (
          <li key={item.id}>
            <button type="button" title={titleOf(item)} onClick={() => onOpen(item)}>
              {item.modality === 'image' && item.image_url !== undefined ? <Picture collection={collection} item={item} size="thumbnail" /> : <span>{titleOf(item)}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
