import { useEffect, useRef, useState } from 'preact/hooks';
import { useHidden } from '../deleting/deletions-context.js';
import type { MapSource } from './map-source.js';

const none: ReadonlySet<number> = new Set();

/** Numbers of points whose items are deleted, or are about to be: they come back when that is taken back. */
export function useHiddenNumbers(source: MapSource): ReadonlySet<number> {
  const hidden = useHidden(source.collection);
  const known = useRef(new Map<string, number>());
  const [, setVersion] = useState(0);
  useEffect(() => {
    const unknown = [...hidden].filter((id) => !known.current.has(id));
    if (unknown.length === 0) return;
    const leaving = new AbortController();
    source
      .numbersOf(unknown, { signal: leaving.signal })
      .then((numbers) => {
        if (leaving.signal.aborted) return;
        for (const [id, number] of numbers) known.current.set(id, number);
        setVersion((before) => before + 1);
      })
      // They are seen until the map is asked for again.
      .catch(() => {});
    return () => leaving.abort();
  }, [source, hidden]);
  const numbers = [...hidden].flatMap((id) => known.current.get(id) ?? []);
  const latest = useRef<{ key: string; set: ReadonlySet<number> }>({ key: '', set: none });
  const key = numbers.join();
  if (latest.current.key !== key) latest.current = { key, set: new Set(numbers) };
  return latest.current.set;
}
