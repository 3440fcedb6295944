import { useEffect, useRef } from 'preact/hooks';

export function KeyPrompt({ wasWrong, onKey }: { wasWrong: boolean; onKey: (key: string) => void }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form
      class="key-prompt"
      onSubmit={(event) => {
        event.preventDefault();
        const key = box.current?.value.trim();
        if (key) onKey(key);
      }}
    >
      <h1>mixspace</h1>
      <label>
        <span>{wasWrong ? 'This key is not known here. Try another.' : 'This service asks for an API key.'}</span>
        <input ref={box} type="password" placeholder="API key" autocomplete="current-password" aria-invalid={wasWrong} />
      </label>
      <button type="submit" class="primary">
        Go on
      </button>
      <p class="quiet">It is kept until this tab is closed.</p>
    </form>
  );
}
