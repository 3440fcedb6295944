/** What is said to Citus, which no registry has: its functions are stood in for by ones that write down what they were asked. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spreadCollection, spreadShared, spreadSpace } from '../src/store/postgres/citus.js';
import { openPostgresStore } from '../src/store/postgres/open.js';
import { testServer, type TestServer } from './port-contracts/postgres.js';

let server: TestServer;
let url: string;
let client: pg.Client;
beforeAll(async () => {
  server = await testServer();
  url = await server.newUrl();
  const store = await openPostgresStore({ url, settings: { connections: server.connections }, log: () => undefined });
  await store.catalog.createCollection({ name: 'photos', model: 'm', fingerprint: 'f', dimension: 8, originals: 'keep' });
  await store.close();
  const { searchParams, href } = new URL(url);
  client = new pg.Client({ connectionString: href.replace(/[?&]schema=[^&]*/, '') });
  await client.connect();
  await client.query(`SET search_path TO "${searchParams.get('schema')}", public;
    CREATE TABLE asked (what text);
    CREATE FUNCTION create_distributed_table(t regclass, c text, colocate_with text) RETURNS void LANGUAGE sql AS $$ INSERT INTO asked VALUES (t::text || ' by ' || c || ' beside ' || colocate_with) $$;
    CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE sql AS $$ INSERT INTO asked VALUES (t::text || ' everywhere') $$`);
});
afterAll(async () => {
  await client.end();
  await server.drop(url);
});

describe('Tables of a collection, where Citus is there,', () => {
  it('are spread by the item, its embeddings and pictures beside it, and what every shard looks up lies on each node', async () => {
    for (const statement of [...spreadShared, ...spreadCollection(1), ...spreadSpace(1, 1)]) await client.query(statement);
    const { rows } = await client.query<{ what: string }>('SELECT what FROM asked');
    expect(rows.map(({ what }) => what)).toEqual([
      'unembedded everywhere',
      'items_1 by key beside none',
      'pictures_1 by item beside items_1',
      'embeddings_1_image by item beside items_1',
      'embeddings_1_text by item beside items_1',
    ]);
  });

  it('have no unique index without the column that they are spread by, and no key of another table', async () => {
    const { rows } = await client.query<{ name: string; columns: string[] }>(
      `SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])
        WHERE indisunique AND relnamespace = current_schema()::regnamespace AND relname ~ '^(items|pictures|embeddings)_' GROUP BY c.relname, i.indexrelid ORDER BY 1`,
    );
    expect(rows).toEqual([
      { name: 'embeddings_1_image', columns: ['item', 'part'] },
      { name: 'embeddings_1_text', columns: ['item', 'part'] },
      { name: 'items_1', columns: ['key'] },
      { name: 'pictures_1', columns: ['item'] },
    ]);
    const keys = await client.query(`SELECT conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid WHERE contype = 'f' AND relnamespace = current_schema()::regnamespace AND relname ~ '^(items|pictures|embeddings)_'`);
    expect(keys.rows).toEqual([]);
  });
});
