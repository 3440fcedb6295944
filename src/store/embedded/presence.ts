import type { Presence } from '../catalog.js';
import { sizeOf } from '../stored-item.js';
import { isWhole } from '../writing/writer.js';
import type { OpenCollection } from './open-collections.js';
import type { Parts } from './parts.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

/** What is there of these ids. `check`: see the port. */
export async function present(parts: Pick<Parts, 'items' | 'embeddings' | 'originals'>, { row, indexes }: OpenCollection, ids: string[], check?: 'whole'): Promise<Presence[]> {
  const { items, embeddings, originals } = parts;
  const found: Presence[] = [];
  let began = now();
  for (const id of ids) {
    const item = items.byId(row.key, id);
    if (!item) continue;
    const embedded = item.unembedded === null && (check === undefined || (isWhole(parts, row, item) && (item.original_bytes === null || (await originals.isWhole(item.content_hash)))));
    found.push({ id, contentHash: item.content_hash, modality: item.modality, embedded, ...sizeOf(item), boxes: row.tiles === 'none' && !indexes.image.hasParts ? [] : embeddings.boxesOf(item.key, row.space) });
    if (now() - began > sliceMs) {
      await nextTurn();
      began = now();
    }
  }
  return found;
}
