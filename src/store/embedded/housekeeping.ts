import { modalities } from '../../domain/modality.js';
import type { Log } from '../../telemetry.js';
import type { CollectionRow, CollectionTable } from './collection-table.js';
import type { Damage } from './damage.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemTable } from './item-table.js';
import { unclaimed, type Originals } from '../pictures/originals.js';
import type { Reembeddings } from './reembeddings.js';
import type { Restores } from './restores.js';
import { nextTurn } from './time-slices.js';

/** Items of a deleted collection that go in one transaction. */
const sweepRows = 128;
/** Items looked at in one turn. */
const pageRows = 512;

/** Puts in order, one thing after another in the background, what a crash, a deletion or an older version left. */
export class Housekeeping {
  readonly #parts;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: {
    items: ItemTable;
    embeddings: EmbeddingTable;
    damage: Damage;
    collectionTable: CollectionTable;
    originals: Originals;
    reembeddings: Reembeddings;
    restores: Restores;
    collections: () => Iterable<CollectionRow>;
    log: Log;
  }) {
    this.#parts = parts;
  }

  /** Resolves when all that was to be done is done, or could not be. */
  get running(): Promise<void> {
    return this.#running;
  }

  /** `isTrusted`: the database is known to be whole. */
  begin(isTrusted: boolean): void {
    this.#run(async () => {
      const aside = await this.#parts.originals.sweep(isTrusted);
      if (aside === 0) return;
      this.#parts.log('warn', `Pictures that no item names were set aside in originals/${unclaimed}; remove that folder if nothing is missing.`, { files: aside });
    });
    this.wake();
    this.#run(() => this.#findLost());
  }

  /** Something was deleted, or has gone over to another space. */
  wake(): void {
    this.#run(() => this.#sweepDeletedCollections());
    this.#run(() => this.#parts.reembeddings.sweep(this.#parts.collections, () => this.#stopped));
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running;
  }

  #run(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch((error: unknown) => {
      if (!this.#stopped) this.#parts.log('warn', 'What was deleted, or has gone over to another space, could not be put in order; the next start tries again.', { reason: String(error) });
    });
  }

  /** Items of which the database says neither an embedding nor why there is none. */
  async #findLost(): Promise<void> {
    const { items, embeddings, damage } = this.#parts;
    for (const { key: collection, space } of [...this.#parts.collections()]) {
      if (embeddings.undecided(collection, space) === 0) continue;
      for (const modality of modalities) {
        for (let after = 0, more = true; more && !this.#stopped; await nextTurn()) {
          const page = embeddings.outcomes(collection, { space, modality, after, limit: pageRows });
          for (const { key } of page.filter(({ waits }) => waits)) damage.lostEmbedding(key, items.byKey(key)?.id ?? '');
          after = page.at(-1)?.key ?? after;
          more = page.length === pageRows;
        }
      }
    }
  }

  async #sweepDeletedCollections(): Promise<void> {
    const { items, embeddings, collectionTable, originals, restores } = this.#parts;
    for (const collection of collectionTable.nameless().filter((key) => !restores.isComing(key))) {
      // First: on a full disk, what they free is what forgetting the items' words needs.
      for (let after = 0, keys: number[]; (keys = items.keysAfter(collection, after, sweepRows)).length > 0; after = keys.at(-1)!) {
        if (this.#stopped) return;
        items.transaction(() => keys.forEach((key) => embeddings.removeOf(key)));
        await nextTurn();
      }
      for (;;) {
        if (this.#stopped) return;
        const removed = items.someOf(collection, sweepRows);
        items.transaction(() => {
          for (const { key } of removed) items.remove(key);
          if (removed.length === 0) collectionTable.remove(collection);
        });
        if (removed.length === 0) break;
        await originals.release(removed.filter((item) => item.original_bytes !== null).map((item) => item.content_hash));
        await nextTurn();
      }
    }
  }
}
