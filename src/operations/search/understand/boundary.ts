/**
 * Letters, marks and digits of the scripts that are understood, as ranges: `\p{L}` takes half a millisecond to compile in
 * each expression, and there are a thousand of them.
 */
export const letters =
  '0-9A-Za-z\\u00aa\\u00b5\\u00ba\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0300-\\u0588\\u05d0-\\u060b\\u0610-\\u061a\\u0620-\\u0669\\u066e-\\u06d3\\u06d5-\\u06ff\\u0900-\\u1fff\\u2c00-\\u2dff\\u3005-\\u3007\\u3031-\\u318f\\u31a0-\\u31ff\\u3400-\\ud7ff\\uf900-\\ufdff\\ufe70-\\ufefc\\uff10-\\uff19\\uff21-\\uff3a\\uff41-\\uffdc';

/** No letter before; no letter behind. */
export const open = `(?<![${letters}])`;
export const close = `(?![${letters}])`;

const letter = new RegExp(`^[${letters}]$`);
export const isLetter = (character: string | undefined): boolean => character !== undefined && letter.test(character);

/** Scripts in which words do not stand apart, or have endings as their own words. */
export const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
export const hasUnspaced = (text: string): boolean => unspaced.test(text);

/** A pattern for texts in lower case: with a flag for either case expressions take several times as long to compile. */
export function lowered(pattern: string): string {
  return pattern.replace(/\{\p{L}\}|\\p\{[^}]*\}|\\u[0-9a-f]{4}|\\.|\(\?<\p{L}+>|\p{Lu}/gu, (found) => (/^\p{Lu}$/u.test(found) ? found.toLowerCase() : found));
}

/** In lower case, each letter in its place. */
export function inLowerCase(text: string): string {
  return Array.from(text, (character) => {
    const lower = character === 'İ' ? 'i' : character.toLowerCase();
    return lower.length === character.length ? lower : character;
  }).join('');
}
