import { useEffect } from 'preact/hooks';
import { titleOf, type ShownItem } from '../items/picture.js';
import { texts } from '../shell/language.js';
import { useMayWrite } from '../shell/own-key.js';
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

/** Of the item that is looked at, where this key may: the Delete key does the same. */
export function DeleteButton({ collection, item, onDeleted }: DeleteButtonProps) {
  const words = useWords();
  const { remove } = useDeletions();
  const mayDelete = useMayWrite(collection);
  const run = (): void => {
    remove([{ collection, id: item.id, title: titleOf(item), modality: item.modality }]);
    onDeleted();
  };
  useEffect(() => {
    if (!mayDelete) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Delete' || isTyping(event)) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  if (!mayDelete) return null;
  return (
    <button type="button" title={words.title} onClick={run}>
      {words.delete}
    </button>
  );
}
