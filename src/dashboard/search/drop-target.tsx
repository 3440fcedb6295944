import { useEffect, useState } from 'preact/hooks';

interface DropTargetProps {
  onSearch: (picture: File) => void;
  onAdd: (files: File[]) => void;
}

/** Pictures that are dragged over the page: searched by, or added. One that is pasted is searched by. */
export function DropTarget({ onSearch, onAdd }: DropTargetProps) {
  const [isDragging, setDragging] = useState(false);

  useEffect(() => {
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const onDragOver = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDragging(true);
    };
    // Leaving for nothing is leaving the window.
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const onDrop = (event: DragEvent): void => {
      setDragging(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const files = [...(event.dataTransfer?.files ?? [])];
      const wantsAdding = event.target instanceof Element && event.target.closest('[data-drop="add"]') !== null;
      if (wantsAdding) onAdd(files);
      else if (files[0]) onSearch(files[0]);
    };
    const onPaste = (event: ClipboardEvent): void => {
      const picture = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
      if (!picture) return;
      event.preventDefault();
      onSearch(picture);
    };
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    addEventListener('paste', onPaste);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
      removeEventListener('paste', onPaste);
    };
  }, [onSearch, onAdd]);

  if (!isDragging) return null;
  return (
    <div class="drop-target">
      <div data-drop="search">Search by this picture</div>
      <div data-drop="add">Add to the collection</div>
    </div>
  );
}
