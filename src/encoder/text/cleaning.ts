/** What open_clip's tokenizers do to a text before tokenizer.json has it (open_clip/tokenizer.py), less the repair of encodings and HTML entities. */
export type Cleaning = 'whitespace' | 'lower' | 'canonicalize';

/** What Python's `\s` matches, which is not what JavaScript's does. */
const whitespace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** Python's string.punctuation. */
const punctuation = /[!-/:-@[-`{-~]/g;

export function cleaned(text: string, cleaning: Cleaning): string {
  if (cleaning === 'canonicalize') return folded(text.replaceAll('_', ' ').replace(punctuation, '').toLowerCase());
  return cleaning === 'lower' ? folded(text).toLowerCase() : folded(text);
}

function folded(text: string): string {
  return text.replace(whitespace, ' ').replace(/^ | $/g, '');
}
