import { useEffect, useRef, useState } from 'preact/hooks';
import { chosenFiles, type Given } from './given-files.js';
import { useWords } from './words.js';

/** Opens a choice: some pictures, or a whole folder. */
export function AddButton({ onAdd }: { onAdd: (given: Given) => void }) {
  const words = useWords();
  const [isOpen, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const pictures = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    around.current?.querySelector<HTMLElement>('.choices button')?.focus();
    const onPress = (event: Event): void => {
      if (!around.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', onPress);
    return () => removeEventListener('pointerdown', onPress);
  }, [isOpen]);
  // A browser that is used by touch shows no folders to choose.
  const choosesFolders = 'webkitdirectory' in HTMLInputElement.prototype && !matchMedia('(pointer: coarse)').matches;
  const choose = (input: HTMLInputElement | null): void => {
    setOpen(false);
    input?.click();
  };
  const onChange = ({ currentTarget }: { currentTarget: HTMLInputElement }): void => {
    const files = [...(currentTarget.files ?? [])];
    currentTarget.value = '';
    if (files.length > 0) onAdd(chosenFiles(files));
  };
  return (
    <div
      ref={around}
      class="add-button"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        setOpen(false);
        opener.current?.focus();
      }}
      onFocusOut={(event) => {
        if (event.relatedTarget instanceof Node && !around.current?.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <button ref={opener} type="button" title={words.addTitle} aria-expanded={choosesFolders ? isOpen : undefined} onClick={() => (choosesFolders ? setOpen(!isOpen) : choose(pictures.current))}>
        {words.add}
      </button>
      {isOpen && (
        <div class="choices">
          <button type="button" onClick={() => choose(pictures.current)}>
            {words.pictures}
          </button>
          <button type="button" onClick={() => choose(folder.current)}>
            {words.folder}
          </button>
        </div>
      )}
      <input ref={pictures} type="file" hidden multiple accept="image/*,.heic,.heif" aria-label={words.addTitle} onChange={onChange} />
      <input ref={folder} type="file" hidden multiple {...{ webkitdirectory: true }} aria-label={words.folder} onChange={onChange} />
    </div>
  );
}
