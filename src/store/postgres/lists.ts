/** A collection's embeddings of one modality, as a search finds them. */
import { byModality, type Modality } from '../../domain/modality.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { embeddingsOf } from './tables.js';

export interface List {
  collection: CollectionRow;
  modality: Modality;
  /** The table of the embeddings. */
  table: string;
  /** That have an embedding there. */
  items: number;
  embeddings: number;
  /** Some item has several. */
  hasParts: boolean;
  /** The index of nearest neighbors that can be used: over the embeddings as they are, or rounded to float16. */
  graph: 'full' | 'half' | null;
}

export async function listsOf(session: Session, collection: CollectionRow): Promise<Record<Modality, List>> {
  const rows = await session.rows<{ modality: Modality; items: number; embeddings: number; graph: List['graph'] }>(
    `SELECT modality, items, embeddings, CASE WHEN indexrelid IS NULL THEN NULL WHEN indexprs IS NULL THEN 'full' ELSE 'half' END AS graph
       FROM space_tallies
       LEFT JOIN pg_class ON relname = ('graph_' || space || '_' || modality)::name AND relnamespace = current_schema()::regnamespace
       LEFT JOIN pg_index ON indexrelid = pg_class.oid AND indisvalid
      WHERE space = $1`,
    [collection.space],
  );
  return byModality((modality) => {
    const { items, embeddings, graph } = rows.find((row) => row.modality === modality) ?? { items: 0, embeddings: 0, graph: null };
    return { collection, modality, table: embeddingsOf(collection.space, modality), items, embeddings, hasParts: embeddings > items, graph };
  });
}

/** A SELECT of the keys of so many of a table's items, from places that `place` spreads over all keys: of `lo` and `hi`, the least and the greatest, and `n`, from 0 on. */
export function drawnItems(table: string, count: number, place: string): string {
  const bounds = `SELECT (SELECT min(item) FROM ${table}) AS lo, (SELECT max(item) FROM ${table}) AS hi`;
  return `SELECT DISTINCT drawn.item
    FROM (SELECT ${place} AS place FROM (${bounds}) AS bounds CROSS JOIN generate_series(0, ${count - 1}) AS n OFFSET 0) AS places
    CROSS JOIN LATERAL (SELECT item FROM ${table} WHERE item >= places.place ORDER BY item LIMIT 1) AS drawn`;
}
