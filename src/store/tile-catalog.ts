/** The part of the catalog's port in which pictures that are there are cut into tiles, or into others. */
import type { Box, Tiles } from '../domain/tiles.js';

/** A picture with an embedding of its collection's space. */
export interface TiledItem {
  key: number;
  id: string;
  /** Of the upright picture, pixels; left out where it was given as an embedding. */
  width?: number;
  height?: number;
  /** Where its tiles lie. */
  boxes: Box[];
}

/** What tiles can be made from, or the sentence that says why there is nothing. */
export type TileSource = { picture: Uint8Array; from: 'original' | 'thumbnail' } | { impossible: string };

export interface TileCatalog {
  /** The next pictures by key, behind `after`; `through`: where to go on, left out at the end. */
  listTiled(collection: string, request: { after: number; limit: number }): Promise<{ fingerprint: string; items: TiledItem[]; through?: number }>;
  /** Of each of these items, in their order; of one that has gone, nothing. */
  readTileSources(collection: string, keys: number[]): Promise<(TileSource | undefined)[]>;
  /**
   * One transaction: in place of all tiles that the items have. Items that have gone are passed over. `conflict` unless
   * the collection is in this space and wants these tiles. How many bytes of embeddings it holds more.
   */
  putTiles(collection: string, made: { fingerprint: string; tiles: Tiles }, items: { key: number; tiles: { box: Box; embedding: Float32Array }[] }[]): Promise<{ bytes: number }>;
}
