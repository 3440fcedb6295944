import { useMemo } from 'preact/hooks';
import { useLanguage } from '../shell/language.js';

export interface Figures {
  count: (value: number) => string;
  /** In the unit of a thousand that suits, such as 2.4 MB. */
  bytes: (value: number) => string;
  /** Of 0 to 1. */
  percent: (value: number) => string;
  seconds: (value: number) => string;
  /** Of an ISO 8601 time: date and minute where one is. */
  moment: (time: string) => string;
  /** How long ago, in its largest unit. */
  ago: (time: string) => string;
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
const spans: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]];

/** Figures as the language that is spoken writes them. */
export function useFigures(): Figures {
  const language = useLanguage();
  return useMemo(() => {
    const plain = new Intl.NumberFormat(language);
    const share = new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
    const span = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
    return {
      count: (value) => plain.format(value),
      bytes: (value) => {
        const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), byteUnits.length - 1);
        return new Intl.NumberFormat(language, { style: 'unit', unit: byteUnits[power]!, unitDisplay: power === 0 ? 'long' : 'short', maximumFractionDigits: power === 0 ? 0 : 1 }).format(value / 1000 ** power);
      },
      percent: (value) => share.format(value),
      seconds: (value) =>
        value < 90
          ? new Intl.NumberFormat(language, { style: 'unit', unit: 'second', unitDisplay: 'short' }).format(Math.round(value))
          : new Intl.NumberFormat(language, { style: 'unit', unit: value < 5400 ? 'minute' : 'hour', unitDisplay: 'short', maximumFractionDigits: value < 5400 ? 0 : 1 }).format(value / (value < 5400 ? 60 : 3600)),
      moment: (iso) => time.format(new Date(iso)),
      ago: (iso) => {
        const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
        const [unit, size] = spans.find(([, each]) => seconds >= each) ?? spans.at(-1)!;
        return span.format(-Math.round(seconds / size), unit);
      },
    };
  }, [language]);
}
