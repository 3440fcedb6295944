import { useEffect, useState } from 'preact/hooks';
import type { PictureSize } from '../../client/index.js';
import type { Item } from '../../contract/items.js';
import { useSession } from '../shell/session.js';

/** What is shown of an item wherever one stands. */
export type ShownItem = Pick<Item, 'id' | 'modality' | 'text' | 'metadata' | 'sources'>;

interface PictureProps {
  collection: string;
  item: ShownItem;
  size: PictureSize;
}

export function Picture({ collection, item, size }: PictureProps) {
  const { client, hasKey } = useSession();
  const [source, setSource] = useState<string | undefined>(hasKey ? undefined : client.imageUrl(collection, item.id, size));
  // An original that this browser cannot show, such as a TIFF, is shown as its thumbnail.
  const [shownSize, setShownSize] = useState(size);

  useEffect(() => {
    setShownSize(size);
  }, [size, item.id]);
  useEffect(() => {
    if (!hasKey) return setSource(client.imageUrl(collection, item.id, shownSize));
    const leaving = new AbortController();
    let address: string | undefined;
    client.image(collection, item.id, shownSize, { signal: leaving.signal }).then(
      (blob) => setSource((address = URL.createObjectURL(blob))),
      () => {},
    );
    return () => {
      leaving.abort();
      if (address) URL.revokeObjectURL(address);
    };
  }, [client, hasKey, collection, item.id, shownSize]);

  return <img src={source} alt={titleOf(item)} loading={size === 'thumbnail' ? 'lazy' : 'eager'} decoding="async" onError={() => setShownSize('thumbnail')} />;
}

/** The best words there are for an item. */
export function titleOf({ id, text, metadata, sources }: ShownItem): string {
  for (const key of ['name', 'title', 'caption', 'description', 'alt']) {
    const value = metadata[key];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return text ?? sources[0]?.split(/[\\/]/).pop() ?? id;
}
