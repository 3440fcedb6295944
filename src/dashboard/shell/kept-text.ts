/** A text that one types, kept in the address: it survives a reload, Back and a failed call. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ChangeQuery } from './change-query.js';

/** Characters of one text in an address; what is longer is kept for the tab, and the address says that it is. */
const longestInAddress = 2_000;
const typingPauseMs = 300;
const keptMark = '\u0001kept';
const storedAs = (name: string): string => `mixspace-text ${location.pathname} ${name}`;

export interface KeptText {
  /** As it stands in the box. */
  typed: string;
  /** As it stood when one last paused: what answers are asked for. */
  text: string;
  type: (text: string) => void;
  /** Without waiting for a pause. */
  settle: () => void;
}

/** `otherwise`: what stands there where the address says nothing. */
export function useKeptText(query: URLSearchParams, change: ChangeQuery, { name, otherwise = '' }: { name: string; otherwise?: string }): KeptText {
  const said = query.get(name);
  const text = said === null ? otherwise : said === keptMark ? (sessionStorage.getItem(storedAs(name)) ?? '') : said;
  const [typed, setTyped] = useState(text);
  const waiting = useRef<{ text: string; timer: ReturnType<typeof setTimeout> }>();
  const settle = useCallback(() => {
    const last = waiting.current;
    if (!last) return;
    clearTimeout(last.timer);
    waiting.current = undefined;
    const isLong = last.text.length > longestInAddress;
    if (isLong) sessionStorage.setItem(storedAs(name), last.text);
    change({ [name]: isLong ? keptMark : last.text }, 'replace');
  }, [change, name]);
  const type = useCallback(
    (next: string) => {
      setTyped(next);
      clearTimeout(waiting.current?.timer);
      waiting.current = { text: next, timer: setTimeout(settle, typingPauseMs) };
    },
    [settle],
  );
  // Back, or a saved one chosen. What is being typed stays.
  useEffect(() => {
    if (!waiting.current) setTyped(text);
  }, [text]);
  useEffect(() => () => clearTimeout(waiting.current?.timer), []);
  return { typed, text, type, settle };
}
