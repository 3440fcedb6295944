/** Items of a store over PostgreSQL, written as rows: many at a time, past the catalog. */
import { Database, type Session } from '../../src/store/postgres/database.js';
import { insertParts } from '../../src/store/postgres/embeddings.js';
import { newKeys } from '../../src/store/postgres/items.js';

export interface RowItem {
  id: string;
  embeddings: Float32Array[];
  metadata?: Record<string, unknown>;
  content?: string;
}

/** A connection of its own; to be closed. */
export const openRows = (url: string): Database => new Database({ url, most: 1, connectWithinMs: 10_000, onProblem: () => undefined });

/** Pictures of a collection; parts behind the first have boxes of their number. */
export async function insertPictures(database: Database, name: string, items: RowItem[]): Promise<void> {
  await database.write(async (session) => {
    const { key, space } = (await session.row<{ key: number; space: number }>('UPDATE collections SET seq = seq + 1 WHERE name = $1 RETURNING key, space', [name]))!;
    const keys = await newKeys(session, 'item', items.length);
    await insertItems(session, key, items.map((item, i) => ({ ...item, key: keys[i]! })));
    const parts = items.flatMap(({ embeddings }, i) => embeddings.map((embedding, part) => ({ item: keys[i]!, part, embedding, ...(part > 0 && { box: [part, part, 10, 10] as [number, number, number, number] }) })));
    await insertParts(session, { space, modality: 'image' }, parts);
    await session.write("UPDATE space_tallies SET items = items + $2, embeddings = embeddings + $3 WHERE space = $1 AND modality = 'image'", [space, items.length, parts.length]);
    await session.write("UPDATE tallies SET items = items + $2 WHERE collection = $1 AND modality = 'image'", [key, items.length]);
  });
}

function insertItems(session: Session, collection: number, items: (RowItem & { key: number })[]): Promise<number> {
  return session.write(
    `INSERT INTO items_${collection} (key, id, modality, content_hash, metadata, sources, created_at, updated_at, fields, content, words)
     SELECT key, id, 'image', md5(id), metadata, '[]', now, now, metadata::jsonb || jsonb_build_object('$item', jsonb_build_object('modality', 'image')), content, array_to_tsvector(array_remove(string_to_array(content, ' '), ''))
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS each(key, id, metadata, content), (SELECT '2026-01-01T00:00:00.000Z' AS now) AS time`,
    [items.map(({ key }) => key), items.map(({ id }) => id), items.map(({ metadata = {} }) => JSON.stringify(metadata)), items.map(({ content = ' ' }) => content)],
  );
}
