/** Embeddings as rows. `space` is a space's key. What is counted of them, whoever writes counts (tallies.ts). */
import type { Modality } from '../../domain/modality.js';
import type { Box } from '../../domain/tiles.js';
import type { Part } from '../writing/tables.js';
import type { Session } from './database.js';
import { newKeys } from './items.js';
import { embeddingsOf } from './tables.js';
import { fromVector, toVector } from './vectors.js';

export interface NewPart extends Part {
  /** The item's key. */
  item: number;
  /** 0 is the first part. */
  part: number;
}

/** Each with five parameters, of which PostgreSQL takes 65,535. */
const rowsAtOnce = 1_000;

export async function insertParts(session: Session, { space, modality }: { space: number; modality: Modality }, parts: NewPart[]): Promise<void> {
  const keys = await newKeys(session, 'embedding', parts.length);
  for (let from = 0; from < parts.length; from += rowsAtOnce) {
    const some = parts.slice(from, from + rowsAtOnce);
    const places = some.map((_, i) => `($${5 * i + 1}::bigint, $${5 * i + 2}::smallint, $${5 * i + 3}::bigint, $${5 * i + 4}, $${5 * i + 5}::vector)`);
    const values = some.flatMap(({ item, part, box, embedding }, i) => [item, part, keys[from + i], box === undefined ? null : JSON.stringify(box), toVector(embedding)]);
    await session.write(`INSERT INTO ${embeddingsOf(space, modality)} (item, part, key, box, vector) VALUES ${places.join(', ')}`, values);
  }
}

/** Of each item its parts in their order; those that have none are left out. */
export async function partsOf(session: Session, { space, modality }: { space: number; modality: Modality }, items: number[]): Promise<Map<number, Part[]>> {
  const parts = new Map<number, Part[]>();
  if (items.length === 0) return parts;
  const rows = await session.rows<{ item: number; box: string | null; vector: Buffer }>(
    `SELECT item, box, vector_send(vector) AS vector FROM ${embeddingsOf(space, modality)} WHERE item = ANY($1::bigint[]) ORDER BY item, part`,
    [items],
  );
  for (const { item, box, vector } of rows) {
    const part = { embedding: fromVector(vector), box: box === null ? undefined : toBox(box) };
    const before = parts.get(item);
    if (before) before.push(part);
    else parts.set(item, [part]);
  }
  return parts;
}

/** Of each item where its parts behind the first lie, as far as it is known; those that have none are left out. */
export async function boxesOf(session: Session, { space, modality }: { space: number; modality: Modality }, items: number[]): Promise<Map<number, Box[]>> {
  const boxes = new Map<number, Box[]>();
  if (items.length === 0) return boxes;
  const rows = await session.rows<{ item: number; box: string }>(`SELECT item, box FROM ${embeddingsOf(space, modality)} WHERE item = ANY($1::bigint[]) AND part > 0 AND box IS NOT NULL ORDER BY item, part`, [items]);
  for (const { item, box } of rows) boxes.set(item, [...(boxes.get(item) ?? []), toBox(box)]);
  return boxes;
}

/** All parts of the items, or those from `from` on; how many items lost their first part, and how many rows went. */
export async function removeParts(session: Session, { space, modality }: { space: number; modality: Modality }, items: number[], from = 0): Promise<{ items: number; embeddings: number }> {
  if (items.length === 0) return { items: 0, embeddings: 0 };
  const rows = await session.rows<{ part: number }>(`DELETE FROM ${embeddingsOf(space, modality)} WHERE item = ANY($1::bigint[]) AND part >= $2 RETURNING part`, [items, from]);
  return { items: rows.filter(({ part }) => part === 0).length, embeddings: rows.length };
}

export const toBox = (stored: string): Box => JSON.parse(stored) as Box;
