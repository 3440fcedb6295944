/** Where pictures come from: dropped, pasted, chosen, or of the collection. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useAnnouncements } from '../shell/announcements.js';
import { useCollections } from '../shell/collections.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import type { ChosenPictures } from './chosen.js';
import { useChosenTexts } from './chosen-words.js';
import { Picture, titleOf, type ShownItem } from './picture.js';
import { samplePictures } from './sample.js';

const typingPauseMs = 300;
const foundAtOnce = 24;

interface ChosenBarProps {
  collection: string;
  pictures: ChosenPictures;
  /** How many the button takes. */
  sampleSize: number;
}

export function ChosenBar({ collection, pictures, sampleSize }: ChosenBarProps) {
  const words = useChosenTexts();
  const { client } = useSession();
  const { show, say } = useAnnouncements();
  const collections = useCollections();
  const input = useRef<HTMLInputElement>(null);
  const [isPicking, setPicking] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);
  const current = collections.value?.find(({ name }) => name === collection);

  const take = (files: File[]): void => {
    const readable = files.filter(({ type, name }) => type.startsWith('image/') || /\.(heic|heif|tiff?|avif)$/i.test(name));
    if (readable.length === 0) return void (files.length > 0 && show({ text: words.noPictures }));
    const left = pictures.addFiles(readable);
    if (left > 0) show({ text: words.noRoom(left) });
  };
  const sample = async (): Promise<void> => {
    setProblem(undefined);
    try {
      pictures.addItems(await samplePictures(client, current!, sampleSize, { signal: leaving.current.signal }));
    } catch (error) {
      if (!leaving.current.signal.aborted) setProblem(error);
    }
  };
  const isDragging = useDropped(take);

  return (
    <section class="chosen-bar" data-dragging={isDragging}>
      <p class="actions">
        <span class="quiet">{isDragging ? words.dropHere : words.drop}</span>
        <button type="button" class={pictures.chosen.length === 0 ? 'primary' : ''} onClick={() => input.current?.click()}>
          {words.choose}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          multiple
          accept="image/*,.heic,.heif"
          aria-label={words.choose}
          onChange={(event) => {
            take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = '';
          }}
        />
        {current && current.counts.total > 0 && (
          <>
            <button type="button" aria-expanded={isPicking} onClick={() => setPicking(!isPicking)}>
              {words.fromCollection}
            </button>
            <button type="button" onClick={() => void sample()}>
              {words.sample}
            </button>
          </>
        )}
        {pictures.chosen.length > 0 && (
          <button
            type="button"
            onClick={() => {
              pictures.clear();
              say(words.clear);
            }}
          >
            {words.clear}
          </button>
        )}
      </p>
      <Problem error={problem} onAgain={() => void sample()} />
      {pictures.leftOut > 0 && <p class="quiet">{words.leftOut(pictures.leftOut)}</p>}
      {isPicking && <Picker collection={collection} pictures={pictures} onClose={() => setPicking(false)} />}
    </section>
  );
}

/** What the collection has, found by words; the newest where there are none. */
function Picker({ collection, pictures, onClose }: { collection: string; pictures: ChosenPictures; onClose: () => void }) {
  const words = useChosenTexts();
  const { client } = useSession();
  const [query, setQuery] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const found = useLoaded<ShownItem[]>(
    async (signal) => {
      if (query.trim() === '') return (await client.itemPage(collection, { sort: '-$item.created_at', limit: foundAtOnce }, { signal })).items;
      return (await client.search(collection, query, { limit: foundAtOnce, signal })).matches;
    },
    [client, collection, query],
  );
  const keys = new Set(pictures.chosen.map(({ item }) => item?.id));
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => box.current?.focus(), []);
  return (
    <div class="picker panel" onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <input
        ref={box}
        type="search"
        aria-label={words.find}
        placeholder={words.find}
        onInput={(event) => {
          const { value } = event.currentTarget;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setQuery(value), typingPauseMs);
        }}
      />
      <button type="button" onClick={onClose}>
        {words.close}
      </button>
      <Problem error={found.error} onAgain={found.again} />
      {found.value?.length === 0 && <p class="quiet">{words.nothing}</p>}
      <ul aria-label={words.found} aria-busy={found.isLoading}>
        {found.value?.map((item) => {
          const isTaken = keys.has(item.id);
          return (
            <li key={item.id}>
              <button type="button" aria-pressed={isTaken} title={titleOf(item)} onClick={() => (isTaken ? pictures.remove(pictures.chosen.find((one) => one.item?.id === item.id)!.key) : pictures.addItems([item]))}>
                {item.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : <span>{item.text}</span>}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Files dropped onto the page or pasted into it; whether some are being dragged. */
function useDropped(take: (files: File[]) => void): boolean {
  const [isDragging, setDragging] = useState(false);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragging(true);
    }, { signal });
    // Leaving for nothing is leaving the window.
    addEventListener('dragleave', (event) => event.relatedTarget === null && setDragging(false), { signal });
    addEventListener('drop', (event) => {
      setDragging(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      latest.current([...(event.dataTransfer?.files ?? [])]);
    }, { signal });
    addEventListener('paste', (event) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (pasted.length === 0) return;
      event.preventDefault();
      latest.current(pasted);
    }, { signal });
    return () => leaving.abort();
  }, []);
  return isDragging;
}
