/**
 * Words as full text compares them: without case, accents and points; letters and digits apart, so that `IMG_2041`,
 * `img2041` and `Img 2041` are the same two words; what is written without spaces, and Korean, whose words carry their
 * particles, in pairs of characters that overlap, as Lucene's CJKBigramFilter does, so that any piece of it is a phrase.
 */

/** Of a longer word or number the beginning counts. */
const longestWord = 64;

/** Scripts of which pairs are made. */
const paired = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー々\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const isPaired = new RegExp(`^[${paired}]`, 'u');
const piece = new RegExp(`[${paired}]+|\\p{N}+|(?:(?![${paired}])[\\p{L}\\p{M}])+`, 'gu');

/** Points of Hebrew and Arabic, accents, the Arabic line that stretches words, joiners. */
const marks = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0640\u200c\u200d]/g;
/** Letters that Unicode does not take apart. */
const plainLetters: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ı: 'i' };

/** Without case, accents and points. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(marks, '')
    .normalize('NFC')
    .replace(/[ßæœøłđı]/g, (letter) => plainLetters[letter]!);
}

/** Words of a text in their order, as they are kept: behind the pairs of a run stands its last character. */
export function wordsOf(text: string): string[] {
  return piecesOf(text).flatMap(({ characters, isRun }) => (isRun ? [...pairsOf(characters), characters.at(-1)!] : [characters.join('')]));
}

/** Words that stand one behind the other; with `prefix`, more may follow the last within its word. */
export interface Phrase {
  words: string[];
  prefix: boolean;
}

/** The same as a phrase to look for: its last run may go on. `undefined` where there is no word in it. */
export function phraseOf(text: string): Phrase | undefined {
  const words = wordsOf(text);
  const last = piecesOf(text).at(-1);
  if (!last) return undefined;
  if (!last.isRun) return { words, prefix: false };
  return last.characters.length === 1 ? { words, prefix: true } : { words: words.slice(0, -1), prefix: false };
}

function piecesOf(text: string): { characters: string[]; isRun: boolean }[] {
  return (folded(text).match(piece) ?? []).map((found) => {
    const isRun = isPaired.test(found);
    const characters = Array.from(found);
    return { characters: isRun ? characters : characters.slice(0, longestWord), isRun };
  });
}

function pairsOf(characters: string[]): string[] {
  return characters.slice(1).map((character, i) => characters[i]! + character);
}
