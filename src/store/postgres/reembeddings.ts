/** Collections on their way into another space, as rows. */
import type { Reembedding, ReembeddingTarget } from '../reembedding-catalog.js';
import { spaceTalliesOf } from './collections.js';
import type { Session } from './database.js';

/** A collection's way into another of its spaces. */
export interface ReembeddingRow extends ReembeddingTarget {
  /** The key of the space. */
  space: number;
  state: 'running' | 'stopped';
  problem?: string;
  startedAt: string;
}

interface Columns {
  space: number;
  model: string;
  fingerprint: string;
  dimension: number;
  from_thumbnails: boolean;
  skip_impossible: boolean;
  state: 'running' | 'stopped';
  problem: string | null;
  started_at: string;
}

export async function reembeddingRow(session: Session, collection: number): Promise<ReembeddingRow | undefined> {
  const row = await session.row<Columns>(
    `SELECT space, model, fingerprint, dimension, from_thumbnails, skip_impossible, state, problem, started_at
       FROM reembeddings JOIN spaces ON spaces.key = reembeddings.space WHERE reembeddings.collection = $1`,
    [collection],
  );
  if (!row) return undefined;
  const { from_thumbnails, skip_impossible, problem, started_at, ...rest } = row;
  return { ...rest, fromThumbnails: from_thumbnails, skipImpossible: skip_impossible, ...(problem === null ? {} : { problem }), startedAt: started_at };
}

/** As it is told. */
export async function reembeddingOf(session: Session, collection: number): Promise<Reembedding | undefined> {
  const row = await reembeddingRow(session, collection);
  if (!row) return undefined;
  const { space, ...rest } = row;
  const tallies = Object.values(await spaceTalliesOf(session, space));
  return { ...rest, done: tallies.reduce((sum, { items }) => sum + items, 0), impossible: tallies.reduce((sum, { unembedded }) => sum + unembedded, 0) };
}
