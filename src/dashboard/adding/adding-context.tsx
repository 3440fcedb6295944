/** Uploads belong to the tab, not to a page: they go on while one looks elsewhere. */
import { createContext, type ComponentChildren } from 'preact';
import { useSyncExternalStore } from 'preact/compat';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { useDeletions } from '../deleting/deletions-context.js';
import { useSession } from '../shell/session.js';
import { UploadQueue, type Uploads } from './upload-queue.js';

const QueueContext = createContext<UploadQueue | undefined>(undefined);

export function AddingProvider({ onLocked, children }: { onLocked: () => void; children: ComponentChildren }) {
  const { clientThat } = useSession();
  const { keep } = useDeletions();
  const around = { client: useClientOnce(), onThere: keep, onLocked };
  const [queue] = useState(() => new UploadQueue(around));
  useEffect(() => void (queue.around = around), [clientThat, keep, onLocked]);
  return (
    <QueueContext.Provider value={queue}>
      <WarnBeforeLeaving queue={queue} />
      {children}
    </QueueContext.Provider>
  );
}

/** It makes each call once. */
function useClientOnce() {
  const { clientThat } = useSession();
  const made = useRef<{ by: typeof clientThat; client: ReturnType<typeof clientThat> }>();
  if (made.current?.by !== clientThat) made.current = { by: clientThat, client: clientThat({ retries: 0 }) };
  return made.current.client;
}

function WarnBeforeLeaving({ queue }: { queue: UploadQueue }) {
  const { isRunning } = useUploadsOf(queue);
  useEffect(() => {
    if (!isRunning) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    addEventListener('online', queue.tryNow);
    return () => {
      removeEventListener('beforeunload', warn);
      removeEventListener('online', queue.tryNow);
    };
  }, [isRunning]);
  return null;
}

const useUploadsOf = (queue: UploadQueue): Uploads => useSyncExternalStore(queue.subscribe, queue.snapshot);

export const useAdding = (): UploadQueue => useContext(QueueContext)!;
export const useUploads = (): Uploads => useUploadsOf(useAdding());

/** How many were added to the collection from here; rises as they come. */
export function useAddedCount(collection: string): number {
  const { drops } = useUploads();
  return drops.reduce((sum, drop) => sum + (drop.collection === collection ? drop.added : 0), 0);
}

/** Calls as soon as something was added from here to a collection that was empty, and once more when all of that drop is there. */
export function useOnFirstAdded(collection: string, isEmpty: boolean, onAdded: () => void): void {
  const { drops } = useUploads();
  const here = drops.filter((drop) => drop.collection === collection && drop.added > 0);
  const isOver = here.every(({ phase }) => phase === 'ended' || phase === 'stopped');
  const isFirst = useRef(false);
  const hasSome = isEmpty && here.length > 0;
  useEffect(() => {
    if (hasSome) {
      isFirst.current = true;
      onAdded();
    } else if (isOver && isFirst.current) {
      isFirst.current = false;
      onAdded();
    }
  }, [hasSome, isOver]);
}
