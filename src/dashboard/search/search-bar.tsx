import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { AddButton } from '../adding/add-button.js';
import type { Given } from '../adding/given-files.js';
import type { How } from '../shell/address.js';
import { texts } from '../shell/language.js';
import { isLikeSomething, type Wanted } from './wanted.js';

const useTexts = texts({
  en: { label: 'Search by words', words: 'Search by words, in any language', more: 'And with words …', picture: 'By picture', pictureTitle: 'Search by a picture; it can also be dropped or pasted' },
  de: { label: 'Mit Worten suchen', words: 'Mit Worten suchen, in jeder Sprache', more: 'Und mit Worten …', picture: 'Mit Bild', pictureTitle: 'Mit einem Bild suchen; es kann auch hergezogen oder eingefügt werden' },
  zh: { label: '用文字搜索', words: '用任何语言的文字搜索', more: '再加上文字……', picture: '以图搜索', pictureTitle: '用图片搜索；也可拖入或粘贴图片' },
});

interface SearchBarProps {
  wanted: Wanted;
  onWant: (wanted: Wanted, how?: How) => void;
  /** The same once more. */
  onAgain: () => void;
  /** What stands in the box is not what was asked for yet. */
  onTyping: (isAhead: boolean) => void;
  onPicture: (picture: File) => void;
  /** Left out: this key may not. */
  onAdd: ((given: Given) => void) | undefined;
}

const typingPauseMs = 300;
/** Whoever looks at results for so long and types on searches for something else. */
const lookingMs = 2_500;

export function SearchBar({ wanted, onWant, onAgain, onTyping, onPicture, onAdd }: SearchBarProps) {
  const texts = useTexts();
  const asked = wanted.words ?? '';
  const [words, setWords] = useState(asked);
  const typing = useRef<ReturnType<typeof setTimeout>>();
  // When a search was last asked for while typing; 0: the next one is another one.
  const typedAt = useRef(0);
  const box = useRef<HTMLInputElement>(null);

  // Back, or a search by something else, changes what the box should say. Before the next letter can be typed: behind it, what the box itself asked for would no longer be what it says.
  useLayoutEffect(() => {
    if (asked === box.current?.value.trim()) return;
    clearTimeout(typing.current);
    typedAt.current = 0;
    setWords(asked);
    onTyping(false);
  }, [wanted]);
  useEffect(() => () => clearTimeout(typing.current), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const searchFor = (text: string, isSent: boolean): void => {
    clearTimeout(typing.current);
    onTyping(false);
    const trimmed = text.trim();
    if (trimmed === asked) {
      if (isSent) onAgain();
    } else {
      // One entry of the history a search, not one a letter.
      const isSameSearch = typedAt.current > 0 && performance.now() - typedAt.current < lookingMs;
      onWant({ ...wanted, words: trimmed || undefined, except: undefined }, isSameSearch ? 'replace' : 'push');
    }
    typedAt.current = isSent ? 0 : performance.now();
  };

  return (
    <form
      class="search-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        searchFor(words, true);
      }}
    >
      <label class="search-box">
        <span class="visually-hidden">{texts.label}</span>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="11" cy="11" r="7" />
          <path d="m16.5 16.5 4.5 4.5" />
        </svg>
        <input
          ref={box}
          type="search"
          value={words}
          placeholder={isLikeSomething(wanted) ? texts.more : texts.words}
          autocomplete="off"
          spellcheck={false}
          autofocus
          enterkeyhint="search"
          onBlur={() => (typedAt.current = 0)}
          onInput={(event) => {
            const text = event.currentTarget.value;
            setWords(text);
            onTyping(text.trim() !== asked);
            clearTimeout(typing.current);
            typing.current = setTimeout(() => searchFor(text, false), typingPauseMs);
          }}
        />
      </label>
      <div class="actions">
        <FileButton label={texts.picture} title={texts.pictureTitle} onFile={onPicture} />
        {onAdd && <AddButton onAdd={onAdd} />}
      </div>
    </form>
  );
}

interface FileButtonProps {
  label: string;
  title: string;
  onFile: (file: File) => void;
}

function FileButton({ label, title, onFile }: FileButtonProps) {
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
        aria-label={title}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          event.currentTarget.value = '';
        }}
      />
    </>
  );
}
