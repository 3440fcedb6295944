import { texts } from '../shell/language.js';
import type { Understood } from './portions.js';
import type { Wanted } from './wanted.js';

const useTexts = texts({
  en: { label: 'Understood as filters', instead: (text: string) => `Search for ${text} as words instead`, title: (filter: string) => `${filter}. Search for it as words instead.` },
  de: { label: 'Als Filter verstanden', instead: (text: string) => `Stattdessen ${text} als Worte suchen`, title: (filter: string) => `${filter}. Stattdessen als Worte suchen.` },
  zh: { label: '理解为筛选条件', instead: (text: string) => `改为按文字搜索“${text}”`, title: (filter: string) => `${filter}。改为按文字搜索。` },
});

/** Parts of the words that became filters; each can be taken as it stands instead. */
export function UnderstoodParts({ parts, wanted, onWant }: { parts: Understood; wanted: Wanted; onWant: (wanted: Wanted) => void }) {
  const words = useTexts();
  if (parts.length === 0) return null;
  return (
    <ul class="understood" aria-label={words.label}>
      {parts.map(({ text, filter }) => (
        <li key={text}>
          <button type="button" title={words.title(JSON.stringify(filter))} aria-label={words.instead(text)} onClick={() => onWant({ ...wanted, except: [...(wanted.except ?? []), text] })}>
            {text}
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
