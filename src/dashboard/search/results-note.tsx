import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../shell/session.js';
import { Picture, titleOf } from '../items/picture.js';
import type { Result } from './results.js';
import type { View } from './wanted.js';

/** What the results are like, where the search box cannot say it. */
export function ResultsNote({ view: { collection, wanted }, onClear }: { view: View; onClear: () => void }) {
  if (wanted.by === 'words' || wanted.by === 'nothing') return null;
  return (
    <div class="wanted">
      {wanted.by === 'picture' ? <GivenPicture picture={wanted.picture} name={wanted.name} /> : <GivenItem collection={collection} id={wanted.id} />}
      <button type="button" onClick={onClear}>
        Clear
      </button>
    </div>
  );
}

function GivenPicture({ picture, name }: { picture: Blob; name: string }) {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const created = URL.createObjectURL(picture);
    setAddress(created);
    return () => URL.revokeObjectURL(created);
  }, [picture]);
  return (
    <>
      {address && <img src={address} alt="" />}
      <span>
        Like <b>{name || 'the picture you gave'}</b>
      </span>
    </>
  );
}

function GivenItem({ collection, id }: { collection: string; id: string }) {
  const { client } = useSession();
  const [item, setItem] = useState<Result>();
  useEffect(() => {
    const leaving = new AbortController();
    setItem(undefined);
    // A search by an item that is not there says so itself.
    client.getItem(collection, id, { signal: leaving.signal }).then(setItem, () => {});
    return () => leaving.abort();
  }, [client, collection, id]);
  if (!item) return <span>Like {id}</span>;
  return (
    <>
      {item.modality === 'image' && <Picture collection={collection} item={item} size="thumbnail" />}
      <span>
        More like <b>{titleOf(item)}</b>
      </span>
    </>
  );
}
