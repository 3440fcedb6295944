import { useEffect } from 'preact/hooks';
import { titleOf, type ShownItem } from '../items/picture.js';
import { texts } from '../shell/language.js';
import { isTyping, useDeletions } from './deletions-context.js';

const useWords = texts({
  en: { delete: 'Delete', title: 'Delete from this collection (Del)' },
  de: { delete: 'Löschen', title: 'Aus dieser Sammlung löschen (Entf)' },
  zh: { delete: '删除', title: '从此集合中删除 (Del)' },
});

interface DeleteButtonProps {
  collection: string;
  item: ShownItem;
  /** Such as closing what shows it. */
  onDeleted: () => void;
}

/** Of the item that is looked at: the Delete key does the same. */
export function DeleteButton({ collection, item, onDeleted }: DeleteButtonProps) {
  const words = useWords();
  const { remove } = useDeletions();
  const run = (): void => {
    remove([{ collection, id: item.id, title: titleOf(item), modality: item.modality }]);
    onDeleted();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Delete' || isTyping(event)) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return (
    <button type="button" title={words.title} onClick={run}>
      {words.delete}
    </button>
  );
}
