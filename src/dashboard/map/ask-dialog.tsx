import { useEffect, useRef, useState } from 'preact/hooks';

export interface Question {
  title: string;
  note?: string;
  fields: { name: string; label: string; value: string }[];
  action: string;
  onAnswer: (answer: Record<string, string>) => Promise<void>;
}

interface AskDialogProps extends Question {
  cancel: string;
  isDanger: boolean;
  onClose: () => void;
}

/** Asks before something is done: for what it needs, or whether it is meant. */
export function AskDialog({ title, note, fields, action, onAnswer, cancel, isDanger, onClose }: AskDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [answer, setAnswer] = useState<Record<string, string>>(() => Object.fromEntries(fields.map(({ name, value }) => [name, value])));
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="ask" aria-label={title} onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void onAnswer(Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, value.trim()])));
        }}
      >
        <h2>{title}</h2>
        {note && <p class="quiet">{note}</p>}
        {fields.map(({ name, label }) => (
          <label key={name}>
            <span>{label}</span>
            <input required pattern=".*\S.*" value={answer[name] ?? ''} onInput={({ currentTarget: { value } }) => setAnswer((before) => ({ ...before, [name]: value }))} />
          </label>
        ))}
        <div class="actions">
          <button type="submit" class={isDanger ? 'danger' : 'primary'}>
            {action}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {cancel}
          </button>
        </div>
      </form>
    </dialog>
  );
}
