import { Picture, titleOf } from '../items/picture.js';
import { useItems, type ItemCache } from './item-cache.js';

interface HoverCardProps {
  cache: ItemCache;
  number: number;
  /** Where it is seen, in CSS pixels. */
  box: { x: number; y: number; size: number } | undefined;
}

const aside = 10;

/** What a point is, beside it. */
export function HoverCard({ cache, number, box }: HoverCardProps) {
  const [item] = useItems(cache, [number]);
  if (!item || !box) return null;
  return (
    <div class="hover-card" aria-hidden="true" style={{ left: `clamp(4px, ${box.x + box.size / 2 + aside}px, calc(100% - 184px))`, top: `clamp(4px, ${box.y - 40}px, calc(100% - 200px))` }}>
      {item.modality === 'image' && <Picture key={item.id} collection={cache.source.collection} item={item} size="thumbnail" />}
      <p dir="auto">{titleOf(item)}</p>
    </div>
  );
}
