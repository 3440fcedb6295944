/** Deletions belong to the tab, not to a page: they can be taken back wherever one looks meanwhile. */
import { createContext, type ComponentChildren } from 'preact';
import { useSyncExternalStore } from 'preact/compat';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import { MixspaceUnreachableError } from '../../client/index.js';
import { useAnnouncements } from '../shell/announcements.js';
import { sentenceOf } from '../shell/errors.js';
import { texts } from '../shell/language.js';
import { useSession } from '../shell/session.js';
import { Deletions, heldBackMs, type Deletion } from './deletions.js';

interface Words {
  deleted: (count: number, title: string) => string;
  undo: string;
  back: string;
  failed: (count: number, title: string, reason: string) => string;
  again: string;
  unreachable: string;
}

const short = (title: string): string => (title.length > 60 ? `${title.slice(0, 59)}…` : title);

const useWords = texts<Words>({
  en: {
    deleted: (count, title) => (count === 1 ? `Deleted “${title}”` : `${count} deleted`),
    undo: 'Undo',
    back: 'Nothing was deleted',
    failed: (count, title, reason) => `${count === 1 ? `“${title}” was` : `${count} were`} not deleted. ${reason}`,
    again: 'Try again',
    unreachable: 'The service does not answer.',
  },
  de: {
    deleted: (count, title) => (count === 1 ? `„${title}“ gelöscht` : `${count} gelöscht`),
    undo: 'Rückgängig',
    back: 'Nichts wurde gelöscht',
    failed: (count, title, reason) => `${count === 1 ? `„${title}“ wurde` : `${count} wurden`} nicht gelöscht. ${reason}`,
    again: 'Noch einmal versuchen',
    unreachable: 'Der Dienst antwortet nicht.',
  },
  zh: {
    deleted: (count, title) => (count === 1 ? `已删除“${title}”` : `已删除 ${count} 项`),
    undo: '撤销',
    back: '未删除任何内容',
    failed: (count, title, reason) => `${count === 1 ? `“${title}”` : `${count} 项`}未能删除。${reason}`,
    again: '重试',
    unreachable: '服务没有响应。',
  },
});

const DeletionsContext = createContext<Deletions | undefined>(undefined);

export function DeletionsProvider({ onLocked, children }: { onLocked: () => void; children: ComponentChildren }) {
  const { clientThat } = useSession();
  const [deletions] = useState(() => new Deletions({ client: clientThat({ fetch: outliving }), onLocked }));
  useEffect(() => void (deletions.around = { client: clientThat({ fetch: outliving }), onLocked }), [clientThat, onLocked]);
  useEffect(() => {
    addEventListener('pagehide', deletions.sendAll);
    return () => removeEventListener('pagehide', deletions.sendAll);
  }, []);
  return (
    <DeletionsContext.Provider value={deletions}>
      <Notices deletions={deletions} />
      {children}
    </DeletionsContext.Provider>
  );
}

/** Goes on when the page is left. */
const outliving: typeof fetch = (input, init) => fetch(input, { ...init, keepalive: true });

/** One for all that can be taken back, one for all that failed. */
function Notices({ deletions }: { deletions: Deletions }) {
  const { held, failed } = useSyncExternalStore(deletions.subscribe, deletions.snapshot);
  const { say, show } = useAnnouncements();
  const words = useWords();
  useEffect(() => {
    if (held.length === 0) return;
    const undo = (): void => {
      deletions.undo();
      say(words.back);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || isTyping(event)) return;
      event.preventDefault();
      undo();
    };
    const hide = show({ text: words.deleted(held.length, short(held[0]!.title)), action: { label: words.undo, run: undo }, forMs: heldBackMs });
    addEventListener('keydown', onKey);
    return () => {
      hide();
      removeEventListener('keydown', onKey);
    };
  }, [held, words]);
  useEffect(() => {
    if (!failed) return;
    return show({
      text: words.failed(failed.deletions.length, short(failed.deletions[0]!.title), failed.error instanceof MixspaceUnreachableError ? words.unreachable : sentenceOf(failed.error)),
      action: { label: words.again, run: () => deletions.remove(failed.deletions) },
      forMs: 3 * heldBackMs,
    });
  }, [failed, words]);
  return null;
}

export const isTyping = ({ target }: Event): boolean => target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;

/** `remove` deletes in ten seconds, unless that is taken back; `keep` shows what was added again. */
export const useDeletions = (): Pick<Deletions, 'remove' | 'undo' | 'keep'> => useContext(DeletionsContext)!;

const none: ReadonlySet<string> = new Set();

/** Ids of what is deleted or about to be. */
export function useHidden(collection: string): ReadonlySet<string> {
  const deletions = useContext(DeletionsContext)!;
  return useSyncExternalStore(deletions.subscribe, () => deletions.snapshot().hidden.get(collection) ?? none);
}

/** What of a collection the service still counts and is deleted or about to be. */
export function useUncounted(collection: string): { uncounted: readonly Deletion[]; gone: readonly Deletion[]; counted: (gone: readonly Deletion[]) => void } {
  const deletions = useContext(DeletionsContext)!;
  const { uncounted, gone } = useSyncExternalStore(deletions.subscribe, deletions.snapshot);
  return useMemo(() => {
    const here = uncounted.filter((each) => each.collection === collection);
    return { uncounted: here, gone: here.filter((each) => gone.has(each)), counted: deletions.counted };
  }, [deletions, collection, uncounted, gone]);
}

export type { Deletion };
