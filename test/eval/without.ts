/**
 * "X without Y": of the first ten, how many show Y all the same, and how many X, by what the photos' five captions name.
 * The pairs and sentences (without-pairs.jsonl) were written, in six languages, by someone who had not seen the rules.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { MixspaceClient } from '../../src/client/index.js';
import type { Embedder } from './embedder.js';
import { figureOf, type Figure } from './figure.js';
import { allCaptionedPhotos, captionedPhotos } from './pack.js';
import { wilson } from './wilson.js';

const collection = 'without';
const first = 10;
const perRequest = 1_000;
const wanted = { notShown: 0.9, kept: 0.7 };
const irregular: Record<string, string> = { man: 'men', woman: 'women', child: 'children', person: 'people', leaf: 'leaves' };

interface Pair {
  x: string;
  y: string;
  queries: Record<string, string>;
}

export async function without(client: MixspaceClient, embedder: Embedder): Promise<Figure[]> {
  const pairs = (await readFile(path.join(import.meta.dirname, 'without-pairs.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Pair);
  const photos = allCaptionedPhotos();
  const embeddings = await embedder.pictures(photos.map(({ webp }) => webp));
  await client.createCollection({ name: collection });
  for (let from = 0; from < photos.length; from += perRequest) {
    await client.addItems(collection, photos.slice(from, from + perRequest).map(({ name }, i) => ({ id: name, embedding: [...embeddings[from + i]!], modality: 'image' as const })));
  }
  const names = naming(new Map(photos.map(({ name, captions }) => [name, captions.join(' ').toLowerCase()])));
  const figures: Figure[] = [];
  const measure = async (what: string, queries: { pair: Pair; words: string }[], negation: 'off' | 'auto'): Promise<void> => {
    let [shown, kept, all] = [0, 0, 0];
    for (const { pair, words } of queries) {
      const { matches } = await client.search(collection, words, { limit: first, modality: 'image', negation });
      for (const { id } of matches) {
        if (names(pair.y, id)) shown++;
        if (names(pair.x, id)) kept++;
        all++;
      }
    }
    figures.push(
      { name: `${what}: Y not shown`, queries: queries.length, within: {}, share: { value: 1 - shown / all, ...wilson(all - shown, all) }, ...(negation === 'auto' ? { minimum: { share: wanted.notShown } } : {}) },
      { name: `${what}: X shown`, queries: queries.length, within: {}, share: { value: kept / all, ...wilson(kept, all) }, ...(negation === 'auto' ? { minimum: { share: wanted.kept } } : {}) },
    );
  };
  for (const language of Object.keys(pairs[0]!.queries)) {
    const queries = pairs.map((pair) => ({ pair, words: pair.queries[language]! }));
    if (language === 'en') {
      await measure('X alone, en', pairs.map((pair) => ({ pair, words: pair.x })), 'off');
      await measure('X without Y, en, plain', queries, 'off');
    }
    await measure(`X without Y, ${language}, negation`, queries, 'auto');
  }
  for (const negation of ['off', 'auto'] as const) figures.push(await plain(client, negation));
  await client.deleteCollection(collection);
  return figures;
}

/** The captions of photos that nothing was trained on, as they stand, some of which say what is missing. */
async function plain(client: MixspaceClient, negation: 'off' | 'auto'): Promise<Figure> {
  const ranks: number[] = [];
  for (const { name, captions } of captionedPhotos()) {
    for (const caption of captions) {
      const { matches } = await client.search(collection, caption, { limit: first, modality: 'image', negation });
      const place = matches.findIndex(({ id }) => id === name);
      ranks.push(place === -1 ? Infinity : place + 1);
    }
  }
  return figureOf(`Flickr8k's captions among all its photos, negation ${negation}`, ranks, [1, 5, 10]);
}

function naming(captions: Map<string, string>): (word: string, id: string) => boolean {
  const patterns = new Map<string, RegExp>();
  return (word, id) => {
    const pattern = patterns.get(word) ?? new RegExp(`\\b(?:${[word, irregular[word] ?? `${word}s`, `${word}es`].join('|')})\\b`);
    patterns.set(word, pattern);
    return pattern.test(captions.get(id)!);
  };
}
