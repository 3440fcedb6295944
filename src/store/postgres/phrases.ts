/** Phrases as conditions on an item's `content` and `words`; `values` as `compileFilter` has it. */
import type { Phrase } from '../../domain/words.js';

/** The words of which candidates have all, by an index; in their order, one behind the other, only some have them. */
export function compilePhrase({ words, prefix }: Phrase, values: unknown[]): string {
  const lexemes = words.map((word, i) => `'${word.replace(/[\\']/g, '$&$&')}'${prefix && i === words.length - 1 ? ':*' : ''}`);
  const query = values.push(lexemes.join(' & '));
  const text = values.push(` ${words.join(' ')}${prefix ? '' : ' '}`);
  return `(words @@ $${query}::tsquery AND strpos(content, $${text}) > 0)`;
}
