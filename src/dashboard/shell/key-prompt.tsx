import { useEffect, useRef } from 'preact/hooks';
import { texts } from './language.js';

const useTexts = texts({
  en: { asks: 'This service asks for an API key.', unknown: 'This key is not known here. Try another.', key: 'API key', go: 'Go on', kept: 'It is kept until this tab is closed.' },
  de: { asks: 'Dieser Dienst verlangt einen API-Schlüssel.', unknown: 'Dieser Schlüssel ist hier nicht bekannt. Versuchen Sie einen anderen.', key: 'API-Schlüssel', go: 'Weiter', kept: 'Er wird behalten, bis dieser Tab geschlossen wird.' },
  zh: { asks: '此服务需要 API 密钥。', unknown: '此密钥无效，请换一个。', key: 'API 密钥', go: '继续', kept: '密钥会保留到此标签页关闭为止。' },
});

export function KeyPrompt({ wasWrong, onKey }: { wasWrong: boolean; onKey: (key: string) => void }) {
  const words = useTexts();
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
        <span>{wasWrong ? words.unknown : words.asks}</span>
        <input ref={box} type="password" placeholder={words.key} autocomplete="current-password" aria-invalid={wasWrong} />
      </label>
      <button type="submit" class="primary">
        {words.go}
      </button>
      <p class="quiet">{words.kept}</p>
    </form>
  );
}
