import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { useAddedCount } from '../adding/adding-context.js';
import { useUncounted } from '../deleting/deletions-context.js';
import type { Collection } from '../../contract/collections.js';
import { followJob } from '../shell/follow-job.js';
import { isSeen, useAskedWhileSeen } from '../shell/seen.js';
import { useSession } from '../shell/session.js';

/** No event tells what another client adds. */
const quietMs = 15_000;
const changingMs = 3_000;
/** Between two questions, however many events come. */
const leastMs = 1_000;

interface CollectionNow {
  /** Its counts without what is about to be deleted; undefined until it was asked for. */
  collection: Collection | undefined;
  /** Another object each time that something came or went. */
  change: object;
}

interface Asking {
  control: AbortController;
  isBusy: boolean;
  /** Once more, as soon as it is not. */
  isWanted: boolean;
  timer?: ReturnType<typeof setTimeout>;
}

/** A collection as it is: what jobs do to it is told by their events, what is added or deleted here is known, all else is asked for now and then. */
export function useCollectionNow(name: string): CollectionNow {
  const { client } = useSession();
  const [now, setNow] = useState<{ collection?: Collection; change: object; isChanging: boolean }>({ change: {}, isChanging: false });
  const [job, setJob] = useState<string>();
  const { uncounted, gone, counted } = useUncounted(name);
  const latest = useRef({ gone, counted });
  latest.current = { gone, counted };
  const asking = useRef<Asking>();

  const ask = useCallback(async (): Promise<void> => {
    const state = asking.current;
    // Once somebody looks again, it is asked.
    if (!state || !isSeen()) return;
    if (state.isBusy) return void (state.isWanted = true);
    const { signal } = state.control;
    const { gone: goneBefore, counted: isCounted } = latest.current;
    Object.assign(state, { isBusy: true, isWanted: false });
    const [collection, running] = await Promise.all([client.collection(name, { signal }).catch(() => undefined), client.jobs({ collection: name, state: 'running', limit: '1' }, { signal }).catch(() => undefined)]);
    if (signal.aborted) return;
    state.timer = setTimeout(() => {
      state.isBusy = false;
      if (state.isWanted) void ask();
    }, leastMs);
    if (!collection) return;
    isCounted(goneBefore);
    setJob(running?.jobs[0]?.id);
    setNow((before) => {
      const isSame = before.collection === undefined || markOf(before.collection) === markOf(collection);
      return { collection, change: isSame ? before.change : {}, isChanging: !isSame };
    });
  }, [client, name]);

  useEffect(() => {
    const state: Asking = (asking.current = { control: new AbortController(), isBusy: false, isWanted: false });
    void ask();
    return () => {
      state.control.abort();
      clearTimeout(state.timer);
    };
  }, [ask]);
  useAskedWhileSeen(now.isChanging ? changingMs : quietMs, () => void ask());
  useWhenOther(useAddedCount(name), ask);
  useWhenOther(gone.length, ask);
  useEffect(() => {
    if (job === undefined) return;
    const leaving = new AbortController();
    const follow = async (): Promise<void> => {
      for await (const { type, job: told } of followJob(client, job, leaving.signal)) {
        if (type === 'end') setJob(undefined);
        else if (told.kind === 'reembed') setNow((before) => ({ ...before, ...(before.collection?.reembedding && { collection: { ...before.collection, reembedding: { ...before.collection.reembedding, done: told.done } } }) }));
        void ask();
      }
    };
    follow().catch(() => {});
    return () => leaving.abort();
  }, [client, job, ask]);
  return { collection: now.collection && without(now.collection, uncounted.map(({ modality }) => modality)), change: now.change };
}

/** What changes when something comes or goes. */
const markOf = ({ counts, parts, bytes }: Collection): string => JSON.stringify([counts, parts, bytes]);

function useWhenOther(value: unknown, run: () => Promise<void>): void {
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value) void run();
    before.current = value;
  }, [value]);
}

function without(collection: Collection, modalities: (keyof Collection['counts'])[]): Collection {
  const counts = { ...collection.counts };
  for (const modality of modalities) {
    counts[modality] = Math.max(0, counts[modality] - 1);
    counts.total = Math.max(0, counts.total - 1);
  }
  return { ...collection, counts };
}
