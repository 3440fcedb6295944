import type { DuplicateGroup, DuplicateItem } from '../../../contract/duplicates.js';
import { titleOf } from '../../items/picture.js';
import { useFigures } from '../figures.js';
import { ItemThumbnail, useItem } from '../item-thumbnail.js';
import { useDuplicateTexts } from './words.js';

interface GroupProps {
  collection: string;
  group: DuplicateGroup;
  isKept: (item: DuplicateItem) => boolean;
  onKeep: (id: string, isKept: boolean) => void;
  onDelete: (ids: string[]) => void;
  isBusy: boolean;
}

/** What is nearly the same, side by side. */
export function Group({ collection, group, isKept, onKeep, onDelete, isBusy }: GroupProps) {
  const words = useDuplicateTexts();
  const { count } = useFigures();
  const { size, mirrored, reason, items } = group;
  const others = items.filter((item) => !isKept(item)).map(({ id }) => id);
  return (
    <li class="card group">
      <div class="card-head">
        <h4>{mirrored ? words.mirror : words.group(count(size))}</h4>
        <span class="quiet">{words.reason[reason]}</span>
      </div>
      <ul class="alike">
        {items.map((item) => (
          <Alike key={item.id} collection={collection} item={item} isKept={isKept(item)} onKeep={(is) => onKeep(item.id, is)} canChoose={!mirrored} />
        ))}
        {size > items.length && <li class="quiet">{words.furtherItems(size - items.length)}</li>}
      </ul>
      {others.length > 0 && (
        <div class="actions">
          <button type="button" class="danger" disabled={isBusy} onClick={() => onDelete(others)}>
            {words.deleteOthers(others.length)}
          </button>
        </div>
      )}
    </li>
  );
}

interface AlikeProps {
  collection: string;
  item: DuplicateItem;
  isKept: boolean;
  onKeep: (is: boolean) => void;
  canChoose: boolean;
}

function Alike({ collection, item, isKept, onKeep, canChoose }: AlikeProps) {
  const words = useDuplicateTexts();
  const { percent } = useFigures();
  const { id, modality, width, height, similarity, evidence } = item;
  const shown = useItem(collection, id) ?? { id, modality, metadata: {}, sources: [] };
  const title = titleOf(shown);
  return (
    <li class={isKept ? 'kept' : undefined}>
      <ItemThumbnail collection={collection} item={shown} />
      <p class="name" title={shown.sources[0] ?? id}>
        <bdi>{title}</bdi>
      </p>
      <p class="quiet">
        {width !== undefined && height !== undefined && `${words.size(width, height)} · `}
        {words.alike(percent(similarity))} {words.evidence[evidence]}
      </p>
      {canChoose && (
        <label class="choice">
          <input type="checkbox" checked={isKept} aria-label={words.keepItem(title)} onChange={(event) => onKeep(event.currentTarget.checked)} />
          <span aria-hidden="true">{words.keep}</span>
        </label>
      )}
    </li>
  );
}
