/** A Unigram vocabulary in flat arrays against the library's own map and trie. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { expect, it } from 'vitest';
import { PieceTable } from '../src/encoder/text/piece-table.js';
import { readTextEncoding } from '../src/encoder/text/text-encoding.js';
import { repository } from './server.js';

const directory = path.join(repository, 'models/mixspace-graft-0.3');

it("gives the ids that the library's own vocabulary gives", async () => {
  const file = JSON.parse(await readFile(path.join(directory, 'tokenizer.json'), 'utf8'));
  const config = JSON.parse(await readFile(path.join(directory, 'tokenizer_config.json'), 'utf8'));
  // Texts that no normalizer changes: what stands in its place is tested with the reference's.
  const library = new Tokenizer({ ...file, normalizer: null, added_tokens: [] }, config);
  const { encode } = await readTextEncoding(directory, { tokenizer: { file: 'tokenizer.json', config: 'tokenizer_config.json' }, contextLength: 512, padding: 'longest', padTokenId: 3, padToken: undefined, configuredPadTokenId: undefined, lowercase: false });
  const pieces: string[] = file.model.vocab.map(([piece]: [string]) => piece).filter((piece: string) => /^[a-zäöüßа-яぁ-ん一-龥]+$/.test(piece));
  let state = 7;
  const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % below;
  const texts = Array.from({ length: 400 }, () => Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]! + (random(3) === 0 ? '' : ' ')).join('').trim());
  for (const text of [...texts, 'ꙮ unknown ꙮꙮ', 'qqqqqxxzz', '日本語のテキスト', 'a <unk> b', '<unk><unk>', 'x<unk>y']) expect(encode(text).ids, text).toEqual(library.encode(text).ids);
});

it('finds every piece, the later one of two that are the same, and nothing else', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `piece${i % 2990}`);
  const table = new PieceTable([['', -1], ...names.map((name, i): [string, number] => [name, i]), ['𝒳y', 0.5]]);
  expect(Array.from({ length: 2990 }, (_, i) => table.get(`piece${i}`))).toEqual(Array.from({ length: 2990 }, (_, i) => (i < 10 ? 2990 + i : i) + 1));
  expect([table.get('piece2990'), table.get('piec'), table.get('')]).toEqual([undefined, undefined, 0]);
  expect(table.scores[table.get('𝒳y')!]).toBe(0.5);
  expect(table.piece(table.get('piece17')!)).toBe('piece17');
  expect([...table.common_prefix_search([...'apiece123z'], 1)]).toEqual(['piece1', 'piece12', 'piece123']);
  expect([...table.common_prefix_search([...'𝒳yz'])]).toEqual(['𝒳y']);
  table.set('more', 9);
  expect([table.get('more'), table.has('more'), table.has('less')]).toEqual([9, true, false]);
});
