import { useEffect, useRef } from 'preact/hooks';
import { Picture, titleOf } from '../items/picture.js';
import { hrefOf, type Go } from '../shell/address.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { useMapTexts } from './words.js';

interface ItemCardProps {
  collection: string;
  id: string;
  go: Go;
  onClose: () => void;
}

/** One item beside the map: its picture, and what is known of it. */
export function ItemCard({ collection, id, go, onClose }: ItemCardProps) {
  const words = useMapTexts();
  const { client } = useSession();
  const close = useRef<HTMLButtonElement>(null);
  const { value: item, error, again } = useLoaded((signal) => client.getItem(collection, id, { signal }), [client, collection, id]);
  useEffect(() => close.current?.focus({ preventScroll: true }), []);
  const query = { like: id };
  const facts: [string, string][] = item
    ? [
        ...Object.entries(item.metadata).map(([key, value]): [string, string] => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
        ...(item.taken_at === undefined ? [] : [[words.takenAt, item.taken_at.replace('T', ' ')] as [string, string]]),
        ...(item.width === undefined || item.height === undefined ? [] : [[words.size, `${item.width} × ${item.height}`] as [string, string]]),
        ...item.sources.map((source): [string, string] => [words.source, source]),
        [words.id, item.id],
      ]
    : [];
  return (
    <section class="item-card" role="dialog" aria-label={item ? titleOf(item) : id} aria-busy={!item && error === undefined} onKeyDown={(event) => event.key === 'Escape' && (event.stopPropagation(), onClose())}>
      <button ref={close} type="button" class="quiet-close" aria-label={words.close} title={words.close} onClick={onClose}>
        ×
      </button>
      <Problem error={error} onAgain={again} />
      {item && (
        <>
          {item.modality === 'image' ? (
            <div class="card-picture">
              <Picture key={item.id} collection={collection} item={item} size="original" />
            </div>
          ) : (
            <blockquote dir="auto">{item.text}</blockquote>
          )}
          <h2 dir="auto">{titleOf(item)}</h2>
          <a
            class="button primary-link"
            href={hrefOf({ page: 'search', collection, query: new URLSearchParams(query) })}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go({ page: 'search', query });
            }}
          >
            {words.more}
          </a>
          <dl>
            {facts.map(([name, value], index) => (
              <div key={index}>
                <dt dir="auto">{name}</dt>
                <dd dir="auto">{value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </section>
  );
}
