/** Services side by side over one database, which are killed and come again. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type RunningServer } from '../server.js';

export interface Replica {
  number: number;
  /** Of this life of it, as the database knows its connections. */
  name: string;
  server: RunningServer;
  /** A signal that ends or stops it is on its way: what breaks off from now on is no fault. */
  isDoomed: boolean;
}

export interface FleetOptions {
  folder: string;
  /** With the schema. */
  store: string;
  env: Record<string, string>;
  replicas: number;
  fault: (sentence: string) => void;
}

const patienceMs = 120_000;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #living = new Map<number, Replica>();
  readonly #lives = new Map<number, number>();
  /** Starts that ended before the service was ready. */
  failedStarts = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get living(): Replica[] {
    return [...this.#living.values()];
  }

  get numbers(): number[] {
    return Array.from({ length: this.#options.replicas }, (_, i) => i + 1);
  }

  /** Resolves when it is ready; as whatever looks after it would do, again where it ended before. */
  async start(number: number): Promise<Replica> {
    const indexDir = path.join(this.#options.folder, `index-${number}`);
    await mkdir(indexDir, { recursive: true });
    for (const deadline = Date.now() + patienceMs; ; ) {
      const life = (this.#lives.get(number) ?? 0) + 1;
      this.#lives.set(number, life);
      const name = `replica-${number}.${life}`;
      const store = new URL(this.#options.store);
      store.searchParams.set('application_name', name);
      try {
        const server = await startServer({ indexDir, env: { ...this.#options.env, MIXSPACE_STORE: store.href }, patience: patienceMs });
        const replica = { number, name, server, isDoomed: false };
        this.#living.set(number, replica);
        server.process.once('exit', () => this.#ended(replica));
        return replica;
      } catch (error) {
        this.failedStarts++;
        if (Date.now() > deadline) throw error;
        await sleep(500);
      }
    }
  }

  /** Nobody killed it: then that is told once, and it is started again. */
  #ended(replica: Replica): void {
    if (replica.isDoomed) return;
    replica.isDoomed = true;
    this.#living.delete(replica.number);
    this.#options.fault(`${replica.name} ended by itself: ${replica.server.logs().slice(-1_500)}`);
    this.start(replica.number).catch((error: unknown) => this.#options.fault(`${replica.name} did not start again: ${String(error)}`));
  }

  async kill(replica: Replica): Promise<void> {
    replica.isDoomed = true;
    this.#living.delete(replica.number);
    await replica.server.kill();
  }

  async end(): Promise<void> {
    for (const replica of this.living) {
      replica.isDoomed = true;
      await replica.server.stop();
    }
  }
}
