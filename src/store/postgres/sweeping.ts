/** What is left in spaces that their collections have gone from: an embedding goes once its item has one of a later space. */
import { modalities } from '../../domain/modality.js';
import { dropSpace, holdCollection } from './collections.js';
import type { Database, Session } from './database.js';
import type { Parts } from './parts.js';
import { Rounds } from './rounds.js';
import { embeddingsOf } from './tables.js';
import { Tallies } from './tallies.js';

/** Rows that one transaction throws away. */
const batchRows = 5_000;

interface Left {
  space: number;
  collection: number;
  name: string;
}

/** Throws it away, in the background. */
export class Sweeping {
  readonly #database: Database;
  readonly #rounds: Rounds;

  constructor(parts: Parts) {
    this.#database = parts.database;
    this.#rounds = new Rounds(parts, 'What is left in spaces that collections have gone from could not be thrown away; it is tried again.', () => this.#look());
  }

  start(): void {
    this.#rounds.start();
  }

  close(): Promise<void> {
    return this.#rounds.stop();
  }

  async #look(): Promise<void> {
    while (!this.#rounds.isOver && (await sweepSome(this.#database)));
  }
}

/** Whether there may be more. */
async function sweepSome(database: Database): Promise<boolean> {
  return database.write(async (session) => {
    const left = await session.row<Left>(
      `SELECT spaces.key AS space, collection, name FROM spaces JOIN collections ON collections.key = collection
         WHERE NOT swept AND since IS NOT NULL AND collections.space <> spaces.key ORDER BY spaces.key LIMIT 1`,
    );
    if (!left) return false;
    const { key } = await holdCollection(session, left.name);
    // It may have gone back there, or away, since.
    if (key !== left.collection || !(await isLeft(session, left.space))) return true;
    if ((await removeSome(session, left)) === batchRows) return true;
    const { kept } = (await session.row<{ kept: number }>('SELECT sum(embeddings) AS kept FROM space_tallies WHERE space = $1', [left.space]))!;
    if (Number(kept) === 0) await dropSpace(session, left.space);
    else await session.write('UPDATE spaces SET swept = true WHERE key = $1', [left.space]);
    return true;
  });
}

async function isLeft(session: Session, space: number): Promise<boolean> {
  return (await session.row('SELECT 1 FROM spaces JOIN collections ON collections.key = collection WHERE spaces.key = $1 AND since IS NOT NULL AND collections.space <> spaces.key', [space])) !== undefined;
}

/** How many rows went. */
async function removeSome(session: Session, { space, collection }: Left): Promise<number> {
  const tallies = new Tallies();
  const later = await session.rows<{ key: number }>('SELECT key FROM spaces WHERE collection = $1 AND since > (SELECT since FROM spaces WHERE key = $2)', [collection, space]);
  let removed = 0;
  for (const modality of modalities) {
    const table = embeddingsOf(space, modality);
    const replaced = later.map(({ key }) => `EXISTS (SELECT FROM ${embeddingsOf(key, modality)} AS newer WHERE newer.item = ${table}.item)`).join(' OR ');
    if (replaced === '' || removed === batchRows) continue;
    const gone = await session.rows<{ part: number }>(`DELETE FROM ${table} WHERE (item, part) IN (SELECT item, part FROM ${table} WHERE ${replaced} LIMIT ${batchRows - removed}) RETURNING part`);
    removed += gone.length;
    tallies.addEmbeddings(space, modality, { items: -gone.filter(({ part }) => part === 0).length, embeddings: -gone.length });
  }
  if (removed < batchRows) {
    const apart = await session.rows<{ modality: (typeof modalities)[number] }>('DELETE FROM unembedded WHERE space = $1 RETURNING modality', [space]);
    for (const { modality } of apart) tallies.addEmbeddings(space, modality, { unembedded: -1 });
  }
  await tallies.write(session);
  return removed;
}
