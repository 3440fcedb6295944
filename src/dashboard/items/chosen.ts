/** Pictures that a page works on: items of the collection, by id in the address, and files that were given to it. */
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { MixspaceClient } from '../../client/index.js';
import type { Input } from '../../contract/shared.js';
import type { ChangeQuery } from '../shell/change-query.js';
import { useSession } from '../shell/session.js';
import { dataUriOf, madeSmaller } from './picture-bytes.js';
import { titleOf, type ShownItem } from './picture.js';
import { newKey } from '../shell/new-key.js';

export interface Chosen {
  /** Of this one alone, among all of the page. */
  key: string;
  name: string;
  /** Of an item; undefined while it is loaded. */
  item?: ShownItem;
  file?: File;
  /** Why it cannot be shown. */
  problem?: unknown;
}

/** What is asked of the service again with every change of the labels is bounded. */
export const mostChosen = 48;

const files = new Map<string, File>();
const bytes = new Map<string, Promise<string>>();
const itemKey = (id: string): string => `item ${id}`;

export interface ChosenPictures {
  chosen: Chosen[];
  /** How many more the address names than are taken. */
  leftOut: number;
  addItems: (items: ShownItem[]) => void;
  /** Says how many of them there was no room for. */
  addFiles: (given: File[]) => number;
  remove: (key: string) => void;
  clear: () => void;
  /** Loads those again that could not be. */
  again: () => void;
}

export function useChosen(collection: string, query: URLSearchParams, change: ChangeQuery): ChosenPictures {
  const { client } = useSession();
  const [loaded, setLoaded] = useState<Record<string, { item?: ShownItem; problem?: unknown }>>({});
  const [times, setTimes] = useState(0);
  const named = idsOf(query);
  const ids = named.slice(0, mostChosen);
  const keys = query.getAll('given').filter((key) => files.has(key));
  const wanted = ids.join('\n');

  useEffect(() => {
    const leaving = new AbortController();
    for (const id of ids) {
      if (loaded[id]?.item) continue;
      client.getItem(collection, id, { signal: leaving.signal }).then(
        (item) => setLoaded((before) => ({ ...before, [id]: { item } })),
        (problem: unknown) => leaving.signal.aborted || setLoaded((before) => ({ ...before, [id]: { problem } })),
      );
    }
    return () => leaving.abort();
  }, [client, collection, wanted, times]);

  const given = keys.join('\n');
  const chosen = useMemo(
    () => [
      ...ids.map((id): Chosen => ({ key: itemKey(id), name: loaded[id]?.item ? titleOf(loaded[id].item) : id, ...loaded[id] })),
      ...keys.slice(0, mostChosen - ids.length).map((key): Chosen => ({ key, name: files.get(key)!.name, file: files.get(key)! })),
    ],
    [wanted, given, loaded],
  );

  const addItems = useCallback(
    (items: ShownItem[]) => {
      setLoaded((before) => ({ ...before, ...Object.fromEntries(items.map((item) => [item.id, { item }])) }));
      const before = new URLSearchParams(location.search);
      change({ ids: [...new Set([...idsOf(before), ...items.map(({ id }) => id)])].slice(0, mostChosen) });
    },
    [change],
  );
  const addFiles = useCallback(
    (added: File[]) => {
      const before = new URLSearchParams(location.search);
      const there = before.getAll('given').filter((key) => files.has(key));
      const room = Math.max(0, mostChosen - idsOf(before).length - there.length);
      const taken = added.slice(0, room);
      const keysOf = taken.map((file) => {
        const key = newKey();
        files.set(key, file);
        return key;
      });
      if (taken.length > 0) change({ given: [...there, ...keysOf] });
      return added.length - taken.length;
    },
    [change],
  );
  const remove = useCallback(
    (key: string) => {
      const before = new URLSearchParams(location.search);
      change({ ids: idsOf(before).filter((id) => itemKey(id) !== key), given: before.getAll('given').filter((each) => each !== key) });
    },
    [change],
  );
  const clear = useCallback(() => change({ ids: undefined, given: undefined }), [change]);
  return { chosen, leftOut: named.length - ids.length, addItems, addFiles, remove, clear, again: useCallback(() => setTimes((before) => before + 1), []) };
}

/** `ids=A&ids=B`, or one `ids=A,B`. */
function idsOf(query: URLSearchParams): string[] {
  const all = query.getAll('ids');
  return [...new Set(all.length === 1 ? all[0]!.split(',') : all)].filter((id) => id !== '');
}

/** What is sent of it: the text of a text, the thumbnail of an item, a file as it is or, where it is large, made smaller. Its bytes are read once. */
export async function inputOf(client: MixspaceClient, collection: string, { key, item, file }: Chosen): Promise<Input> {
  if (item?.modality === 'text') return { text: item.text ?? '' };
  const keptAs = file ? key : `${collection} ${key}`;
  let image = bytes.get(keptAs);
  if (!image) {
    image = (file ? madeSmaller(file) : client.image(collection, item!.id)).then(dataUriOf);
    image.catch(() => bytes.delete(keptAs));
    bytes.set(keptAs, image);
    if (bytes.size > 4 * mostChosen) bytes.delete(bytes.keys().next().value!);
  }
  return { image: await image };
}
