import { Picture, titleOf, type ShownItem } from '../items/picture.js';
import { useSession } from '../shell/session.js';
import { useAsked } from './asking.js';
import { Link } from './link.js';

/** An item of which only the id is known until it is asked for. */
export function useItem(collection: string, id: string, isAsked = true): ShownItem | undefined {
  const { client } = useSession();
  return useAsked(async (signal) => (isAsked ? client.getItem(collection, id, { signal }) : undefined), [client, collection, id, isAsked]).value;
}

/** A link to what is like it. */
export function ItemThumbnail({ collection, item }: { collection: string; item: ShownItem }) {
  return (
    <Link page="search" collection={collection} query={{ like: item.id }} class="thumbnail" aria-label={titleOf(item)}>
      {item.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : <span>{item.text}</span>}
    </Link>
  );
}
