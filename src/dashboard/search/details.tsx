import { useEffect, useRef, useState } from 'preact/hooks';
import { DeleteButton } from '../deleting/delete-button.js';
import { Picture, titleOf } from '../items/picture.js';
import { sentenceOf } from '../shell/errors.js';
import { useLanguage } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import { useDetailsTexts } from './details-texts.js';
import { Facts } from './facts.js';
import { Filmstrip } from './filmstrip.js';
import type { Result } from './results.js';
import { useSwipe } from './swipe.js';
import { Heat, Reasons, useWhy } from './why.js';

export interface Place {
  /** From 0; undefined: not one of those that are loaded. */
  index: number | undefined;
  loaded: number;
  isComplete: boolean;
  isLoading: boolean;
}

interface DetailsProps {
  collection: string;
  item: Result;
  place: Place;
  onClose: () => void;
  onLike: (id: string) => void;
  /** Undefined: nothing is searched for that it could be unlike. */
  onUnlike: ((id: string) => void) | undefined;
  onStep: (by: -1 | 1) => void;
  onOpen: (item: Result) => void;
}

/** One item over the page: its picture in full, all that is known of it, and the way to those beside it. */
export function Details({ collection, item, place, onClose, onLike, onUnlike, onStep, onOpen }: DetailsProps) {
  const words = useDetailsTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.focus();
  }, []);
  const isImage = item.modality === 'image' && item.image_url !== undefined;
  const explanation = useWhy(item);
  const swipe = useSwipe(onStep);
  const isFirst = place.index === undefined || place.index === 0;
  const isLast = place.index === undefined || (place.isComplete && place.index === place.loaded - 1);

  return (
    <dialog
      ref={dialog}
      class="details"
      tabIndex={-1}
      aria-label={titleOf(item)}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={(event) => {
        if (event.target instanceof HTMLInputElement || event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === 'ArrowLeft') onStep(-1);
        if (event.key === 'ArrowRight') onStep(1);
      }}
    >
      <div class="details-body">
        <div class="shown">
          <div class="stage" {...swipe}>
            {isImage ? (
              <div class="pictured" key={item.id} style={shapeOf(item)}>
                <Picture collection={collection} item={item} size="original" />
                {item.part && <Part box={item.part.box} />}
                {explanation.why?.heat && <Heat {...explanation.why.heat} />}
              </div>
            ) : (
              <blockquote dir="auto">{titleOf(item)}</blockquote>
            )}
            <button type="button" class="step before" aria-label={words.previous} aria-disabled={isFirst} onClick={() => onStep(-1)}>
              ‹
            </button>
            <button type="button" class="step after" aria-label={words.next} aria-disabled={isLast} onClick={() => onStep(1)}>
              ›
            </button>
          </div>
          <Filmstrip collection={collection} id={item.id} onOpen={onOpen} />
        </div>
        <aside>
          <WhereItStands place={place} isFirst={isFirst} isLast={isLast} />
          <h2 dir="auto">{titleOf(item)}</h2>
          <div class="actions">
            <button type="button" class="primary" onClick={() => onLike(item.id)}>
              {words.more}
            </button>
            {onUnlike && (
              <button type="button" onClick={() => onUnlike(item.id)}>
                {words.unlike}
              </button>
            )}
            {item.why_of && (
              <button type="button" aria-busy={explanation.isAsking} onClick={explanation.ask}>
                {words.why}
              </button>
            )}
            {isImage && <OpenOriginal collection={collection} id={item.id} />}
            <DeleteButton collection={collection} item={item} onDeleted={() => dialog.current?.close()} />
          </div>
          <Reasons {...explanation} />
          <Facts item={item} />
        </aside>
        <button type="button" class="close" aria-label={words.close} onClick={() => dialog.current?.close()}>
          ×
        </button>
      </div>
    </dialog>
  );
}

/** Its room is known before it is there. Small ones are enlarged a little. */
function shapeOf({ width, height }: Result): Record<string, string> {
  return width && height ? { '--aspect': String(width / height), '--wide': `${Math.max(width, 480)}px` } : {};
}

/** Said at each step. */
function WhereItStands({ place: { index, loaded, isComplete, isLoading }, isFirst, isLast }: { place: Place; isFirst: boolean; isLast: boolean }) {
  const words = useDetailsTexts();
  const language = useLanguage();
  if (index === undefined) return null;
  const isAtEnd = index === loaded - 1;
  const count = `${loaded.toLocaleString(language)}${isComplete ? '' : '+'}`;
  return (
    <p class="place" role="status">
      {words.place((index + 1).toLocaleString(language), count)}
      <span class="visually-hidden"> {isFirst ? words.first : ''} {isLast ? words.last : ''}</span>
      {isAtEnd && isLoading && <span> · {words.loading}</span>}
    </p>
  );
}

/** A light frame around the part that matched best. */
function Part({ box }: { box: number[] }) {
  const words = useDetailsTexts();
  const [left, top, width, height] = box.map((value) => `${100 * value}%`);
  return <div class="part" title={words.part} style={{ left, top, width, height }} />;
}

/** A link where the browser may load the original itself; where a key is needed, a button that brings it. */
function OpenOriginal({ collection, id }: { collection: string; id: string }) {
  const words = useDetailsTexts();
  const { client, hasKey } = useSession();
  const [problem, setProblem] = useState('');
  if (!hasKey) {
    return (
      <a class="button" href={client.imageUrl(collection, id, 'original')} target="_blank" rel="noreferrer">
        {words.open}
      </a>
    );
  }
  const save = async (): Promise<void> => {
    try {
      setProblem('');
      const address = URL.createObjectURL(await client.image(collection, id, 'original'));
      const link = Object.assign(document.createElement('a'), { href: address, download: '' });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <>
      <button type="button" onClick={() => void save()}>
        {words.save}
      </button>
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}
