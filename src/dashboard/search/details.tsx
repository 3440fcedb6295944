import { useEffect, useRef, useState } from 'preact/hooks';
import { DeleteButton } from '../deleting/delete-button.js';
import { Picture, titleOf } from '../items/picture.js';
import type { Result } from './results.js';
import { Heat, Reasons, useWhy } from './why.js';
import { useSession } from '../shell/session.js';
import { sentenceOf } from '../shell/errors.js';

interface DetailsProps {
  collection: string;
  item: Result;
  onClose: () => void;
  onLike: (id: string) => void;
  /** By -1 or 1. */
  onStep: (by: number) => void;
}

/** One item over the page: its picture in full, and all that is known of it. */
export function Details({ collection, item, onClose, onLike, onStep }: DetailsProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const isImage = item.modality === 'image';
  const explanation = useWhy(item);

  return (
    <dialog
      ref={dialog}
      class="details"
      aria-label={titleOf(item)}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') onStep(-1);
        if (event.key === 'ArrowRight') onStep(1);
      }}
    >
      <div class="details-body">
        <div class="stage">
          {isImage ? (
            <div class="pictured">
              <Picture collection={collection} item={item} size="original" />
              {item.part && <Part box={item.part.box} />}
              {explanation.why?.heat && <Heat {...explanation.why.heat} />}
            </div>
          ) : (
            <blockquote>{item.text}</blockquote>
          )}
        </div>
        <aside>
          <h2>{titleOf(item)}</h2>
          <div class="actions">
            <button type="button" class="primary" onClick={() => onLike(item.id)}>
              More like this
            </button>
            {item.why_of && (
              <button type="button" aria-busy={explanation.isAsking} onClick={explanation.ask}>
                Why?
              </button>
            )}
            {isImage && <OpenOriginal collection={collection} id={item.id} />}
            <DeleteButton collection={collection} item={item} onDeleted={() => dialog.current?.close()} />
          </div>
          <Reasons {...explanation} />
          <Facts item={item} />
        </aside>
        <button type="button" class="close" aria-label="Close" onClick={() => dialog.current?.close()}>
          ×
        </button>
      </div>
    </dialog>
  );
}

/** A light frame around the part that matched best. */
function Part({ box }: { box: number[] }) {
  const [left, top, width, height] = box.map((value) => `${100 * value}%`);
  return <div class="part" title="What matched best" style={{ left, top, width, height }} />;
}

function Facts({ item }: { item: Result }) {
  const facts: [string, string][] = [];
  if (item.score !== undefined) facts.push(['Score', item.score.toFixed(4)]);
  for (const [key, value] of Object.entries(item.metadata)) facts.push([key, typeof value === 'string' ? value : JSON.stringify(value)]);
  if (item.width !== undefined && item.height !== undefined) facts.push(['Size', `${item.width} × ${item.height}`]);
  if (item.taken_at !== undefined) facts.push(['Taken', item.taken_at.replace('T', ' ')]);
  if (item.not_embedded !== undefined) facts.push(['Not searched', item.not_embedded]);
  for (const source of item.sources) facts.push(['Source', source]);
  facts.push(['Id', item.id]);
  return (
    <dl>
      {facts.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A link where the browser may load the original itself; where a key is needed, a button that brings it. */
function OpenOriginal({ collection, id }: { collection: string; id: string }) {
  const { client, hasKey } = useSession();
  const [problem, setProblem] = useState('');
  if (!hasKey) {
    return (
      <a class="button" href={client.imageUrl(collection, id, 'original')} target="_blank" rel="noreferrer">
        Open original
      </a>
    );
  }
  const save = async (): Promise<void> => {
    try {
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
        Save original
      </button>
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}
