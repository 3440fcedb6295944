import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Ref } from 'preact';
import { boundedAspect, groupOf, layOut, rowOf, rowsWithin, verticalNeighbor, type Group, type Layout, type Metrics, type Row, type Shape } from './justified.js';
import { namesBeside } from './names.js';
import type { Result } from './results.js';
import { useSectionTitle } from './section-title.js';
import { Tile, useTileTexts } from './tile.js';

export interface GridHandle {
  /** Brings the item into view, and the keyboard to it. */
  focusOn: (id: string) => void;
}

interface GridProps {
  collection: string;
  found: Result[];
  isComplete: boolean;
  /** What is shown is of another question, whose answer is awaited. */
  isStale: boolean;
  /** Another one is asked, or about to be. */
  isBehind: boolean;
  /** Where the page stood when this was shown last; kept true. */
  place: { scrolledTo: number };
  showsScores: boolean;
  onOpen: (item: Result) => void;
  onNearEnd: () => void;
  onFolder: (folder: string) => void;
  handle: Ref<GridHandle>;
}

const gap = 12;
const captionHeight = 30;
const headingHeight = 52;
/** Heights of the window that lie ready above and below it. */
const margin = 0.75;
/** Heights of the window before the end at which more is asked for. */
const nearness = 2;
const textAspect = 1.35;
const namesToldFrom = 60;

/** All results in one space as high as they are; of them those that are seen are in the document. */
export function Grid({ collection, found, isComplete, isStale, isBehind, place, showsScores, onOpen, onNearEnd, onFolder, handle }: GridProps) {
  const words = useTileTexts();
  const titleOfSection = useSectionTitle();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState({ top: 0, bottom: 0 });
  const [active, setActive] = useState(0);
  const wantsFocus = useRef(false);
  const nameOf = useMemo(() => namesBeside(found.slice(0, namesToldFrom)), [found[0]]);
  const layout = useLayout(found, isComplete, width);

  const look = useCallback(() => {
    if (!box.current) return;
    const { top } = box.current.getBoundingClientRect();
    // In steps, so that the document changes with every few rows and not with every pixel.
    const step = Math.max(120, Math.round(innerHeight / 4));
    const first = Math.floor((-top - margin * innerHeight) / step) * step;
    const next = { top: first, bottom: first + Math.ceil(((1 + 2 * margin) * innerHeight) / step + 1) * step };
    setSeen((before) => (before.top === next.top && before.bottom === next.bottom ? before : next));
  }, []);
  useLayoutEffect(() => {
    const measure = (): void => {
      setWidth(Math.floor(box.current!.clientWidth));
      look();
    };
    measure();
    const resizing = new ResizeObserver(measure);
    resizing.observe(box.current!);
    addEventListener('resize', look);
    return () => {
      resizing.disconnect();
      removeEventListener('resize', look);
    };
  }, []);

  // The page's place is the browser's to keep only where the document's height is its own.
  const keptIn = useRef<{ scrolledTo: number }>();
  useLayoutEffect(() => {
    keptIn.current = isStale || width === 0 ? undefined : place;
    if (isStale) return scrollTo({ top: 0 });
    if (width === 0) return;
    scrollTo({ top: place.scrolledTo });
    look();
  }, [place, isStale, width > 0]);
  useEffect(() => {
    const onScroll = (): void => {
      if (keptIn.current) keptIn.current.scrolledTo = scrollY;
      look();
    };
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, []);
  useLayoutEffect(look, [layout]);
  useEffect(() => {
    if (width > 0 && !isStale && !isComplete && seen.bottom + (nearness - margin) * innerHeight > layout.height) onNearEnd();
  }, [seen, layout, layout.laid, isStale, isComplete, found]);
  useEffect(() => setActive(0), [place]);

  const moveTo = (index: number): void => {
    const to = Math.min(Math.max(index, 0), layout.laid - 1);
    const row = rowOf(layout, to);
    if (!row) return;
    wantsFocus.current = true;
    setActive(to);
    bringIntoView(row.top, row.height + captionHeight);
  };
  const bringIntoView = (top: number, height: number): void => {
    const at = box.current!.getBoundingClientRect().top + top;
    const covered = document.querySelector('header')?.getBoundingClientRect().bottom ?? 0;
    if (at < covered + gap) scrollBy({ top: at - covered - gap });
    else if (at + height > innerHeight - gap) scrollBy({ top: at + height - innerHeight + gap });
  };
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    const tile = box.current!.querySelector<HTMLElement>(`[data-index="${active}"]`);
    if (!tile) return;
    wantsFocus.current = false;
    tile.focus({ preventScroll: true });
  });
  useImperativeHandle(handle, () => ({ focusOn: (id) => moveTo(found.findIndex((item) => item.id === id)) }));

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.target instanceof HTMLElement) || event.target.dataset['index'] === undefined) return;
    const to = destination(event.key, active, layout);
    if (to === undefined) return;
    event.preventDefault();
    if (to >= layout.laid && !isComplete) onNearEnd();
    moveTo(to);
  };

  const visible = withActive(rowsWithin(layout, seen.top, seen.bottom), layout, active);
  const tile = (index: number, row: Row) => (
    <Tile
      key={found[index]!.id}
      collection={collection}
      item={found[index]!}
      index={index}
      setSize={isComplete ? found.length : -1}
      name={nameOf(found[index]!)}
      box={{ left: layout.lefts[index]!, top: row.top, width: layout.widths[index]!, height: row.height }}
      showsScores={showsScores}
      isActive={index === active}
      onFocus={setActive}
      onOpen={onOpen}
    />
  );
  return (
    <div ref={box} class="grid" style={{ height: `${layout.height}px` }} aria-busy={isBehind} inert={isBehind} onKeyDown={onKeyDown}>
      {visible.map(({ group, rows }) => {
        const title = titleOfSection(group.section);
        return (
          <section key={group.top} aria-label={title ?? words.results}>
            {title !== undefined && <Heading section={group.section} title={title} top={group.top} onFolder={onFolder} />}
            <ul aria-label={title ?? words.results}>{rows.flatMap((row) => indicesOf(row.from, row.to).map((index) => tile(index, row)))}</ul>
          </section>
        );
      })}
    </div>
  );
}

/** The keyboard's place stays in the document wherever one looks. */
function withActive(visible: { group: Group; rows: Row[] }[], layout: Layout, active: number): { group: Group; rows: Row[] }[] {
  const row = rowOf(layout, active);
  const group = row && groupOf(layout, row);
  if (!group) return visible;
  const there = visible.find((each) => each.group === group);
  if (there?.rows.includes(row)) return visible;
  const byTop = (a: { top: number }, b: { top: number }): number => a.top - b.top;
  if (there) return visible.map((each) => (each === there ? { group, rows: [...each.rows, row].sort(byTop) } : each));
  return [...visible, { group, rows: [row] }].sort((a, b) => byTop(a.group, b.group));
}

function Heading({ section, title, top, onFolder }: { section: string; title: string; top: number; onFolder: (folder: string) => void }) {
  const words = useTileTexts();
  const folder = section.startsWith('folder ') ? section.slice('folder '.length) : '';
  return (
    <h2 style={{ top: `${top}px` }}>
      {folder === '' ? (
        title
      ) : (
        <button type="button" title={words.onlyThis} onClick={() => onFolder(folder)}>
          {title}
        </button>
      )}
    </h2>
  );
}

function useLayout(found: Result[], isComplete: boolean, width: number): Layout {
  const titleOfSection = useSectionTitle();
  const last = useRef<{ shapes: Shape[]; found: Result[]; width: number; layout: Layout; isComplete: boolean }>();
  return useMemo(() => {
    const before = last.current;
    const goesOn = before !== undefined && before.width === width && !before.isComplete && before.found.length <= found.length && before.found.length > 0 && before.found[0] === found[0] && before.found.at(-1) === found[before.found.length - 1];
    const shapes = goesOn ? before.shapes : [];
    for (let index = shapes.length; index < found.length; index++) shapes.push(shapeOf(found[index]!));
    const metrics: Metrics = { width, rowHeight: width < 600 ? 138 : 210, gap, captionHeight, headingHeight: (section) => (titleOfSection(section) === undefined ? 0 : headingHeight) };
    const layout = width === 0 ? { groups: [], height: 0, laid: 0, lefts: [], widths: [] } : layOut(shapes, metrics, isComplete, goesOn ? before.layout : undefined);
    last.current = { shapes, found, width, layout, isComplete };
    return { ...layout };
  }, [found, isComplete, width]);
}

function shapeOf({ modality, width, height, section }: Result): Shape {
  return { aspect: modality === 'image' && width && height ? boundedAspect(width, height) : textAspect, section };
}

function destination(key: string, active: number, layout: Layout): number | undefined {
  if (key === 'ArrowLeft') return active - 1;
  if (key === 'ArrowRight') return active + 1;
  if (key === 'Home') return 0;
  if (key === 'End') return layout.laid;
  if (key === 'ArrowUp') return verticalNeighbor(layout, active, -1) ?? active;
  if (key === 'ArrowDown') return verticalNeighbor(layout, active, 1) ?? layout.laid;
  return undefined;
}

const indicesOf = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, offset) => from + offset);
