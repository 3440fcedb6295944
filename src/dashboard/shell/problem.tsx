import { isUnauthorized, sentenceOf } from './errors.js';
import { texts } from './language.js';

const useTexts = texts({ en: { again: 'Try again' }, de: { again: 'Noch einmal versuchen' }, zh: { again: '重试' } });

/** What went wrong, in place; a missing key is asked for elsewhere. */
export function Problem({ error, onAgain }: { error: unknown; onAgain?: (() => void) | undefined }) {
  const { again } = useTexts();
  if (error === undefined || isUnauthorized(error)) return null;
  return (
    <div class="panel problem" role="alert">
      <p>{sentenceOf(error)}</p>
      {onAgain && (
        <button type="button" onClick={onAgain}>
          {again}
        </button>
      )}
    </div>
  );
}
