import { lstatSync, renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MixspaceError } from '../../errors.js';
import { isMissing, isVerified, readVerified, syncDirectory, unreadableReason, writeDurably } from '../../files.js';

const writersAtOnce = 8;
const contentHash = /^[0-9a-f]{64}$/;
const shardName = /^[0-9a-f]{2}$/;
/** Where files go that no item names and a crash alone does not explain. */
export const unclaimed = 'unclaimed';
/** A crash leaves at most what its transactions were about to name, or had just let go; what is more than both of these is set aside. */
const fewFiles = 8;
const fewShare = 1 / 10;

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
  /** What would have been removed while everything is kept; undefined while it is not. */
  #leaving: Set<string> | undefined;
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

  /** Takes over the files of another such directory, each on disk already, that are named here. */
  async adopt(directory: string): Promise<void> {
    for (const shard of await listDirectory(directory)) {
      if (!shardName.test(shard)) continue;
      await this.#makeShard(shard);
      for (const hash of await listDirectory(join(directory, shard))) {
        if (contentHash.test(hash) && this.#isNamed(hash)) await rename(join(directory, shard, hash), this.path(hash));
      }
      await syncDirectory(join(this.#directory, shard));
    }
  }

  /** The file's bytes where they are what its name says, else the reason why not. */
  async read(hash: string): Promise<{ bytes: Buffer } | { problem: string }> {
    try {
      const bytes = await readVerified(this.path(hash), hash);
      return bytes ? { bytes } : { problem: 'it is damaged' };
    } catch (error) {
      const problem = unreadableReason(error);
      if (problem === undefined) throw error;
      return { problem };
    }
  }

  isWhole(hash: string): Promise<boolean> {
    return isVerified(this.path(hash), hash);
  }

  /** Bytes of the file; `undefined` where there is none, or something else in its place. */
  size(hash: string): number | undefined {
    const stat = lstatSync(this.path(hash), { throwIfNoEntry: false });
    return stat?.isFile() ? stat.size : undefined;
  }

  path(hash: string): string {
    if (!contentHash.test(hash)) throw new TypeError(`A content hash is 64 hex digits, not "${hash}".`);
    return join(this.#directory, hash.slice(0, 2), hash);
  }

  /** From now on no file is removed. */
  keep(): void {
    this.#leaving = new Set();
  }

  /** Removes what was to be removed meanwhile. */
  async stopKeeping(): Promise<void> {
    const leaving = this.#leaving ?? [];
    this.#leaving = undefined;
    await this.release(leaving);
  }

  /** Removes those of the files that nothing names or holds; asking and removing happen in one turn, so nobody can name one in between. */
  async release(hashes: Iterable<string>): Promise<void> {
    let removed = 0;
    for (const hash of hashes) {
      if (!contentHash.test(hash) || this.#held.has(hash) || this.#isNamed(hash)) continue;
      if (this.#leaving) {
        this.#leaving.add(hash);
        continue;
      }
      try {
        rmSync(this.path(hash), { force: true });
      } catch {
        // The transaction stands; the next start's sweep tries again.
      }
      if (++removed % 64 === 0) await nextTurn();
    }
  }

  /**
   * Puts in order what a crash left behind: unfinished files, and those that no item names. They are removed when they
   * are few and the database is `trusted` to know all; else they are set aside, and how many is returned. What was set
   * aside and has a name again, as when a backup is restored, comes back.
   */
  async sweep(trusted: boolean): Promise<number> {
    await this.#takeBack();
    let files = 0;
    const nameless: string[] = [];
    for (const shard of await listDirectory(this.#directory)) {
      if (!shardName.test(shard)) continue;
      for (const name of await listDirectory(join(this.#directory, shard))) {
        const hash = name.replace(/\.tmp$/, '');
        if (!contentHash.test(hash)) continue;
        if (name !== hash) {
          if (!this.#held.has(hash)) rmSync(join(this.#directory, shard, name), { force: true });
          continue;
        }
        files++;
        if (!this.#held.has(hash) && !this.#isNamed(hash)) nameless.push(hash);
      }
      await nextTurn();
    }
    if (trusted && nameless.length <= Math.max(fewFiles, files * fewShare)) {
      await this.release(nameless);
      return 0;
    }
    return this.#setAside(nameless);
  }

  async #takeBack(): Promise<void> {
    const directory = join(this.#directory, unclaimed);
    for (const hash of await listDirectory(directory)) {
      if (!contentHash.test(hash) || !this.#isNamed(hash)) continue;
      await this.#makeShard(hash.slice(0, 2));
      if (this.size(hash) === undefined) renameSync(join(directory, hash), this.path(hash));
    }
  }

  async #setAside(hashes: string[]): Promise<number> {
    if (hashes.length === 0) return 0;
    const directory = join(this.#directory, unclaimed);
    await mkdir(directory, { recursive: true });
    let moved = 0;
    for (const hash of hashes) {
      if (this.#held.has(hash) || this.#isNamed(hash)) continue;
      renameSync(this.path(hash), join(directory, hash));
      if (++moved % 64 === 0) await nextTurn();
    }
    return moved;
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
    const path = this.path(hash);
    const size = this.size(hash);
    if (size === bytes.byteLength && (await this.isWhole(hash))) return;
    try {
      await this.#makeShard(hash.slice(0, 2));
      // A file, or a link, gives way to the new one; a folder does not.
      if (size === undefined) await rm(path, { force: true, recursive: true });
      await writeDurably(path, bytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS' && code !== 'ENOTDIR') throw error;
      throw new MixspaceError('not_ready', `Pictures cannot be written to ${dirname(path)} (${code}).`, { cause: error });
    }
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

async function listDirectory(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
