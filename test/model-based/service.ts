/** The service under test, which is killed and started again on the same directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Sqlite } from '../../src/store/embedded/database.js';
import { call, type Answer } from '../api.js';
import { startServer, type RunningServer, type ServerOptions } from '../server.js';
import { Divergence, expectThat } from './divergence.js';

type StoreSettings = NonNullable<ServerOptions['store']>;

export class Service {
  readonly #env: Record<string, string>;
  readonly #store: StoreSettings | undefined;
  readonly #indexDir: string;
  #server: RunningServer | undefined;

  private constructor(env: Record<string, string>, store: StoreSettings | undefined, indexDir: string) {
    this.#env = env;
    this.#store = store;
    this.#indexDir = indexDir;
  }

  static async start(env: Record<string, string>, store: StoreSettings | undefined): Promise<Service> {
    const service = new Service(env, store, await mkdtemp(path.join(tmpdir(), 'mixspace-model-index-')));
    await service.startAgain();
    return service;
  }

  async startAgain(): Promise<void> {
    try {
      this.#server = await startServer({ indexDir: this.#indexDir, env: this.#env, ...(this.#store && { store: this.#store }) });
    } catch (error) {
      throw new Divergence(`The service starts again: ${String(error)}`);
    }
  }

  /** Rejects when the answer does not come. */
  async call(method: string, url: string, body?: unknown): Promise<Answer> {
    const answer = await call(this.#server!.url, method, url, body);
    expectThat(`${method} ${url.slice(0, 200)} is no failure of the service's own`, answer.status !== 500, [answer.status, answer.body]);
    return answer;
  }

  async bytes(url: string): Promise<{ status: number; mediaType: string | null; bytes: Buffer }> {
    const response = await fetch(this.#server!.url + url);
    return { status: response.status, mediaType: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
  }

  kill(): Promise<void> {
    return this.#server!.kill();
  }

  async stop(): Promise<void> {
    const code = await this.#server!.stop();
    expectThat('SIGTERM ends it with 0', code === 0, code);
  }

  logs(): string {
    return this.#server?.logs() ?? '';
  }

  /** Where the cells lie can be found anew. */
  dropCells(): void {
    this.#cells((database) => database.exec('DELETE FROM cells'));
  }

  damageCells(): void {
    this.#cells((database) => database.exec("UPDATE cells SET centroids = CAST(x'0102030405060708' || substr(centroids, 9) AS BLOB)"));
  }

  #cells(change: (database: InstanceType<typeof Sqlite>) => void): void {
    const database = new Sqlite(path.join(this.#indexDir, 'mixspace.db'));
    change(database);
    database.close();
  }

  async remove(): Promise<void> {
    await this.#server?.remove();
    await rm(this.#indexDir, { recursive: true, force: true });
  }
}
