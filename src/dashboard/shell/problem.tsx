import { isUnauthorized, sentenceOf } from './errors.js';
import { texts, useLanguage } from './language.js';

const useTexts = texts({
  en: { again: 'Try again', byItself: 'It is tried again by itself.' },
  de: { again: 'Noch einmal versuchen', byItself: 'Es wird von selbst noch einmal versucht.' },
  zh: { again: '重试', byItself: '将自动重试。' },
});

interface ProblemProps {
  error: unknown;
  onAgain?: (() => void) | undefined;
  /** It is tried again without anybody's doing. */
  isRetried?: boolean | undefined;
}

/** What went wrong, in place; a missing key is asked for elsewhere. */
export function Problem({ error, onAgain, isRetried }: ProblemProps) {
  const { again, byItself } = useTexts();
  const language = useLanguage();
  if (error === undefined || isUnauthorized(error)) return null;
  return (
    <div class="panel problem" role="alert">
      <p>
        {sentenceOf(error, language)}
        {isRetried && ` ${byItself}`}
      </p>
      {onAgain && (
        <button type="button" onClick={onAgain}>
          {again}
        </button>
      )}
    </div>
  );
}
