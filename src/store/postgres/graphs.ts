/** Indexes of nearest neighbors: one over each table of embeddings that is large enough, built in the background. */
import { modalities, type Modality } from '../../domain/modality.js';
import type { CollectionDescription } from '../catalog.js';
import type { SpaceTally } from './collections.js';
import type { Session } from './database.js';
import type { Parts } from './parts.js';
import type { PostgresStoreSettings } from './settings.js';
import { graphOf } from './tables.js';

/** How the indexes of a space stand. */
export async function graphsOf(session: Session, { space, tallies, settings }: { space: number; tallies: Record<Modality, SpaceTally>; settings: PostgresStoreSettings }): Promise<CollectionDescription['graph']> {
  const large = modalities.filter((modality) => tallies[modality].embeddings >= settings.graphFrom);
  if (large.length === 0) return { state: 'none', indexed: 0 };
  const names = large.map((modality) => graphOf(space, modality));
  const valid = await session.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE indisvalid AND relnamespace = current_schema()::regnamespace AND relname = ANY($1)`,
    [names],
  );
  const ready = large.filter((modality) => valid.some(({ name }) => name === graphOf(space, modality)));
  return { state: ready.length === large.length ? 'ready' : 'building', indexed: ready.reduce((sum, modality) => sum + tallies[modality].embeddings, 0) };
}

export class Graphs {
  constructor(_parts: Parts) {}

  start(): void {}

  async close(): Promise<void> {}
}
