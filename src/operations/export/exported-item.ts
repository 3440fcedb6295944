import type { Box } from '../../domain/tiles.js';
import type { Item as Told } from '../../contract/items.js';

/** An item as it leaves. */
export interface ExportedItem extends Omit<Told, 'image_url'> {
  fingerprint: string;
  /** The first part's; undefined where it has none. */
  embedding: Float32Array | undefined;
  /** Of an item with several. */
  parts: Float32Array[] | undefined;
  /** Where each of those behind the first lies, as fractions of the picture. */
  boxes: (Box | undefined)[] | undefined;
  /** WebP. */
  thumbnail: Uint8Array | undefined;
}
