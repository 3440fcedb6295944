import { useRef, useState } from 'preact/hooks';
import { useDeletions, useHidden } from '../deleting/deletions-context.js';
import { Picture, titleOf } from '../items/picture.js';
import { useMayWrite } from '../shell/own-key.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { duplicatesIn, type AlikeHere } from './duplicates-in.js';
import type { MapSource } from './map-source.js';
import { useMapTexts } from './words.js';

interface DuplicatesPanelProps {
  source: MapSource;
  numbers: Uint32Array;
  onOpen: (number: number) => void;
}

/** What of a selection is nearly the same: the others go, and can be taken back for a while. */
export function DuplicatesPanel({ source, numbers, onOpen }: DuplicatesPanelProps) {
  const words = useMapTexts();
  const { client } = useSession();
  const { collection } = source;
  const deletions = useDeletions();
  const mayDelete = useMayWrite(collection);
  const hidden = useHidden(collection);
  // What is deleted here leaves the selection; what was found of it stays what it is.
  const asked = useRef(numbers).current;
  const { value, error, isLoading, isRetried, again } = useLoaded(async (signal) => ({ here: await duplicatesIn({ source, client, numbers: asked, signal, onProgress: () => {} }) }), [source, client]);
  const [looking, setLooking] = useState<{ done: number; total: number }>();
  const [problem, setProblem] = useState<unknown>();
  const look = async (): Promise<void> => {
    setProblem(undefined);
    setLooking({ done: 0, total: 0 });
    try {
      const { id } = await client.findDuplicates(collection);
      for await (const { job } of client.followJob(id)) {
        setLooking({ done: job.done, total: job.total ?? 0 });
        if (job.ended_at !== undefined && job.state !== 'done') throw new Error(job.problem ?? job.state);
      }
      again();
    } catch (failure) {
      setProblem(failure);
    } finally {
      setLooking(undefined);
    }
  };
  const here = value?.here;
  const groups = (here?.groups ?? []).map(({ id, items }) => ({ id, items: items.filter((item) => !hidden.has(item.id)) })).filter(({ items }) => items.length > 1);
  /** None where this key may delete none. */
  const others = (some: readonly AlikeHere[]) => (mayDelete ? some : []).flatMap(({ items }) => items.filter(({ keep }) => !keep));
  const remove = (some: readonly AlikeHere[]): void => deletions.remove(others(some).map((item) => ({ collection, id: item.id, title: titleOf(item), modality: item.modality })));
  return (
    <section class="map-duplicates" aria-label={words.duplicatesOf} aria-busy={isLoading}>
      <h3>
        {words.duplicatesOf}
        {here && groups.length > 0 && <span class="quiet"> · {words.groups(groups.length)}</span>}
      </h3>
      <Problem error={error ?? problem} isRetried={isRetried} onAgain={error === undefined ? () => void look() : again} />
      {looking ? (
        <p role="status">
          {words.looking} <progress aria-label={words.looking} {...(looking.total > 0 ? { max: looking.total, value: looking.done } : {})} />
        </p>
      ) : (
        value &&
        (!here || here.isStale) && (
          <p class="quiet">
            {here ? words.changedSince : words.notLooked}{' '}
            <button type="button" onClick={() => void look()}>
              {here ? words.lookAgain : words.look}
            </button>
          </p>
        )
      )}
      {here && groups.length === 0 && <p role="status">{words.noDuplicates}</p>}
      {groups.length > 1 && others(groups).length > 0 && (
        <button type="button" class="danger" onClick={() => remove(groups)}>
          {words.deleteAllOthers(others(groups).length)}
        </button>
      )}
      <ul class="groups">
        {groups.map((group) => (
          <li key={group.id}>
            <ul>
              {group.items.map((item) => (
                <li key={item.id}>
                  <button type="button" class={item.keep ? 'kept' : ''} title={titleOf(item)} aria-label={item.keep ? `${titleOf(item)}, ${words.kept}` : titleOf(item)} onClick={() => onOpen(item.number)}>
                    {item.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : <span dir="auto">{item.text}</span>}
                    {item.keep && <small aria-hidden="true">{words.kept}</small>}
                  </button>
                </li>
              ))}
            </ul>
            {others([group]).length > 0 && (
              <button type="button" class="danger" onClick={() => remove([group])}>
                {words.deleteOthers(others([group]).length)}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
