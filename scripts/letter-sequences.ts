/**
 * Writes src/operations/search/relevance/letter-table.ts: which letters follow which in words of Latin letters, counted in the
 * 128,000 pieces of the bundled model's vocabulary, whatever language they are of.
 *
 *     npx tsx scripts/letter-sequences.ts [models/NAME/tokenizer.json]
 *
 * A letter's probability behind two others is the trigram's share, mixed with that of the bigram and that of the letter
 * itself (Jelinek and Mercer's interpolation; a context seen n times weighs n / (n + 5)).
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { begin, foldWord, steps } from '../src/operations/search/relevance/letter-sequences.js';

const root = path.join(import.meta.dirname, '..');
const order = 3;
const smoothing = 5;
/** A piece of fewer letters, its beginning counted, tells nothing of what follows. */
const leastPiece = 3;
const letters = [...'abcdefghijklmnopqrstuvwxyz'];
/** How a vocabulary marks the beginning of a word: SentencePiece, byte-level BPE. */
const beginnings = /^[▁Ġ]/u;

interface Tokenizer {
  model: { vocab: [piece: string, score: number][] | Record<string, number> };
}

const file = process.argv[2] ?? path.join(root, 'models/mixspace-graft-0.3/tokenizer.json');
const { vocab } = (JSON.parse(await readFile(file, 'utf8')) as Tokenizer).model;
const pieces = Array.isArray(vocab) ? vocab.map(([piece]) => piece) : Object.keys(vocab);

const seen = new Map<string, number>();
const contexts = new Map<string, number>();
let counted = 0;
for (const piece of pieces) {
  const text = piece.replace(beginnings, begin);
  const word = foldWord(text.slice(text.startsWith(begin) ? 1 : 0));
  const folded = text.startsWith(begin) ? begin + word : word;
  if (!/^\^?[a-z]+$/.test(folded) || folded.length < leastPiece) continue;
  counted++;
  for (let at = 0; at < folded.length; at++) {
    if (folded[at] === begin) continue;
    for (let length = 1; length <= Math.min(order, at + 1); length++) {
      add(seen, folded.slice(at - length + 1, at + 1));
      add(contexts, folded.slice(at - length + 1, at));
    }
  }
}

const rows = [begin, ...letters].map((first) => [begin, ...letters].map((second) => letters.map((letter) => steps.encode(Math.log(probability(first === begin && second === begin ? begin : first + second, letter)))).join('')).join(''));
await writeFile(
  path.join(root, 'src/operations/search/relevance/letter-table.ts'),
  [
    '/** Made by scripts/letter-sequences.ts. A line for each letter two before, in it 26 signs for each letter before: the beginning of a word first, then a to z. */',
    'export const letterTable = [',
    ...rows.map((row) => `  '${row}',`),
    '] as const;',
    '',
  ].join('\n'),
);
console.log(`${counted} pieces of ${pieces.length}`);

function probability(context: string, letter: string): number {
  let value = 1 / (letters.length + 1);
  for (let length = 1; length <= Math.min(order, context.length + 1); length++) {
    const before = context.slice(context.length - length + 1);
    const times = contexts.get(before) ?? 0;
    const weight = times / (times + smoothing);
    value = weight * (times > 0 ? (seen.get(before + letter) ?? 0) / times : 0) + (1 - weight) * value;
  }
  return value;
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
