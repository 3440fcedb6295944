import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Picture, titleOf } from '../items/picture.js';
import { useItems, type ItemCache } from './item-cache.js';

interface SelectionGridProps {
  cache: ItemCache;
  numbers: Uint32Array;
  label: string;
  onOpen: (number: number) => void;
}

/** CSS pixels: what a tile takes with its gap, at least; and how far beyond the edges tiles stand ready. */
const [tileSize, ready] = [100, 200];

/** Pictures of any number of points: only those that are seen are in the document. */
export function SelectionGrid({ cache, numbers, label, onOpen }: SelectionGridProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, width: 300, height: 400 });
  useLayoutEffect(() => {
    const element = frame.current!;
    const look = (): void => setSeen({ top: element.scrollTop, width: element.clientWidth, height: element.clientHeight });
    look();
    const resizing = new ResizeObserver(look);
    resizing.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      resizing.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  useLayoutEffect(() => void (frame.current!.scrollTop = 0), [numbers]);

  const columns = Math.max(1, Math.floor(seen.width / tileSize));
  const side = seen.width / columns;
  const first = Math.max(0, Math.floor((seen.top - ready) / side)) * columns;
  const last = Math.min(numbers.length, Math.ceil((seen.top + seen.height + ready) / side) * columns);
  const visible = [...numbers.subarray(first, last)];
  const items = useItems(cache, visible);
  return (
    <div ref={frame} class="selection-grid">
      <ul aria-label={label} style={{ height: `${Math.ceil(numbers.length / columns) * side}px` }}>
        {visible.map((number, index) => {
          const item = items[index];
          const place = first + index;
          return (
            <li key={number} aria-setsize={numbers.length} aria-posinset={place + 1} style={{ width: `${side}px`, height: `${side}px`, transform: `translate(${(place % columns) * side}px, ${Math.floor(place / columns) * side}px)` }}>
              {item && (
                <button type="button" title={titleOf(item)} aria-label={titleOf(item)} onClick={() => onOpen(number)}>
                  {item.modality === 'image' ? <Picture key={item.id} collection={cache.source.collection} item={item} size="thumbnail" /> : <span dir="auto">{item.text}</span>}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
