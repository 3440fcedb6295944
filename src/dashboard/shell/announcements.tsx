/** What the page says while one looks elsewhere: heard by screen readers, and shown for a while where something can be done about it. */
import { createContext, type ComponentChildren } from 'preact';
import { useCallback, useContext, useMemo, useRef, useState } from 'preact/hooks';

export interface Notice {
  text: string;
  /** Such as "Undo". */
  action?: { label: string; run: () => void };
  /** Milliseconds for which it is shown. */
  forMs?: number;
}

interface Announcements {
  /** Heard, not shown. */
  say: (text: string) => void;
  /** Heard and shown; the function takes it away. */
  show: (notice: Notice) => () => void;
}

const shownForMs = 6_000;
const AnnouncementsContext = createContext<Announcements>({ say: () => {}, show: () => () => {} });
export const useAnnouncements = (): Announcements => useContext(AnnouncementsContext);

export function AnnouncementsProvider({ children }: { children: ComponentChildren }) {
  const [said, setSaid] = useState('');
  const [notices, setNotices] = useState<(Notice & { number: number })[]>([]);
  const last = useRef(0);
  const remove = useCallback((number: number) => setNotices((before) => before.filter((each) => each.number !== number)), []);
  const show = useCallback((notice: Notice) => {
    const number = ++last.current;
    setNotices((before) => [...before, { ...notice, number }]);
    setTimeout(() => remove(number), notice.forMs ?? shownForMs);
    return () => remove(number);
  }, []);
  const announcements = useMemo(() => ({ say: setSaid, show }), [show]);
  return (
    <AnnouncementsContext.Provider value={announcements}>
      {children}
      <p class="visually-hidden" role="status">
        {said}
      </p>
      <div class="notices" role="status">
        {notices.map(({ text, action, number }) => (
          <p key={number}>
            {text}
            {action && (
              <button
                type="button"
                onClick={() => {
                  remove(number);
                  action.run();
                }}
              >
                {action.label}
              </button>
            )}
          </p>
        ))}
      </div>
    </AnnouncementsContext.Provider>
  );
}
