import { useEffect, useState } from 'preact/hooks';
import { texts } from '../shell/language.js';
import { useSession } from '../shell/session.js';

const useTexts = texts({
  en: { some: (count: number) => `${count} new ${count === 1 ? 'item' : 'items'}`, show: 'Show' },
  de: { some: (count: number) => `${count} ${count === 1 ? 'neuer Eintrag' : 'neue Einträge'}`, show: 'Zeigen' },
  zh: { some: (count: number) => `${count} 个新条目`, show: '显示' },
});

const busyMs = 3_000;
const quietMs = 10_000;

/** What came into the collection since it was shown, by others, a folder that is watched or a job; asked for while somebody looks. */
export function useNewOnes(collection: string, shownAt: object): number {
  const { client } = useSession();
  const [count, setCount] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    let [first, last]: (number | undefined)[] = [];
    let timer: ReturnType<typeof setTimeout>;
    setCount(0);
    const ask = async (): Promise<void> => {
      let isBusy = false;
      if (!document.hidden) {
        const total = await client.collection(collection, { signal: leaving.signal }).then(({ counts }) => counts.total, () => undefined);
        if (leaving.signal.aborted) return;
        if (total !== undefined) {
          // What goes makes no place for what comes.
          first = Math.min(first ?? total, total);
          isBusy = last !== undefined && total !== last;
          last = total;
          setCount(total - first);
        }
      }
      timer = setTimeout(() => void ask(), isBusy ? busyMs : quietMs);
    };
    const onLook = (): void => {
      if (document.hidden) return;
      clearTimeout(timer);
      void ask();
    };
    void ask();
    document.addEventListener('visibilitychange', onLook);
    return () => {
      leaving.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onLook);
    };
  }, [client, collection, shownAt]);
  return count;
}

export function NewOnes({ count, onShow }: { count: number; onShow: () => void }) {
  const words = useTexts();
  return (
    <div class="new-ones" role="status">
      {count > 0 && (
        <button type="button" onClick={onShow}>
          <span>
            {words.some(count)} · <b>{words.show}</b>
          </span>
        </button>
      )}
    </div>
  );
}
