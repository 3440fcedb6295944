/**
 * `MIXSPACE_TEST_STORE=postgres MIXSPACE_TEST_POSTGRES=postgres://... npx vitest run test/...`: the services that tests
 * start keep their collections in that server, each index directory in a schema of its own.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

const server = process.env['MIXSPACE_TEST_POSTGRES'];

export const isOverPostgres = process.env['MIXSPACE_TEST_STORE'] === 'postgres';
if (isOverPostgres && server === undefined) throw new Error('MIXSPACE_TEST_STORE=postgres needs the URL of a server in MIXSPACE_TEST_POSTGRES.');

const schemaOf = (indexDir: string): string => `d_${createHash('sha256').update(indexDir).digest('hex').slice(0, 20)}`;

/** What a service is told; nothing where it keeps its collections in its index directory. */
export function storeOf(indexDir: string): Record<string, string> {
  if (!isOverPostgres) return {};
  const url = new URL(server!);
  url.searchParams.set('schema', schemaOf(indexDir));
  return { MIXSPACE_STORE: url.href, MIXSPACE_STORE_CONNECTIONS: '4' };
}

/** Nothing of the index directory is needed any more. */
export async function dropStoreOf(indexDir: string): Promise<void> {
  if (!isOverPostgres) return;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS "${schemaOf(indexDir)}" CASCADE`);
  await client.end();
}
