import { rmSync } from 'node:fs';
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, syncDirectory, writeDurably } from './files.js';
import { nextTurn } from './turn.js';

const writersAtOnce = 8;

/**
 * The pictures kept as they came: one file for each content, `ab/abcd...`, shared by all items that name it.
 *
 * A file is on disk before the transaction that names it, and goes after the one that takes the last name away.
 * What a write is about to name is held until it has; `isNamed` asks the database.
 */
export class Originals {
  readonly #directory: string;
  readonly #isNamed: (contentHash: string) => boolean;
  readonly #held = new Map<string, number>();
  /** Files being written; who needs one of them waits for it instead of writing it too. */
  readonly #saving = new Map<string, Promise<void>>();
  /** Directories that are on disk, or will be. */
  readonly #shards = new Map<string, Promise<void>>();

  constructor(directory: string, isNamed: (contentHash: string) => boolean) {
    this.#directory = directory;
    this.#isNamed = isNamed;
  }

  /** Saves and holds the files while `work` runs; those that it leaves without a name are removed. */
  async during<T>(originals: Map<string, Uint8Array>, work: () => T): Promise<T> {
    const hashes = [...originals.keys()];
    for (const hash of hashes) this.#held.set(hash, (this.#held.get(hash) ?? 0) + 1);
    try {
      const waiting = originals.entries();
      const saver = async (): Promise<void> => {
        for (const [hash, bytes] of waiting) await this.#save(hash, bytes);
      };
      const outcomes = await Promise.allSettled(Array.from({ length: Math.min(writersAtOnce, originals.size) }, saver));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      return work();
    } finally {
      for (const hash of hashes) {
        const holders = this.#held.get(hash)! - 1;
        if (holders > 0) this.#held.set(hash, holders);
        else this.#held.delete(hash);
      }
      await this.release(hashes);
    }
  }

  async read(contentHash: string): Promise<Buffer> {
    return readFile(this.path(contentHash));
  }

  path(contentHash: string): string {
    return join(this.#directory, contentHash.slice(0, 2), contentHash);
  }

  /** Removes those of the files that nothing names or holds; asking and removing happen in one turn, so nobody can name one in between. */
  async release(hashes: Iterable<string>): Promise<void> {
    let removed = 0;
    for (const hash of hashes) {
      if (this.#held.has(hash) || this.#isNamed(hash)) continue;
      try {
        rmSync(this.path(hash), { force: true });
      } catch {
        // The transaction stands; the next start's sweep tries again.
      }
      if (++removed % 64 === 0) await nextTurn();
    }
  }

  /** Removes what a crash left behind: unfinished files, and those that no item names. */
  async sweep(): Promise<void> {
    for (const shard of await listDirectory(this.#directory)) {
      const names = await listDirectory(join(this.#directory, shard));
      for (const name of names) {
        const hash = name.replace(/\.tmp$/, '');
        if (name !== hash && !this.#held.has(hash)) rmSync(join(this.#directory, shard, name), { force: true });
      }
      await this.release(names.filter((name) => !name.endsWith('.tmp')));
      await nextTurn();
    }
  }

  #save(hash: string, bytes: Uint8Array): Promise<void> {
    let saving = this.#saving.get(hash);
    if (!saving) {
      saving = this.#write(hash, bytes).finally(() => this.#saving.delete(hash));
      this.#saving.set(hash, saving);
    }
    return saving;
  }

  async #write(hash: string, bytes: Uint8Array): Promise<void> {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError(`A content hash is 64 hex digits, not "${hash}".`);
    const path = this.path(hash);
    if ((await sizeOf(path)) === bytes.byteLength) return;
    await this.#makeShard(hash.slice(0, 2));
    await writeDurably(path, bytes);
  }

  #makeShard(shard: string): Promise<void> {
    let making = this.#shards.get(shard);
    if (!making) {
      making = (async () => {
        await mkdir(join(this.#directory, shard), { recursive: true });
        await syncDirectory(this.#directory);
        await syncDirectory(dirname(this.#directory));
      })();
      this.#shards.set(shard, making);
      making.catch(() => this.#shards.delete(shard));
    }
    return making;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function listDirectory(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
