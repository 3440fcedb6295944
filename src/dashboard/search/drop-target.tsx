import { useEffect, useState } from 'preact/hooks';
import { droppedFiles, type Given, type Look } from '../adding/given-files.js';
import { useWords } from '../adding/words.js';

interface DropTargetProps {
  onSearch: (picture: File) => void;
  /** Left out: this key may not. */
  onAdd: ((given: Given | Look) => void) | undefined;
}

/** Pictures that are dragged over the page: a single one is searched by, or added; all else is added. One that is pasted is searched by. */
export function DropTarget({ onSearch, onAdd }: DropTargetProps) {
  const words = useWords();
  const [dragged, setDragged] = useState<'one' | 'many'>();

  useEffect(() => {
    // A picture of the page itself is a file, too.
    let isOwn = false;
    const onDragStart = (): void => void (isOwn = true);
    const onDragEnd = (): void => void (isOwn = false);
    const hasFiles = (event: DragEvent): boolean => !isOwn && (event.dataTransfer?.types.includes('Files') ?? false);
    const onDragOver = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      // Only how many there are is told before the drop; a folder is one.
      setDragged(event.dataTransfer!.items.length > 1 ? 'many' : 'one');
    };
    // Leaving for nothing is leaving the window.
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDragged(undefined);
    };
    const onDrop = (event: DragEvent): void => {
      setDragged(undefined);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const { single, look } = droppedFiles(event.dataTransfer!);
      const wantsAdding = event.target instanceof Element && event.target.closest('[data-drop="add"]') !== null;
      if (single && !wantsAdding) onSearch(single);
      else onAdd?.(look);
    };
    const onPaste = (event: ClipboardEvent): void => {
      const picture = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (!picture) return;
      event.preventDefault();
      onSearch(picture);
    };
    addEventListener('dragstart', onDragStart);
    addEventListener('dragend', onDragEnd);
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('dragstart', onDragStart);
      removeEventListener('dragend', onDragEnd);
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, [onSearch, onAdd]);

  if (!dragged || (dragged === 'many' && !onAdd)) return null;
  return (
    <div class="drop-target">
      {dragged === 'one' && <div data-drop="search">{words.dropSearch}</div>}
      {onAdd && <div data-drop="add">{words.dropAdd}</div>}
    </div>
  );
}
