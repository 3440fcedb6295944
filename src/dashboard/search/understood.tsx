import type { Understood } from './results.js';
import type { Wanted } from './wanted.js';

/** Parts of the words that became filters; each can be taken as it stands instead. */
export function UnderstoodParts({ parts, wanted, onWant }: { parts: Understood; wanted: Extract<Wanted, { by: 'words' }>; onWant: (wanted: Wanted) => void }) {
  if (parts.length === 0) return null;
  return (
    <ul class="understood" aria-label="Understood as filters">
      {parts.map(({ text, filter }) => (
        <li key={text}>
          <button type="button" title={`${JSON.stringify(filter)}. Search for it as words instead.`} aria-label={`Search for ${text} as words instead`} onClick={() => onWant({ ...wanted, except: [...(wanted.except ?? []), text] })}>
            {text}
            <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
