import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../shell/problem.js';
import { useClassifyTexts } from './words.js';

interface NameFormProps {
  /** Why a name is asked for. */
  question: string;
  button: string;
  /** Names that there are. */
  taken: string[];
  isBusy?: boolean;
  /** What is thrown is shown. */
  onName: (name: string) => Promise<void> | void;
  onCancel: () => void;
}

export function NameForm({ question, button, taken, isBusy = false, onName, onCancel }: NameFormProps) {
  const words = useClassifyTexts();
  const [name, setName] = useState('');
  const [error, setError] = useState<unknown>();
  const box = useRef<HTMLInputElement>(null);
  // At once: whoever types on is in the box.
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current?.focus();
    return () => (before as HTMLElement | null)?.focus();
  }, []);
  const send = async (): Promise<void> => {
    if (name.trim() === '') return box.current?.focus();
    setError(undefined);
    try {
      await onName(name.trim());
    } catch (failed) {
      setError(failed);
    }
  };
  return (
    <form
      class="name-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={(event) => event.key === 'Escape' && onCancel()}
    >
      <p>{question}</p>
      <input ref={box} type="text" value={name} maxlength={64} aria-label={words.name} placeholder={words.nameHint} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          {button}
        </button>
        <button type="button" onClick={onCancel}>
          {words.cancel}
        </button>
      </div>
      {taken.includes(name.trim()) && <p class="quiet">{words.replaces(name.trim())}</p>}
      <Problem error={error} onAgain={() => void send()} />
    </form>
  );
}
