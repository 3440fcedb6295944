import pg from 'pg';
import { MixspaceError } from '../../errors.js';
import { isLost, isOutOfOrder, problemOf } from './problems.js';

/** Rows are objects by their columns' names; integers of 64 bits are numbers, `bytea` is a Buffer. */
export interface Session {
  /** One statement; `values` are `$1`, `$2`, ... */
  rows<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** One statement's first row. */
  row<Row extends object>(sql: string, values?: unknown[]): Promise<Row | undefined>;
  /** One statement; how many rows it wrote. */
  write(sql: string, values?: unknown[]): Promise<number>;
  /** Statements with a semicolon between each two, and no values. */
  execute(sql: string): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that libpq knows, and `schema`. */
  url: string;
  /** Connections at once. */
  most: number;
  /** Milliseconds to wait for one. */
  connectWithinMs: number;
  onProblem: (error: unknown) => void;
}

/** Everything lies in one schema of the database, so that several stores may share it. */
export const defaultSchema = 'mixspace';
const schemaName = /^[a-z_][a-z0-9_]{0,39}$/;
const timesAtMost = 5;
/** Milliseconds that a transaction may stand still before the server ends it: who holds it may have, and others wait for what it holds. No work here waits for anything but the database. */
const mostIdleMs = 60_000;

// Keys, sizes and counts are below 2^53.
const int8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(int8, Number);

/** A pool of connections. What its methods throw is as `problemOf` has it. */
export class Database {
  readonly schema: string;
  readonly #pool: pg.Pool;
  /** Connections that know the schema. */
  readonly #prepared = new WeakSet<object>();
  readonly #preparation: string;

  /** @throws MixspaceError `invalid_request`: the URL cannot be read; the message does not show it. */
  constructor({ url, most, connectWithinMs, onProblem }: DatabaseOptions) {
    const { connectionString, schema } = readUrl(url);
    this.schema = schema;
    // pgvector lies in whatever schema it was installed in, most often `public`. No statement runs long enough for compiling to pay.
    this.#preparation = `SET search_path TO "${schema}", public; SET jit = off; SET idle_in_transaction_session_timeout = ${mostIdleMs}`;
    this.#pool = new pg.Pool({ connectionString, max: most, connectionTimeoutMillis: connectWithinMs, idleTimeoutMillis: 30_000, keepAlive: true, application_name: 'mixspace', types });
    // A connection that breaks while it is idle is replaced by the next call.
    this.#pool.on('error', onProblem);
    // One that breaks between two statements of a transaction tells the next of them; unheard, it would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** Reads of one moment: what others write meanwhile is not seen. Run again when the connection breaks, or by what `again` says. */
  read<T>(work: (session: Session) => Promise<T>, again: (error: unknown) => boolean = () => false): Promise<T> {
    return this.#transaction('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work, (error) => isLost(error) || again(error));
  }

  /** All of it or, when it throws, none of it; on disk when it resolves. `work` may be run several times. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#transaction('BEGIN', work, isOutOfOrder);
  }

  /** Statements that are transactions of their own. */
  async session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      const client = await this.#connect();
      let broken: Error | undefined;
      try {
        return await work(sessionOf(client));
      } catch (error) {
        if (isLost(error)) broken = error as Error;
        throw error;
      } finally {
        client.release(broken);
      }
    } catch (error) {
      throw problemOf(error);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #transaction<T>(begin: string, work: (session: Session) => Promise<T>, mayRepeat: (error: unknown) => boolean): Promise<T> {
    for (let time = 1; ; time++) {
      try {
        return await this.#once(begin, work);
      } catch (error) {
        const isUntouched = error instanceof NotBegun;
        const reason: unknown = isUntouched ? error.cause : error;
        if (time < timesAtMost && (isUntouched ? isLost(reason) && time === 1 : mayRepeat(reason))) continue;
        throw problemOf(reason);
      }
    }
  }

  async #once<T>(begin: string, work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#connect().catch((error: unknown) => {
      throw new NotBegun(error);
    });
    let broken: Error | undefined;
    try {
      // One that broke while it was idle says so here.
      await client.query(begin).catch((error: unknown) => {
        broken = error as Error;
        throw new NotBegun(error);
      });
      const outcome = await work(sessionOf(client));
      await client.query('COMMIT');
      return outcome;
    } catch (error) {
      if (!broken) {
        await client.query('ROLLBACK').catch((failure: unknown) => {
          broken = failure as Error;
        });
      }
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    if (this.#prepared.has(client)) return client;
    try {
      await client.query(this.#preparation);
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
    this.#prepared.add(client);
    return client;
  }
}

/** Nothing has been asked of the database yet. */
class NotBegun extends Error {
  constructor(cause: unknown) {
    super('The transaction has not begun.', { cause });
  }
}

function sessionOf(client: pg.PoolClient): Session {
  const rows = async <Row extends object>(sql: string, values?: unknown[]): Promise<Row[]> => (await client.query<Row>(sql, values)).rows;
  return {
    rows,
    row: async (sql, values) => (await rows<never>(sql, values))[0],
    write: async (sql, values) => (await client.query(sql, values)).rowCount ?? 0,
    execute: async (sql) => void (await client.query(sql)),
  };
}

/** `schema` is ours, and no parameter that PostgreSQL knows. */
function readUrl(url: string): { connectionString: string; schema: string } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new MixspaceError('invalid_request', 'The address of the database cannot be read; it is to look like postgres://user:password@host:5432/database.');
  }
  const schema = parsed.searchParams.get('schema') ?? defaultSchema;
  if (!schemaName.test(schema)) throw new MixspaceError('invalid_request', "The database's schema is at most 40 lower-case letters, digits and underscores, and begins with no digit.");
  parsed.searchParams.delete('schema');
  return { connectionString: parsed.href, schema };
}
