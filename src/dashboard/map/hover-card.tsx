import { Picture, titleOf } from '../items/picture.js';
import { useItems, type ItemCache } from './item-cache.js';

const aside = 10;

/** Puts the card beside what is seen there, in CSS pixels. */
export function placeHoverCard({ style }: HTMLElement, box: { x: number; y: number; size: number } | undefined): void {
  style.visibility = box ? 'visible' : 'hidden';
  if (box) Object.assign(style, { left: `clamp(4px, ${box.x + box.size / 2 + aside}px, calc(100% - 184px))`, top: `clamp(4px, ${box.y - 40}px, calc(100% - 200px))` });
}

/** What a point is. */
export function HoverCard({ cache, number }: { cache: ItemCache; number: number }) {
  const [item] = useItems(cache, [number]);
  if (!item) return null;
  return (
    <div class="hover-card">
      {item.modality === 'image' && <Picture key={item.id} collection={cache.source.collection} item={item} size="thumbnail" />}
      <p dir="auto">{titleOf(item)}</p>
    </div>
  );
}
