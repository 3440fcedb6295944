/**
 * Where the Citus extension is in the database, a collection's tables are spread over its nodes by the item's key, an
 * item's embeddings and pictures beside it: a search goes to each shard's index, and the coordinator merges. What all
 * collections share stays on the coordinator, but for what every shard's query looks up.
 */
import { modalities } from '../../domain/modality.js';
import type { Session } from './database.js';
import { embeddingsOf, itemsOf, picturesOf } from './tables.js';

const isThere = "SELECT 1 FROM pg_extension WHERE extname = 'citus'";

export async function hasCitus(session: Session): Promise<boolean> {
  return (await session.row(isThere)) !== undefined;
}

/** Ids are unique in a collection since whoever writes has taken it; an index of Citus could promise it only within a shard. */
export const spreadCollection = (collection: number): string[] => [
  `DROP INDEX ${itemsOf(collection)}_id`,
  `CREATE INDEX ${itemsOf(collection)}_id ON ${itemsOf(collection)} (id)`,
  `SELECT create_distributed_table('${itemsOf(collection)}', 'key', colocate_with => 'none')`,
  `SELECT create_distributed_table('${picturesOf(collection)}', 'item', colocate_with => '${itemsOf(collection)}')`,
];

export const spreadSpace = (collection: number, space: number): string[] =>
  modalities.map((modality) => `SELECT create_distributed_table('${embeddingsOf(space, modality)}', 'item', colocate_with => '${itemsOf(collection)}')`);

/** Looked up beside every item. */
export const spreadShared = ["SELECT create_reference_table('unembedded')"];

/** Where Citus is there; inside the caller's transaction, in which the tables were made. */
export async function spread(session: Session, statements: string[]): Promise<void> {
  if (!(await hasCitus(session))) return;
  for (const statement of statements) await session.execute(statement);
}
