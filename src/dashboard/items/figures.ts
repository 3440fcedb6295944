/** Numbers as the language writes them. */
import { useMemo } from 'preact/hooks';
import { useLanguage } from '../shell/language.js';

export interface Figures {
  /** Of 0 to 1, in per cent. */
  share: (value: number) => string;
  wholeShare: (value: number) => string;
  cosine: (value: number) => string;
  count: (value: number) => string;
}

export function useFigures(): Figures {
  const language = useLanguage();
  return useMemo(() => {
    const share = new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
    const whole = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
    const cosine = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
    const count = new Intl.NumberFormat(language);
    return { share: (value) => share.format(value), wholeShare: (value) => whole.format(value), cosine: (value) => cosine.format(value), count: (value) => count.format(value) };
  }, [language]);
}
