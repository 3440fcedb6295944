import type { ModelDescription } from '../../../encoder/encoder.js';
import type { Caller, Context } from '../../context.js';
import { similarTo } from './background.js';
import { usualness } from './letter-sequences.js';

const words = /[\p{L}\p{N}\p{M}\p{So}\p{Emoji_Presentation}]+/gu;
const latin = /^\p{Script=Latin}+$/u;
/** Of the other alphabets whose words are several letters long. */
const otherAlphabets = /^[\p{Script=Cyrillic}\p{Script=Greek}]+$/u;
/** Shorter words may well be one token a letter. */
const leastLetters = 4;
/** Latin letters less usual beside each other than that, by `usualness`, are no word; of a few letters less is told. */
const leastUsual = { word: -4.4, shortWord: -5.7 };
const shortWord = 5;
/** What has fewer is known to the model, whatever its letters. */
const leastTokens = 3;
/** Tokens a letter from which on a word of another alphabet is spelt rather than known. */
const speltFrom = 0.55;
/** Of a text that has fewer tokens a letter, no word is spelt. */
const worthLooking = 0.35;
const mostWords = 16;
/** For private use: no tokenizer knows it. */
const nobodysSign = '\ue000';
const sameAs = 0.9999;

/** How many of a query's words the model knows. */
export type KnownWords = 'all' | 'some' | 'none';

/** The words of a text that the model's tokenizer does not know: those it spells letter by letter, and those that it takes for any other unknown sign. */
export async function unknownWords(context: Context, model: ModelDescription, text: string, { signal }: Caller): Promise<{ unknown: string[]; known: KnownWords }> {
  const found = [...new Set(text.match(words) ?? [])];
  if (found.length === 0 || found.length > mostWords) return { unknown: [], known: 'all' };
  const encode = (texts: string[]) => context.encoder.encodeTexts({ id: model.id, fingerprint: model.fingerprint }, texts, { priority: 'interactive', signal });
  if (found.every((word) => latin.test(word) && !isUnusual(word))) return { unknown: [], known: 'all' };
  const [blank, sign, whole] = await encode(['', nobodysSign, text]);
  const letters = found.reduce((sum, word) => sum + word.length, 0);
  const isSuspect = whole!.tokens - blank!.tokens >= worthLooking * letters || found.some((word) => (latin.test(word) ? isUnusual(word) : !otherAlphabets.test(word)));
  if (!isSuspect) return { unknown: [], known: 'all' };
  const encoded = await encode(found);
  const unknown = found.filter((word, i) => {
    const { embedding, tokens } = encoded[i]!;
    if (similarTo(embedding, sign!.embedding) > sameAs) return true;
    const own = tokens - blank!.tokens;
    if (latin.test(word)) return isUnusual(word) && own >= leastTokens;
    return otherAlphabets.test(word) && word.length >= leastLetters && own / word.length > speltFrom;
  });
  return { unknown, known: unknown.length === 0 ? 'all' : unknown.length < found.length ? 'some' : 'none' };
}

const isUnusual = (word: string): boolean => word.length >= leastLetters && usualness(word) < (word.length > shortWord ? leastUsual.word : leastUsual.shortWord);
