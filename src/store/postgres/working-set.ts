/** Items of one collection while a transaction writes them: read at once, changed in memory one after the other, written at once at its end. */
import { modalities, type Modality } from '../../domain/modality.js';
import type { Box } from '../../domain/tiles.js';
import { toItem, type StoredItem } from '../stored-item.js';
import type { EmbeddingKey, EmbeddingTable, ItemTable, NewItem, Part } from '../writing/tables.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { toBox } from './embeddings.js';
import { itemColumns, toStoredItem } from './items.js';
import { embeddingsOf, itemsOf } from './tables.js';

export interface HeldItem {
  row: StoredItem;
  /** As it is stored; undefined: it is new. */
  stored: StoredItem | undefined;
  /** Where its parts lie, as many as it has; undefined: of the whole, or not known. */
  boxes: (Box | undefined)[];
  /** To be written in place of all parts from `from` on. */
  parts?: { from: number; parts: Part[] };
  /** To be written, where there is none yet. */
  thumbnail?: Uint8Array | undefined;
  original?: Uint8Array | undefined;
}

export class WorkingSet {
  readonly items: ItemTable<StoredItem>;
  readonly embeddings: EmbeddingTable;
  /** New ones, in the order in which they came, have keys below 0. */
  readonly #held = new Map<number, HeldItem>();
  readonly #keys = new Map<string, number>();
  readonly #removed: StoredItem[] = [];
  #made = 0;

  constructor(items: Omit<HeldItem, 'stored'>[]) {
    for (const item of items) this.#hold({ ...item, stored: item.row });
    const of = this.#of.bind(this);
    this.items = {
      byId: (_, id) => this.#held.get(this.#keys.get(id) ?? 0)?.row,
      insert: (_, item) => this.#insert(item),
      update: ({ key }, metadata, sources, updated_at) => this.#change(of(key), { metadata, sources, updated_at }),
      attach: ({ key }, content) => this.#attach(of(key), content),
      remove: (key) => this.#remove(of(key)),
      // The server answers for what it holds.
      isSound: () => true,
      hasSoundMetadata: () => true,
      isWhole: () => true,
      toItem,
    };
    const nobody: EmbeddingKey[] = [];
    this.embeddings = {
      insert: (key, _space, _modality, parts) => {
        const item = of(key);
        item.boxes = parts.map(({ box }) => box);
        item.parts = { from: 0, parts };
        return nobody;
      },
      replaceTiles: ({ item: key }, tiles) => {
        const item = of(key);
        item.boxes = [item.boxes[0], ...tiles.map(({ box }) => box)];
        item.parts = item.parts?.from === 0 ? { from: 0, parts: [item.parts.parts[0]!, ...tiles] } : { from: 1, parts: tiles };
        return { gone: nobody, added: nobody };
      },
      boxesOf: (key) => of(key).boxes.slice(1).filter((box) => box !== undefined),
      keysOf: () => nobody,
      areWhole: (key) => of(key).boxes.length > 0,
      setApart: (key, _space, _modality, reason) => {
        const item = of(key);
        item.row = { ...item.row, unembedded: item.row.unembedded ?? reason };
      },
    };
  }

  /** Stored ones that are to go. */
  get removed(): readonly StoredItem[] {
    return this.#removed;
  }

  /** Those that are there, in the order in which they came. */
  held(): HeldItem[] {
    return [...this.#held.values()];
  }

  byKey(key: number): HeldItem | undefined {
    return this.#held.get(key);
  }

  #of(key: number): HeldItem {
    return this.#held.get(key)!;
  }

  #hold(item: HeldItem): void {
    this.#held.set(item.row.key, item);
    this.#keys.set(item.row.id, item.row.key);
  }

  #insert({ id, content, metadata, sources, createdAt, updatedAt }: NewItem): number {
    const key = -++this.#made;
    const row: StoredItem = {
      key,
      id,
      modality: content.modality,
      content_hash: content.contentHash,
      text: content.text ?? null,
      metadata,
      sources,
      width: content.width ?? null,
      height: content.height ?? null,
      taken_at: content.takenAt ?? null,
      media_type: content.mediaType ?? null,
      path: content.path ?? null,
      original_bytes: content.original?.byteLength ?? null,
      thumbnail_bytes: content.thumbnail?.byteLength ?? null,
      unembedded: null,
      created_at: createdAt,
      updated_at: updatedAt,
      exif: content.exif === undefined ? null : JSON.stringify(content.exif),
    };
    this.#hold({ row, stored: undefined, boxes: [], thumbnail: content.thumbnail, original: content.original });
    return key;
  }

  #change(item: HeldItem, change: Partial<StoredItem>): void {
    item.row = { ...item.row, ...change };
  }

  #attach(item: HeldItem, { path, original, thumbnail }: Pick<NewItem['content'], 'path' | 'original' | 'thumbnail'>): StoredItem {
    const { row } = item;
    if (path !== undefined && path !== row.path) this.#change(item, { path });
    if (original && row.original_bytes === null) {
      item.original = original;
      this.#change(item, { original_bytes: original.byteLength });
    }
    if (thumbnail && row.thumbnail_bytes === null) {
      item.thumbnail = thumbnail;
      this.#change(item, { thumbnail_bytes: thumbnail.byteLength });
    }
    return item.row;
  }

  #remove({ row, stored }: HeldItem): void {
    this.#held.delete(row.key);
    this.#keys.delete(row.id);
    if (stored) this.#removed.push(stored);
  }
}

/** With those of the ids that are there. */
export async function workingSetOf(session: Session, collection: CollectionRow, ids: Iterable<string>): Promise<WorkingSet> {
  return new WorkingSet(await itemsWithBoxes(session, collection, [...new Set(ids)]));
}

/** Those of the ids that are there, in no order, each with where its parts in the collection's space lie: as many as it has. */
export async function itemsWithBoxes(session: Session, { key, space }: CollectionRow, ids: string[]): Promise<{ row: StoredItem; boxes: (Box | undefined)[] }[]> {
  if (ids.length === 0) return [];
  const of = (modality: Modality): string => `WHEN '${modality}' THEN (SELECT json_agg(box ORDER BY part) FROM ${embeddingsOf(space, modality)} WHERE item = items.key)`;
  const rows = await session.rows<StoredItem & { boxes: (string | null)[] | null }>(
    `SELECT ${itemColumns(space)}, CASE items.modality ${modalities.map(of).join(' ')} END AS boxes FROM ${itemsOf(key)} AS items WHERE id = ANY($1)`,
    [ids],
  );
  return rows.map(({ boxes, ...row }) => ({ row: toStoredItem(row), boxes: (boxes ?? []).map((box) => (box === null ? undefined : toBox(box))) }));
}
