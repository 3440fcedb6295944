import { useEffect, useRef, useState } from 'preact/hooks';
import { Picture, titleOf } from './picture.js';
import type { Result } from './results.js';
import { useSession } from './session.js';
import { sentenceOf } from './words.js';

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
        <div class="stage">{isImage ? <Framed collection={collection} item={item} /> : <blockquote>{item.text}</blockquote>}</div>
        <aside>
          <h2>{titleOf(item)}</h2>
          <div class="actions">
            <button type="button" class="primary" onClick={() => onLike(item.id)}>
              More like this
            </button>
            {isImage && <OpenOriginal collection={collection} id={item.id} />}
          </div>
          <Facts item={item} />
        </aside>
        <button type="button" class="close" aria-label="Close" onClick={() => dialog.current?.close()}>
          ×
        </button>
      </div>
    </dialog>
  );
}

/** The picture, with a light frame around the part that matched best. */
function Framed({ collection, item }: { collection: string; item: Result }) {
  const picture = <Picture collection={collection} item={item} size="original" />;
  if (!item.part) return picture;
  const [left, top, width, height] = item.part.box.map((value) => `${100 * value}%`);
  return (
    <div class="framed">
      {picture}
      <div class="part" title="What matched best" style={{ left, top, width, height }} />
    </div>
  );
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
