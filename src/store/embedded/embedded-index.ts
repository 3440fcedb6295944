import { recallDepth } from '../../domain/recall.js';
import { plainScale, standardScores, type ScoreScale } from '../../domain/standard-scores.js';
import type { Log } from '../../telemetry.js';
import type { NearestRequest, Neighbors, VectorIndex } from '../vector-index.js';
import { Background } from './background.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemTable } from './item-table.js';
import { LeafSearch, nearest } from './nearest.js';
import type { Collections, OpenCollection } from './open-collections.js';
import type { Changes } from './writer.js';

/** What makes collections quick to search: it follows the database, is told of each transaction once it is on disk, and can be thrown away at any time. */
export class EmbeddedIndex implements Pick<VectorIndex, 'nearest'> {
  readonly #collections: Collections;
  readonly #tables: { items: ItemTable; embeddings: EmbeddingTable };
  readonly #background: Background;

  constructor(collections: Collections, tables: { items: ItemTable; embeddings: EmbeddingTable }, log: Log) {
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

  async nearest(name: string, { leaves, most = Infinity, fingerprint: wanted, spread, ...query }: NearestRequest): Promise<Neighbors[]> {
    const { fingerprint } = this.#collections.find(name, wanted).row;
    for (;;) {
      // While it is searched it may go over to another space, and what was compared be of either.
      const opened = this.#collections.find(name, fingerprint);
      const lists: Neighbors[] = [];
      const spreads = spread && leaves.map(({ modality }) => opened.indexes[modality].spread(query.embedding));
      const compared = Array.isArray(spread) ? spread : spread === 'standard' ? spreads : undefined;
      const scales = compared ? standardScores(compared) : leaves.map(() => plainScale);
      for (const [i, leaf] of leaves.entries()) {
        const found = await nearest(this.#tables, opened.indexes[leaf.modality], { ...leaf, wantedFrom: scales[i]!.scoreAt(standardOf(most, lists, scales)) }, query);
        lists.push({ ...found, ...(spreads && { spread: spreads[i]! }) });
      }
      if (this.#collections.find(name, fingerprint) === opened) return lists;
    }
  }

  follow({ indexes, columns }: OpenCollection, { added, gone, removed, remarked }: Changes): void {
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

/** Of the one at that place, the first being 1, among all that was found. */
function standardOf(place: number, lists: Neighbors[], scales: ScoreScale[]): number {
  const scores = lists.flatMap(({ neighbors }, i) => neighbors.map(({ score }) => scales[i]!.standard(score)));
  return scores.sort((a, b) => b - a)[place - 1] ?? -Infinity;
}
