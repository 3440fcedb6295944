import { useEffect, useRef, useState } from 'preact/hooks';
import { AddButton } from '../adding/add-button.js';
import type { Given } from '../adding/given-files.js';
import type { How } from '../shell/address.js';
import type { View, Wanted } from './wanted.js';

interface SearchBarProps {
  view: View;
  onWant: (wanted: Wanted, how?: How) => void;
  onPicture: (picture: File) => void;
  onAdd: (given: Given) => void;
}

const typingPauseMs = 300;

export function SearchBar({ view, onWant, onPicture, onAdd }: SearchBarProps) {
  const { wanted } = view;
  const [words, setWords] = useState(wanted.by === 'words' ? wanted.words : '');
  const typing = useRef<ReturnType<typeof setTimeout>>();
  const box = useRef<HTMLInputElement>(null);

  // Back, or a search by something else, changes what the box should say; the box itself must not be overwritten while it is typed into.
  useEffect(() => {
    if (wanted.by !== 'words') setWords('');
    else if (wanted.words !== box.current?.value.trim()) setWords(wanted.words);
  }, [wanted]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const searchFor = (text: string): void => {
    clearTimeout(typing.current);
    const trimmed = text.trim();
    if (wanted.by === 'words' && wanted.words === trimmed) return;
    if (trimmed === '' && wanted.by !== 'words') return;
    // One entry of the history a search, not one a letter.
    onWant(trimmed === '' ? { by: 'nothing' } : { by: 'words', words: trimmed }, wanted.by === 'words' ? 'replace' : 'push');
  };

  return (
    <form
      class="search-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        searchFor(words);
      }}
    >
      <label class="search-box">
        <span class="visually-hidden">Search by words</span>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="11" cy="11" r="7" />
          <path d="m16.5 16.5 4.5 4.5" />
        </svg>
        <input
          ref={box}
          type="search"
          value={words}
          placeholder="Search by words, in any language"
          autocomplete="off"
          spellcheck={false}
          autofocus
          onInput={(event) => {
            const text = event.currentTarget.value;
            setWords(text);
            clearTimeout(typing.current);
            typing.current = setTimeout(() => searchFor(text), typingPauseMs);
          }}
        />
      </label>
      <div class="actions">
        <FileButton label="By picture" title="Search by a picture; it can also be dropped or pasted" onFiles={([picture]) => picture && onPicture(picture)} />
        <AddButton onAdd={onAdd} />
      </div>
    </form>
  );
}

interface FileButtonProps {
  label: string;
  title: string;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

function FileButton({ label, title, multiple = false, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" title={title} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept="image/*,.heic,.heif"
        multiple={multiple}
        aria-label={title}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}
