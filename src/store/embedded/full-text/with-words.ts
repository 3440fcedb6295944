import { compareCodePoints } from '../../../domain/code-point-order.js';
import type { WordMatch, WordMatches, WordsRequest } from '../../full-text.js';
import type { EmbeddingTable } from '../embedding-table.js';
import type { ItemTable } from '../item-table.js';
import { KeySet } from '../key-set.js';
import type { IndexOwner } from '../modality-index.js';
import { itemOf, LeafSearch, ownerOf } from '../nearest.js';
import type { OpenCollection } from '../open-collections.js';
import { nextTurn, now, sliceMs } from '../time-slices.js';
import type { FullText } from './full-text.js';

/** Items of which scores are reckoned, the heaviest first. */
const mostCompared = 2_000;

interface Tables {
  items: ItemTable;
  embeddings: EmbeddingTable;
  fullText: FullText;
}

/** An item with its embedding that is nearest. */
interface Weighed {
  key: number;
  item: number;
  score: number;
  weight: number;
  index: OpenCollection['indexes'][keyof OpenCollection['indexes']];
}

/** Items in which some of the phrases stand. See the port. */
export async function withWords(tables: Tables, { row, indexes }: OpenCollection, request: Omit<WordsRequest, 'fingerprint'>): Promise<WordMatches> {
  const { phrases, required = [], limit, excludeIds = [], embedding, filter, minScore, modalities } = request;
  const standing = await phrasesOf(tables.fullText, row.key, request);
  const weightOf = (item: number): number => standing.get(item)!.reduce((sum, place) => sum + phrases[place]!.weight, 0);
  let items = [...standing.keys()];
  if (required.length > 0) {
    const held = KeySet.of(Uint32Array.from(await tables.fullText.itemsWith(row.key, required)));
    items = items.filter((item) => held.has(item));
  }
  const excluded = new Set(excludeIds.map((id) => tables.items.keyOf(row.key, id) ?? 0));
  let isComplete = true;
  const found: Weighed[] = [];
  for (const modality of modalities) {
    const index = indexes[modality];
    let keys = await keysOf(tables.embeddings, index.owner, items);
    if (filter) keys = keys.and(await index.matchingKeys.of(filter));
    if (keys.size === 0) continue;
    if (keys.size > mostCompared) {
      const chosen = await heaviest(tables.embeddings, index.owner, { items, keys, weightOf });
      isComplete &&= chosen.isAll;
      keys = chosen.keys;
    }
    const { ranking } = await new LeafSearch(index, { embedding, exact: true, within: async () => keys }, {
      size: keys.size,
      excluded,
      ...(minScore === undefined ? {} : { minScore }),
      idOf: (item) => tables.items.idOf(item),
    }).run();
    for (const { key, item, score } of ranking.best) if (standing.has(item)) found.push({ key, item, score, weight: weightOf(item), index });
  }
  found.sort((a, b) => b.weight - a.weight || b.score - a.score);
  const best = found.slice(0, limit);
  const rows = tables.items.byEmbeddings(best.map(({ key }) => key));
  const matches = best.flatMap(({ key, item, score, weight, index }): (WordMatch & { weight: number })[] => {
    const { row: each, box } = ownerOf(tables.embeddings, index, key, rows.get(key));
    return each && !excludeIds.includes(each.id) ? [{ id: each.id, score, ...(box && { box }), weight, phrases: standing.get(item)!, item: itemOf(tables.items, each) }] : [];
  });
  matches.sort((a, b) => b.weight - a.weight || b.score - a.score || compareCodePoints(a.id, b.id));
  return { matches: matches.map(({ weight: _weight, ...match }) => match), complete: isComplete && found.length <= limit };
}

/** Keys of the embeddings of items that are in a space and of a modality. */
export async function keysOf(embeddings: EmbeddingTable, { space, modality }: Pick<IndexOwner, 'space' | 'modality'>, items: number[]): Promise<KeySet> {
  const keys: number[] = [];
  let began = now();
  for (const item of items) {
    for (const each of embeddings.keysOf(item, space)) if (each.modality === modality) keys.push(each.key);
    if (now() - began <= sliceMs) continue;
    await nextTurn();
    began = now();
  }
  return KeySet.of(Uint32Array.from(keys).sort());
}

/** For each item in which any of the phrases stands, the places of those. */
async function phrasesOf(fullText: FullText, collection: number, { phrases }: Pick<WordsRequest, 'phrases'>): Promise<Map<number, number[]>> {
  const standing = new Map<number, number[]>();
  for (const [place, { phrase }] of phrases.entries()) {
    for (const item of await fullText.itemsWith(collection, [phrase])) {
      const places = standing.get(item);
      if (places) places.push(place);
      else standing.set(item, [place]);
    }
  }
  return standing;
}

/** Of these keys those of the items that are compared, all parts of each. */
async function heaviest(embeddings: EmbeddingTable, { space }: IndexOwner, { items, keys, weightOf }: { items: number[]; keys: KeySet; weightOf: (item: number) => number }): Promise<{ keys: KeySet; isAll: boolean }> {
  const inOrder = items.map((item) => ({ item, weight: weightOf(item) })).sort((a, b) => b.weight - a.weight);
  const found: number[] = [];
  let compared = 0;
  let began = now();
  for (const { item } of inOrder) {
    const own = embeddings.keysOf(item, space).filter(({ key }) => keys.has(key));
    if (own.length === 0) continue;
    if (compared === mostCompared) return { keys: KeySet.of(Uint32Array.from(found).sort()), isAll: false };
    compared++;
    found.push(...own.map(({ key }) => key));
    if (now() - began <= sliceMs) continue;
    await nextTurn();
    began = now();
  }
  return { keys, isAll: true };
}
