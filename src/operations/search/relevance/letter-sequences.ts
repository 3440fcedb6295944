/** How usual the letters of a word stand beside each other, in any language of Latin letters. */
import { letterTable } from './letter-table.js';

/** Stands before a word's first letter. */
export const begin = '^';
const letterCount = 26;
const code = (letter: string | undefined): number => (letter === undefined || letter === begin ? 0 : letter.charCodeAt(0) - 96);

/** A natural logarithm of a probability as one sign, to a quarter, down to -12.5. */
export const steps = {
  encode: (logarithm: number): string => String.fromCharCode(40 + Math.min(50, Math.round(-logarithm * 4))),
  decode: (sign: number): number => (40 - sign) / 4,
};

/** Lower case, without marks. */
export const foldWord = (word: string): string => word.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');

/** Mean natural logarithm of its letters' probabilities, each behind the two before it: of words around -2.5, of letters by chance around -6. Letters beyond a to z count as sure. */
export function usualness(word: string): number {
  const letters = foldWord(word);
  let [sum, first, second] = [0, begin, begin];
  for (const letter of letters) {
    if (letter < 'a' || letter > 'z') continue;
    sum += steps.decode(letterTable[code(first)]!.charCodeAt(code(second) * letterCount + code(letter) - 1));
    [first, second] = [second, letter];
  }
  return sum / letters.length;
}
