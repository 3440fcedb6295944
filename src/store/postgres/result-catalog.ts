import { MixspaceError } from '../../errors.js';
import type { Result, ResultCatalog, ResultEntry, ResultKey } from '../result-catalog.js';
import type { Session } from './database.js';
import type { Parts } from './parts.js';
import { toStored } from './stored-text.js';

export function resultCatalogOf({ database }: Parts): ResultCatalog {
  return {
    putResultEntries: (name, result, list, entries) =>
      database.write(async (session) => {
        const key = await takeResult(session, await heldCollection(session, name), result);
        if (entries.length > 0) await putEntries(session, { key, list }, entries);
      }),
    listResultEntries: (name, job, list, { limit, after = -1 }) =>
      database.session(async (session) => {
        const collection = await collectionKey(session, name);
        const rows = await session.rows<{ number: number; body: string }>(
          `SELECT number, body FROM result_entries JOIN results ON results.key = result
            WHERE collection = $1 AND job = $2 AND list = $3 AND number > $4 ORDER BY number LIMIT $5`,
          [collection, toStored(job), list, after, limit + 1],
        );
        return { entries: rows.slice(0, limit).map(({ number, body }) => ({ number, body: JSON.parse(body) as unknown })), more: rows.length > limit };
      }),
    publishResult: (name, { kind, job, summary }, drop = []) =>
      database.write(async (session) => {
        const collection = await heldCollection(session, name);
        const key = await takeResult(session, collection, { kind, job });
        if (drop.length > 0) await session.write('DELETE FROM result_entries WHERE result = $1 AND list = ANY($2)', [key, drop]);
        await session.write('UPDATE results SET summary = $1 WHERE key = $2', [JSON.stringify(summary), key]);
        await session.write('DELETE FROM results WHERE collection = $1 AND kind = $2 AND key <> $3', [collection, kind, key]);
      }),
    getResult: (name, kind) =>
      database.session(async (session) => {
        const collection = await collectionKey(session, name);
        const row = await session.row<Row>('SELECT kind, job, summary FROM results WHERE collection = $1 AND kind = $2 AND summary IS NOT NULL ORDER BY key DESC LIMIT 1', [collection, kind]);
        return row && resultOf(row);
      }),
    listResults: (name) =>
      database.session(async (session) => {
        const collection = await collectionKey(session, name);
        const rows = await session.rows<Row>('SELECT kind, job, summary FROM results WHERE collection = $1 AND summary IS NOT NULL ORDER BY key', [collection]);
        return [...new Map(rows.map((row) => [row.kind, { ...resultOf(row), kind: row.kind }])).values()];
      }),
    discardResult: (name, job) =>
      database.write(async (session) => {
        await session.write('DELETE FROM results WHERE collection = $1 AND job = $2', [await heldCollection(session, name), toStored(job)]);
      }),
  };
}

interface Row {
  kind: string;
  job: string;
  summary: string;
}

const resultOf = ({ job, summary }: Row): Result => ({ job, summary: JSON.parse(summary) as unknown });

const missing = (name: string): MixspaceError => new MixspaceError('not_found', `There is no collection "${name}".`);

async function collectionKey(session: Session, name: string): Promise<number> {
  const row = await session.row<{ key: number }>('SELECT key FROM collections WHERE name = $1', [name]);
  if (!row) throw missing(name);
  return row.key;
}

/** It stays until the transaction ends; whoever writes its items is not held up. */
async function heldCollection(session: Session, name: string): Promise<number> {
  const row = await session.row<{ key: number }>('SELECT key FROM collections WHERE name = $1 FOR KEY SHARE', [name]);
  if (!row) throw missing(name);
  return row.key;
}

/** Its key, made anew where there is none; others who write of it wait until the transaction ends. */
async function takeResult(session: Session, collection: number, { kind, job }: ResultKey): Promise<number> {
  const row = await session.row<{ key: number }>(
    'INSERT INTO results (collection, kind, job) VALUES ($1, $2, $3) ON CONFLICT (job) DO UPDATE SET job = excluded.job WHERE results.collection = excluded.collection RETURNING key',
    [collection, kind, job],
  );
  if (!row) throw new Error(`What job "${job}" found is of another collection.`);
  return row.key;
}

async function putEntries(session: Session, { key, list }: { key: number; list: string }, entries: ResultEntry[]): Promise<void> {
  const bodies = new Map(entries.map(({ number, body }) => [number, JSON.stringify(body)]));
  await session.write(
    `INSERT INTO result_entries (result, list, number, body) SELECT $1, $2, * FROM unnest($3::bigint[], $4::text[])
       ON CONFLICT (result, list, number) DO UPDATE SET body = excluded.body`,
    [key, list, [...bodies.keys()], [...bodies.values()]],
  );
}
