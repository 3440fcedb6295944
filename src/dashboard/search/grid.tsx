import { Picture, titleOf } from '../items/picture.js';
import type { Result } from './results.js';

interface GridProps {
  collection: string;
  found: Result[];
  onOpen: (index: number) => void;
}

export function Grid({ collection, found, onOpen }: GridProps) {
  return (
    <ul class="grid" aria-label="Results">
      {found.map((item, index) => (
        <li key={item.id}>
          <button type="button" class="tile" onClick={() => onOpen(index)}>
            {item.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : <p>{item.text}</p>}
            <span class="caption">
              <span class="title">{titleOf(item)}</span>
              {item.score !== undefined && (
                <span class="score" title="Cosine similarity">
                  {item.score.toFixed(3)}
                </span>
              )}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
