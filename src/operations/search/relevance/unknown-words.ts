import type { ModelDescription } from '../../../encoder/encoder.js';
import type { Caller, Context } from '../../context.js';
import { similarTo } from './background.js';

/** Words of the alphabets whose words are several letters long. */
const words = /[\p{L}\p{N}\p{M}\p{So}\p{Emoji_Presentation}]+/gu;
const spelt = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]+$/u;
/** Shorter words may well be one token a letter. */
const leastLetters = 4;
/** Tokens a letter from which on a word is spelt rather than known: of 200 names none has more, of random letters three in four do. */
const speltFrom = 0.55;
/** Of a text that has fewer tokens a letter, no word is spelt. */
const worthLooking = 0.35;
const mostWords = 16;
/** For private use: no tokenizer knows it. */
const nobodysSign = '\ue000';
const sameAs = 0.9999;

/** The words of a text that the model's tokenizer does not know: those it spells letter by letter, and those that it takes for any other unknown sign. */
export async function unknownWords(context: Context, model: ModelDescription, text: string, { signal }: Caller): Promise<{ unknown: string[]; isAll: boolean }> {
  const found = [...new Set(text.match(words) ?? [])];
  if (found.length === 0 || found.length > mostWords) return { unknown: [], isAll: false };
  const encode = (texts: string[]) => context.encoder.encodeTexts({ id: model.id, fingerprint: model.fingerprint }, texts, { priority: 'interactive', signal });
  const [blank, sign, whole] = await encode(['', nobodysSign, text]);
  const letters = found.reduce((sum, word) => sum + word.length, 0);
  const isSuspect = whole!.tokens - blank!.tokens >= worthLooking * letters || found.some((word) => !spelt.test(word));
  if (!isSuspect) return { unknown: [], isAll: false };
  const encoded = await encode(found);
  const unknown = found.filter((word, i) => {
    const { embedding, tokens } = encoded[i]!;
    if (similarTo(embedding, sign!.embedding) > sameAs) return true;
    return spelt.test(word) && word.length >= leastLetters && (tokens - blank!.tokens) / word.length > speltFrom;
  });
  return { unknown, isAll: unknown.length === found.length };
}
