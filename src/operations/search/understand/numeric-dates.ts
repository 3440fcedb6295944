/** Dates in figures: 2019-08-16, 2019/8/16, 16.8.2019, 16/08/2019, 24.12.18, 2019-08, 08/2019. */
import { dateOf, monthOf, type Days } from './calendar.js';
import { ofTwoDigits } from './years.js';

const year = '(?:1[89]|20)\\d\\d';
export const numericSource = `(?<![\\d.,:/-])(?:${year}([-/.])\\d{1,2}\\1\\d{1,2}|\\d{1,2}([-/.])\\d{1,2}\\2${year}|\\d{1,2}([./])\\d{1,2}\\3\\d\\d|${year}-\\d\\d|\\d\\d[./]${year})(?![\\d:]|[-/.]\\d)`;

/** Words and letters of languages that put the day first; English does either. */
const dayFirst = /[\u0080-\uffff]|(?<![a-z])(?:de|du|des|le|les|el|los|las|y|en|et|un|une|una|au|der|das|den|dem|und|mit|von|vom|im|am|aus|il|di|del|della|con|com|do|da|em|van|het|een|met|op|na|od|ve|bir)(?![a-z])/u;

/** `text`: as `numericSource` found it in `input`. `undefined`: none, or it may as well be another. */
export function numericDate(text: string, input: string): Days | undefined {
  const parts = text.split(/[-/.]/);
  const [first, second, third] = parts.map(Number) as [number, number, number?];
  if (third === undefined) {
    const [of, month] = parts[0]!.length === 4 ? [first, second] : [second, first];
    // 2010-12 may be two years.
    const isMonth = month >= 1 && month <= 12 && (parts[0]!.length !== 4 || month <= of % 100);
    return isMonth ? monthOf(of, month - 1) : undefined;
  }
  if (parts[0]!.length === 4) return dateOf(first, second - 1, third);
  const of = parts[2]!.length === 2 ? ofTwoDigits(third) : third;
  const isDayFirst = text.includes('.') || first > 12 || first === second || (second <= 12 && dayFirst.test(input));
  if (isDayFirst) return dateOf(of, second - 1, first);
  return second > 12 ? dateOf(of, first - 1, second) : undefined;
}
