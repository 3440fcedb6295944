/**
 * The engine over PostgreSQL: in this process, as WebAssembly (PGlite), with one connection; or the server whose URL
 * is in MIXSPACE_TEST_POSTGRES, where each store gets a schema of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';
import type { Store } from '../../src/store/store.js';
import { openPostgresStore, type PostgresStoreSettings } from '../../src/store/postgres/open.js';
import type { Engine, Life } from './engine.js';

/** A server to connect to; one at a time has all of it where there is a single connection. */
export interface TestServer {
  name: string;
  connections: number;
  /** Of an empty store. */
  newUrl(): Promise<string>;
  /** What was made for the URL goes. */
  drop(url: string): Promise<void>;
}

const given = process.env.MIXSPACE_TEST_POSTGRES;

let opened: Promise<TestServer> | undefined;
/** The same for all tests of a process. */
export const testServer = (): Promise<TestServer> => (opened ??= given === undefined ? openPglite() : Promise.resolve(serverAt(given)));
export const serverName = given === undefined ? 'PGlite' : 'the server of MIXSPACE_TEST_POSTGRES';

let schemas = 0;
const newSchema = (): string => `t${process.pid}_${Date.now().toString(36)}_${schemas++}`;

async function openPglite(): Promise<TestServer> {
  const db = await PGlite.create({ extensions: { vector } });
  const port = await freePort();
  // One after the other: a connection that is closing still counts.
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 100 });
  await server.start();
  return { ...serverAt(`postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`), name: 'PGlite', connections: 1 };
}

function serverAt(base: string): TestServer {
  return {
    name: base,
    connections: 10,
    newUrl: async () => {
      const url = new URL(base);
      url.searchParams.set('schema', newSchema());
      return url.href;
    },
    drop: async (url) => {
      const schema = new URL(url).searchParams.get('schema')!;
      const client = new pg.Client({ connectionString: base });
      await client.connect();
      await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await client.end();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function postgres(name: string, settings: Partial<PostgresStoreSettings> = {}): Engine {
  return {
    name: `${name}, by ${serverName}`,
    begin: async () => {
      const server = await testServer();
      const url = await server.newUrl();
      const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-contract-files-'));
      const open = (): Promise<Store> => openPostgresStore({ url, settings: { connections: server.connections, ...settings }, log: () => undefined });
      const life: Life = {
        store: await open(),
        folder,
        again: async () => {
          await life.store.close();
          return (life.store = await open());
        },
        end: async () => {
          await life.store.close();
          await server.drop(url);
          await rm(folder, { recursive: true, force: true });
        },
      };
      return life;
    },
  };
}
