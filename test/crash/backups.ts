/** Backups that are taken while the service is written to and killed, and restored elsewhere. */
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import { count, type Counts } from './counts.js';
import type { Ledger } from './ledger.js';
import type { Random } from './random.js';

/** A whole one, and what each of its collections owes. */
export interface Backup {
  file: string;
  ledgers: Ledger[];
}

export class Backups {
  readonly #folder: string;
  readonly #ledgers: Ledger[];
  /** One has been asked for and has not come to its end. */
  isRunning = false;
  latest: Backup | undefined;

  constructor(folder: string, ledgers: Ledger[]) {
    this.#folder = folder;
    this.#ledgers = ledgers;
  }

  /** One after the other until `isStopped`. */
  async run(plan: { url: string; random: Random; counts: Counts; fault: (sentence: string) => void; isStopped: () => boolean }): Promise<void> {
    const { random, counts, isStopped } = plan;
    const client = new MixspaceClient({ url: plan.url, retries: 0 });
    this.isRunning = false;
    while (!isStopped()) {
      await sleep(random.between(0, 400));
      if (isStopped()) return;
      this.isRunning = true;
      try {
        this.latest = await this.#take(client);
        this.isRunning = false;
        count(counts, 'backups taken');
      } catch (error) {
        if (isStopped()) return;
        this.isRunning = false;
        if (!(error instanceof MixspaceApiError)) throw error;
        plan.fault(`A backup was answered ${error.status}: ${error.message}`);
      }
    }
  }

  async #take(client: MixspaceClient): Promise<Backup> {
    const partial = path.join(this.#folder, 'backup.part');
    const copies = this.#ledgers.map((ledger) => ledger.beginCopy());
    const end = (): void => copies.forEach((copy) => copy.end());
    const handle = await open(partial, 'w');
    try {
      for await (const chunk of await client.backup()) {
        // Its moment is over before its first bytes come.
        end();
        await handle.appendFile(chunk);
      }
    } finally {
      end();
      await handle.close();
    }
    const file = path.join(this.#folder, 'backup.tar');
    await rename(partial, file);
    return { file, ledgers: copies.map(({ copy }) => copy) };
  }
}
