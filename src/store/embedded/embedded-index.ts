import { recallDepth } from '../../domain/recall.js';
import { plainScale, standardScores } from '../../domain/standard-scores.js';
import { phraseOf, type Phrase } from '../../domain/words.js';
import type { Log } from '../../telemetry.js';
import type { FullText as FullTextPort, WordCounts, WordMatches, WordsRequest } from '../full-text.js';
import type { NearestRequest, Neighbors, VectorIndex } from '../vector-index.js';
import { standardAt } from '../wanted-scores.js';
import type { Changes } from '../writing/writer.js';
import { Background } from './background.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { FullText } from './full-text/full-text.js';
import { keysOf, withWords } from './full-text/with-words.js';
import type { ItemRow, ItemTable } from './item-table.js';
import { LeafSearch, nearest } from './nearest.js';
import type { Collections, OpenCollection } from './open-collections.js';

/** What makes collections quick to search: it follows the database, is told of each transaction once it is on disk, and can be thrown away at any time. */
export class EmbeddedIndex implements Pick<VectorIndex, 'nearest'>, FullTextPort {
  readonly #collections: Collections;
  readonly #tables: { items: ItemTable; embeddings: EmbeddingTable; fullText: FullText };
  readonly #background: Background;

  constructor(collections: Collections, tables: { items: ItemTable; embeddings: EmbeddingTable; fullText: FullText }, log: Log) {
    this.#collections = collections;
    this.#tables = tables;
    this.#background = new Background(
      () => collections.indexes(),
      (index) => async (query, depth, exact) => {
        const { ranking, ...found } = await new LeafSearch(index, { ...query, exact }, { size: depth ?? recallDepth, idOf: (item) => tables.items.idOf(item) }).run();
        return { ...found, best: ranking.best };
      },
      log,
    );
  }

  start(): void {
    this.#background.start();
  }

  async nearest(name: string, { leaves, most = Infinity, fingerprint: wanted, required = [], spread, ...query }: NearestRequest): Promise<Neighbors[]> {
    const { fingerprint } = this.#collections.find(name, wanted).row;
    for (;;) {
      // While it is searched it may go over to another space, and what was compared be of either.
      const opened = this.#collections.find(name, fingerprint);
      const lists: Neighbors[] = [];
      const spreads = spread && leaves.map(({ modality }) => opened.indexes[modality].spread(query.embedding));
      const compared = Array.isArray(spread) ? spread : spread === 'standard' ? spreads : undefined;
      const scales = compared ? standardScores(compared) : leaves.map(() => plainScale);
      for (const [i, leaf] of leaves.entries()) {
        const index = opened.indexes[leaf.modality];
        const within = required.length > 0 && { within: async () => keysOf(this.#tables.embeddings, index.owner, await this.#tables.fullText.itemsWith(opened.row.key, required)) };
        const found = await nearest(this.#tables, index, { ...leaf, wantedFrom: scales[i]!.scoreAt(standardAt(most, lists, scales)) }, { ...query, ...within });
        lists.push({ ...found, ...(spreads && { spread: spreads[i]! }) });
      }
      if (this.#collections.find(name, fingerprint) === opened) return lists;
    }
  }

  async countWords(name: string, phrases: Phrase[], most: number): Promise<WordCounts> {
    const { row } = this.#collections.find(name);
    const counts: number[] = [];
    for (const phrase of phrases) counts.push((await this.#tables.fullText.itemsWith(row.key, [phrase], most)).length);
    return { items: this.#tables.embeddings.tallies(row.space).reduce((sum, { items }) => sum + items, 0), counts };
  }

  async withWords(name: string, { fingerprint: wanted, ...request }: WordsRequest): Promise<WordMatches> {
    const { fingerprint } = this.#collections.find(name, wanted).row;
    for (;;) {
      const opened = this.#collections.find(name, fingerprint);
      const matches = await withWords(this.#tables, opened, request);
      if (this.#collections.find(name, fingerprint) === opened) return matches;
    }
  }

  async foldersNamed(name: string, folder: string, most: number): Promise<string[]> {
    const { row } = this.#collections.find(name);
    const phrase = phraseOf(folder);
    return phrase ? this.#tables.fullText.foldersNamed(row.key, phrase, folder, most) : [];
  }

  follow({ indexes, columns }: OpenCollection, { added, gone, removed, remarked }: Changes<ItemRow>): void {
    for (const { key, modality } of added) indexes[modality].added(key);
    for (const { key, modality } of gone) indexes[modality].removed(key);
    for (const { key, modality } of remarked) columns[modality].changed(key);
    for (const { key, modality } of removed) columns[modality].removed(key);
    for (const each of Object.values(columns)) each.added();
    if (added.length + gone.length > 0) this.#background.wake();
  }

  /** Its collection has gone, or gone over to another space. */
  retire({ indexes }: OpenCollection): void {
    for (const index of Object.values(indexes)) index.retire();
  }

  /** Resolves when what is under way in the background has ended. */
  close(): Promise<void> {
    return this.#background.stop();
  }
}
