/** Years as they are written: by several eras, in several digits, by their last two. */
const buddhistEra = 543;
/** The year before the first of an era: Japan's since 1868, and the Republic of China's. */
const eras: Record<string, number> = { 明治: 1867, 大正: 1911, 昭和: 1925, 平成: 1988, 令和: 2018, 民国: 1911, 民國: 1911 };
const chineseDigits = '〇一二三四五六七八九';

export const eraSource = `(?:${Object.keys(eras).join('|')}) ?(?:元|\\d{1,3}|[一二三四五六七八九十]{1,3})`;
/** Its last two. */
export const shortYearSource = '(?<![\\d年.,:/-])\\d\\d(?!\\d)';

/** Of two digits those below 40 are of this century. */
export const ofTwoDigits = (year: number): number => year + (year < 40 ? 2000 : 1900);

/** Arabic-Indic, full-width and Chinese digits, too. */
export function numberOf(text: string): number {
  const digits = text.normalize('NFKC').replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660));
  if (/^[0-9]+$/.test(digits)) return Number(digits);
  if (/^[零〇一二三四五六七八九]{4}$/.test(digits)) return Number(Array.from(digits, (digit) => Math.max(0, chineseDigits.indexOf(digit))).join(''));
  const [tens, ones] = digits.includes('十') ? digits.split('十') : ['', digits];
  const value = (part: string | undefined, none: number): number => (part ? chineseDigits.indexOf(part) : none);
  return digits.includes('十') ? 10 * value(tens, 1) + value(ones, 0) : value(ones, 0);
}

export function yearOf(text: string, isBuddhist: boolean): number {
  const era = Object.keys(eras).find((each) => text.startsWith(each));
  if (era) {
    const of = text.slice(era.length).trim();
    return eras[era]! + (of === '元' ? 1 : numberOf(of));
  }
  const year = numberOf(text);
  if (/^\d\d$/.test(text)) return ofTwoDigits(year);
  return isBuddhist && year > 2400 ? year - buddhistEra : year;
}
