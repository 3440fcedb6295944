import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MixspaceError, reviveError } from '../../errors.js';
import type { ItemWrite, Store } from '../store.js';
import { storeMethods, type Call, type Report, type StoreArguments, type StoreMethod, type StoreResult, type WorkerOptions } from './protocol.js';
import { defaultSettings, type EmbeddedStoreSettings, type Log } from './settings.js';

export { defaultSettings, type EmbeddedStoreSettings, type Log, type LogLevel } from './settings.js';

export interface EmbeddedStoreOptions {
  /** Made when it is missing. Holds `mixspace.db`, `originals/` and `snapshots/`. */
  directory: string;
  /** Left out: the package's own. */
  migrationsDirectory?: string;
  settings?: Partial<EmbeddedStoreSettings>;
  log: Log;
}

/** Beyond what closing may spend on graphs: the database's last checkpoint. */
const closeGraceMs = 2_000;
const packageMigrations = new URL('../../../migrations', import.meta.url);

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Opens the store in a thread of its own; the directory is this process's alone until `close`.
 *
 * Errors: `conflict` when another process holds the directory or its database is newer than this code;
 * `not_ready` when the database is damaged.
 */
export async function openEmbeddedStore({ directory, migrationsDirectory, settings, log }: EmbeddedStoreOptions): Promise<Store> {
  const workerData: WorkerOptions = {
    directory,
    migrationsDirectory: migrationsDirectory ?? fileURLToPath(packageMigrations),
    settings: { ...defaultSettings, ...settings },
  };
  const connection = new Connection(new Worker(new URL('./worker.js', import.meta.url), { workerData }), log);
  await connection.opened;
  const store = Object.fromEntries(
    storeMethods.map((method) => [method, (...parameters: StoreArguments[typeof method]) => connection.call(method, parameters)]),
  ) as unknown as Store;
  return {
    ...store,
    write: (collection, writes, fingerprint) => connection.call('write', [collection, writes.map(writeWithOwnMemory), fingerprint]),
    putReembedded: (collection, fingerprint, items) =>
      connection.call('putReembedded', [collection, fingerprint, items.map((item) => ('embedding' in item ? { ...item, embedding: withOwnMemory(item.embedding) } : item))]),
    search: (collection, request) => connection.call('search', [collection, { ...request, embedding: withOwnMemory(request.embedding) }]),
    close: () => connection.close(workerData.settings.closeWithinMs + closeGraceMs),
  };
}

class Connection {
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #calls = 0;
  #serving = false;
  #gone: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(worker: Worker, log: Log) {
    this.#worker = worker;
    this.opened = new Promise((resolve, reject) => {
      worker.on('message', (report: Report) => {
        if (report.kind === 'log') log(report.level, report.message, report.fields);
        else if (report.kind === 'answer') this.#settle(report);
        else if (report.error) reject(reviveError(report.error));
        else {
          this.#serving = true;
          resolve();
        }
      });
      worker.once('exit', () => reject(new MixspaceError('not_ready', 'The store could not be started.')));
    });
    worker.on('error', (error) => log('error', "The store's thread failed.", { cause: error.stack ?? error.message }));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        if (this.#serving && !this.#closed) log('error', "The store's thread has ended; the service must be started again.", { code });
        this.#rejectAll(this.#closed ? 'The store is closed.' : 'The store is out of order; the service must be started again.');
        resolve();
      });
    });
  }

  call<M extends StoreMethod>(method: M, parameters: StoreArguments[M]): Promise<StoreResult<M>> {
    if (this.#gone !== undefined) return Promise.reject(new MixspaceError('not_ready', this.#gone));
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve: resolve as Pending['resolve'], reject });
      const message: Call = { call, method, parameters };
      this.#worker.postMessage(message);
    });
  }

  /** Waits for the thread at most so many milliseconds, then ends it. */
  close(withinMs: number): Promise<void> {
    this.#closed ??= (async () => {
      const closing = this.call('close', []).catch(() => undefined);
      this.#gone ??= 'The store is closed.';
      const timer = setTimeout(() => void this.#worker.terminate(), withinMs);
      await closing;
      await this.#exited;
      clearTimeout(timer);
    })();
    return this.#closed;
  }

  #settle({ call, result, error }: Extract<Report, { kind: 'answer' }>): void {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (error) pending?.reject(reviveError(error));
    else pending?.resolve(result);
  }

  #rejectAll(reason: string): void {
    this.#gone = reason;
    for (const { reject } of this.#pending.values()) reject(new MixspaceError('not_ready', reason));
    this.#pending.clear();
  }
}

/** Cloning a view takes along all of the memory behind it, such as Node's pool or a whole batch; a view of its own memory costs what it shows. */
function withOwnMemory<T extends Uint8Array | Float32Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (Reflect.construct(view instanceof Float32Array ? Float32Array : Uint8Array, [view]) as T);
}

function writeWithOwnMemory(write: ItemWrite): ItemWrite {
  if (!write.content) return write;
  const { embedding, thumbnail, original, ...rest } = write.content;
  const content = {
    ...rest,
    embedding: withOwnMemory(embedding),
    ...(thumbnail ? { thumbnail: withOwnMemory(thumbnail) } : {}),
    ...(original ? { original: withOwnMemory(original) } : {}),
  };
  return { ...write, content };
}
