import { useEffect, useState } from 'preact/hooks';
import { texts, useLanguage } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import type { LoadedResults } from './loaded-results.js';
import { filterOf } from './wanted.js';

const useTexts = texts({
  en: { some: (count: number, said: string) => `${said} new ${count === 1 ? 'item' : 'items'}`, show: 'Show' },
  de: { some: (count: number, said: string) => `${said} ${count === 1 ? 'neuer Eintrag' : 'neue Einträge'}`, show: 'Zeigen' },
  zh: { some: (_: number, said: string) => `${said} 个新条目`, show: '显示' },
});

/** Of more, those that are shown already are not told apart. */
const mostLookedAt = 100;
const addedAt = '$item.created_at';
const modality = '$item.modality';

/** How many that would be among the results came since those were asked for; looked at anew with each `change` of the collection. */
export function useNewOnes(results: LoadedResults, change: object): number {
  const { client } = useSession();
  const [count, setCount] = useState(0);
  useEffect(() => {
    // What is being asked for has all that there is.
    if (results.isEmpty) results.newOnes ??= { count: 0, at: change };
    setCount(results.newOnes?.count ?? 0);
    if (results.newOnes?.at === change) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const look = async (): Promise<void> => {
      const { collection, wanted } = results.view;
      const since = await results.newest;
      const isLater = since === undefined ? { [addedAt]: { $exists: true } } : { [addedAt]: { $gt: since } };
      const narrowing = filterOf(wanted);
      const filter = narrowing ? { $and: [narrowing, isLater] } : isLater;
      const { items, next_cursor: more } = await client.itemPage(collection, { filter, limit: mostLookedAt }, { signal });
      const shown = new Set(items.length > 0 ? results.found.map(({ id }) => id) : []);
      let came = items.filter(({ id }) => !shown.has(id)).length;
      if (more !== undefined) {
        const { [modality]: kinds } = await client.facets(collection, [modality], { filter }, { signal });
        came = kinds!.values.reduce((sum, { count: ofKind }) => sum + ofKind, 0);
      }
      if (signal.aborted) return;
      results.newOnes = { count: came, at: change };
      setCount(came);
    };
    // It is told with the next change.
    look().catch(() => {});
    return () => leaving.abort();
  }, [client, results, change]);
  return count;
}

export function NewOnes({ count, onShow }: { count: number; onShow: () => void }) {
  const words = useTexts();
  const language = useLanguage();
  return (
    <div class="new-ones" role="status">
      {count > 0 && (
        <button type="button" onClick={onShow}>
          <span>
            {words.some(count, count.toLocaleString(language))} · <b>{words.show}</b>
          </span>
        </button>
      )}
    </div>
  );
}
