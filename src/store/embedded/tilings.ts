import type { Tiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { Sources } from '../pictures/sources.js';
import { sizeOf } from '../stored-item.js';
import type { TileCatalog, TiledItem, TileSource } from '../tile-catalog.js';
import type { Changes } from '../writing/writer.js';
import type { CollectionRow } from './collection-table.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

type Made = Parameters<TileCatalog['putTiles']>[2];

/** Pictures of a collection and their tiles, seen from the thread that owns the database. */
export class Tilings {
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;
  readonly #sources: Sources<ItemRow>;

  constructor({ items, embeddings, sources }: { items: ItemTable; embeddings: EmbeddingTable; sources: Sources<ItemRow> }) {
    this.#items = items;
    this.#embeddings = embeddings;
    this.#sources = sources;
  }

  async list({ key: collection, space, fingerprint }: CollectionRow, { after, limit }: { after: number; limit: number }): Promise<{ fingerprint: string; items: TiledItem[]; through?: number }> {
    const items: TiledItem[] = [];
    let began = now();
    const page = this.#embeddings.outcomes(collection, { space, modality: 'image', after, limit });
    for (const { key } of page) {
      const row = this.#items.byKey(key);
      if (row?.unembedded === null) items.push({ key, id: row.id, ...sizeOf(row), boxes: this.#embeddings.boxesOf(key, space) });
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return { fingerprint, items, ...(page.length === limit ? { through: page.at(-1)!.key } : {}) };
  }

  read({ key: collection }: CollectionRow, keys: number[]): Promise<(TileSource | undefined)[]> {
    return Promise.all(
      keys.map(async (key) => {
        const row = this.#items.collectionOf(key) === collection ? this.#items.byKey(key) : undefined;
        return row && this.#sources.uncut(row);
      }),
    );
  }

  /** Inside the caller's transaction. How many bytes more there are. */
  put({ name, key: collection, space, fingerprint, tiles: wanted }: CollectionRow, made: { fingerprint: string; tiles: Tiles }, items: Made, changes: Changes<ItemRow>): number {
    if (made.fingerprint !== fingerprint || made.tiles !== wanted) throw new MixspaceError('conflict', `Collection "${name}" wants other tiles by now.`);
    let bytes = 0;
    for (const { key, tiles } of items) {
      const row = this.#items.collectionOf(key) === collection ? this.#items.byKey(key) : undefined;
      if (row?.unembedded !== null) continue;
      const replaced = this.#embeddings.replaceTiles({ item: key, space, modality: row.modality }, tiles);
      changes.gone.push(...replaced.gone);
      changes.added.push(...replaced.added);
      bytes += replaced.bytes;
    }
    return bytes;
  }
}
