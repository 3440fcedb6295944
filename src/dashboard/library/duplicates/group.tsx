import { useState } from 'preact/hooks';
import type { DuplicateGroup, DuplicateItem } from '../../../contract/duplicates.js';
import { limits } from '../../../contract/limits.js';
import { titleOf } from '../../items/picture.js';
import { useMayWrite } from '../../shell/own-key.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { given, useAction } from '../asking.js';
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
  const { client } = useSession();
  const { id, mirrored, reason } = group;
  const [all, setAll] = useState<DuplicateItem[]>();
  const { run, isBusy: isLoading, error } = useAction();
  const mayDelete = useMayWrite(collection);
  const items = all ?? group.items;
  // Those that have gone since it was found are counted in `size`.
  const isWhole = all !== undefined || group.size <= limits.groupItems;
  const size = isWhole ? items.length : group.size;
  const others = items.filter((item) => !isKept(item)).map(({ id }) => id);
  const showAll = (): void =>
    void run(async (signal) => {
      const found: DuplicateItem[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await client.duplicateGroup(collection, id, given({ cursor }), { signal });
        found.push(...page.items);
        cursor = page.next_cursor;
        if (cursor === undefined) break;
      }
      setAll(found);
    });
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
      </ul>
      {!isWhole && (
        <div class="actions">
          <button type="button" disabled={isLoading} onClick={showAll}>
            {words.allItems(count(size))}
          </button>
        </div>
      )}
      <Problem error={error} onAgain={showAll} />
      {mayDelete && others.length > 0 && (
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
