import { randomBytes } from 'node:crypto';
import { MixspaceError } from '../../errors.js';
import type { Migrations } from '../migrations.js';
import { spread, spreadShared } from './citus.js';
import type { Database, Session } from './database.js';

/** The number that replicas take turns by while one of them brings the schema up to date: "mixspace" in ASCII. */
const turn = '7883959150863377253';
const leastVector = [0, 8, 0] as const;

/**
 * Makes the schema, and runs what it has not seen, each in one transaction; one replica at a time.
 *
 * Errors: `conflict`: the schema is of a newer mixspace; `not_ready`: pgvector is not there or too old, or the database
 * does not hold Unicode.
 */
export async function migrate(database: Database, migrations: Migrations): Promise<void> {
  await database.session(async (session) => {
    await session.row(`SELECT pg_advisory_lock(${turn})`);
    try {
      await checkServer(session);
      await session.execute(`CREATE SCHEMA IF NOT EXISTS "${database.schema}"`);
      const version = await versionOf(session, database.schema);
      if (version > migrations.length) {
        throw new MixspaceError('conflict', `The database's schema "${database.schema}" is of a newer mixspace: it has ${version} migrations, this one knows ${migrations.length}.`);
      }
      for (const [i, { sql }] of migrations.entries()) if (i >= version) await run(session, sql, i + 1);
    } finally {
      await session.row(`SELECT pg_advisory_unlock(${turn})`).catch(() => undefined);
    }
  });
}

async function run(session: Session, sql: string, version: number): Promise<void> {
  await session.execute('BEGIN');
  try {
    await session.execute(sql);
    if (version === 1) {
      await session.write('INSERT INTO store VALUES (1, 1, $1)', [randomBytes(32)]);
      await spread(session, spreadShared);
    } else await session.write('UPDATE store SET version = $1', [version]);
    await session.execute('COMMIT');
  } catch (error) {
    await session.execute('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function versionOf(session: Session, schema: string): Promise<number> {
  const there = await session.row<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [`"${schema}".store`]);
  return there?.is ? (await session.row<{ version: number }>('SELECT version FROM store'))!.version : 0;
}

async function checkServer(session: Session): Promise<void> {
  const { encoding } = (await session.row<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding"))!;
  if (encoding !== 'UTF8') throw new MixspaceError('not_ready', `The database's encoding is ${encoding}; it must be UTF8.`);
  const read = (): Promise<{ version: string } | undefined> => session.row<{ version: string }>("SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'");
  if (!(await read())) {
    await session.execute('CREATE EXTENSION IF NOT EXISTS vector').catch((error: unknown) => {
      throw new MixspaceError('not_ready', "The database lacks pgvector: let its administrator run CREATE EXTENSION vector in it.", { cause: error });
    });
  }
  const { version } = (await read())!;
  const parts = version.split('.').map(Number);
  const order = leastVector.map((least, i) => (parts[i] ?? 0) - least).find((difference) => difference !== 0) ?? 0;
  if (order < 0) throw new MixspaceError('not_ready', `The database's pgvector is ${version}; at least ${leastVector.join('.')} is needed: ALTER EXTENSION vector UPDATE.`);
}
