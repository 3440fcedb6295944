import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { texts } from '../shell/language.js';
import { Problem } from '../shell/problem.js';

const useTexts = texts({
  en: { cancel: 'Cancel', type: (name: string) => `Type ${name} to confirm` },
  de: { cancel: 'Abbrechen', type: (name: string) => `Zum Bestätigen ${name} eintippen` },
  zh: { cancel: '取消', type: (name: string) => `输入 ${name} 以确认` },
});

interface ConfirmationProps {
  title: string;
  children: ComponentChildren;
  /** What the button that does it says. */
  action: string;
  /** What has to be typed before it can be done. */
  typed?: string;
  isBusy: boolean;
  error?: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirmation({ title, children, action, typed, isBusy, error, onConfirm, onClose }: ConfirmationProps) {
  const words = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [text, setText] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="confirmation" aria-labelledby={heading} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm();
        }}
      >
        <h2 id={heading}>{title}</h2>
        {children}
        {typed !== undefined && (
          <label>
            <span>{words.type(typed)}</span>
            <input value={text} autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
        )}
        <Problem error={error} />
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
          <button type="submit" class="danger" disabled={isBusy || (typed !== undefined && text !== typed)} aria-busy={isBusy}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
