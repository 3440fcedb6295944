import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { Picture, titleOf, type ShownItem } from '../items/picture.js';
import type { How } from '../shell/address.js';
import { texts, useLanguage } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import { pictureOf, type GivenPicture } from './given-pictures.js';
import { evenShare, isLikeSomething, type View, type Wanted } from './wanted.js';

const useTexts = texts({
  en: { like: 'Like', moreLike: 'More like', notLike: 'Not like', given: 'the picture you gave', clear: 'Clear', picture: 'Picture', words: 'Words', weight: 'Weight of the words beside the picture', take: (name: string) => `Do not mind ${name} any more` },
  de: { like: 'Wie', moreLike: 'Mehr wie', notLike: 'Nicht wie', given: 'das gegebene Bild', clear: 'Aufheben', picture: 'Bild', words: 'Worte', weight: 'Gewicht der Worte neben dem Bild', take: (name: string) => `${name} nicht mehr berücksichtigen` },
  zh: { like: '类似', moreLike: '更多类似', notLike: '不像', given: '所给图片', clear: '清除', picture: '图片', words: '文字', weight: '文字相对于图片的权重', take: (name: string) => `不再排除 ${name}` },
});

/** What the results are like, and unlike, where the search box cannot say it. */
export function ResultsNote({ view: { collection, wanted }, onWant }: { view: View; onWant: (wanted: Wanted, how?: How) => void }) {
  const words = useTexts();
  const { like, picture, unlike = [] } = wanted;
  if (!isLikeSomething(wanted) && unlike.length === 0) return null;
  return (
    <div class="wanted">
      {picture !== undefined ? <Given key={picture} picture={picture} /> : like !== undefined && <GivenItem key={like} collection={collection} id={like} label={words.moreLike} />}
      {isLikeSomething(wanted) && wanted.words !== undefined && <Share wanted={wanted} onWant={onWant} />}
      {unlike.map((id) => (
        <GivenItem key={id} collection={collection} id={id} label={words.notLike} onTake={() => onWant({ ...wanted, unlike: unlike.length > 1 ? unlike.filter((each) => each !== id) : undefined })} />
      ))}
      {isLikeSomething(wanted) && (
        <button type="button" class="clear" onClick={() => onWant({ ...wanted, like: undefined, picture: undefined, share: undefined, unlike: wanted.words === undefined ? undefined : wanted.unlike })}>
          {words.clear}
        </button>
      )}
    </div>
  );
}

const settledMs = 200;

/** How much the words count beside the picture. */
function Share({ wanted, onWant }: { wanted: Wanted; onWant: (wanted: Wanted, how?: How) => void }) {
  const words = useTexts();
  const language = useLanguage();
  const [share, setShare] = useState(wanted.share ?? evenShare);
  // Before the slider can be moved on.
  useLayoutEffect(() => setShare(wanted.share ?? evenShare), [wanted.share]);
  useEffect(() => {
    if (share === (wanted.share ?? evenShare)) return;
    const settling = setTimeout(() => onWant({ ...wanted, share: share === evenShare ? undefined : share }, 'replace'), settledMs);
    return () => clearTimeout(settling);
  }, [share, wanted]);
  return (
    <label class="share">
      <span aria-hidden="true">{words.picture}</span>
      <input type="range" min="0" max="1" step="0.05" value={share} aria-label={words.weight} aria-valuetext={share.toLocaleString(language, { style: 'percent' })} onInput={(event) => setShare(Number(event.currentTarget.value))} />
      <span aria-hidden="true">{words.words}</span>
    </label>
  );
}

function Given({ picture }: { picture: string }) {
  const words = useTexts();
  const [given, setGiven] = useState<GivenPicture & { address: string }>();
  useEffect(() => {
    let address: string | undefined;
    let isLeft = false;
    void pictureOf(picture).then((found) => {
      if (!found || isLeft) return;
      address = URL.createObjectURL(found.picture);
      setGiven({ ...found, address });
    });
    return () => {
      isLeft = true;
      if (address !== undefined) URL.revokeObjectURL(address);
    };
  }, [picture]);
  return (
    <>
      {given ? <img src={given.address} alt="" /> : <span class="awaited" />}
      <span>
        {words.like} <b>{given?.name || words.given}</b>
      </span>
    </>
  );
}

function GivenItem({ collection, id, label, onTake }: { collection: string; id: string; label: string; onTake?: () => void }) {
  const words = useTexts();
  const { client } = useSession();
  const [item, setItem] = useState<ShownItem>();
  useEffect(() => {
    const leaving = new AbortController();
    // A search by an item that is not there says so itself.
    client.getItem(collection, id, { signal: leaving.signal }).then(setItem, () => {});
    return () => leaving.abort();
  }, [client, collection, id]);
  const name = item ? titleOf(item) : id;
  return (
    <>
      {item?.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : !item && <span class="awaited" />}
      <span>
        {label} <b>{name}</b>
      </span>
      {onTake && (
        <button type="button" class="take" aria-label={words.take(name)} onClick={onTake}>
          ×
        </button>
      )}
    </>
  );
}
