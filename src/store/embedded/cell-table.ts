import type { Modality } from '../../domain/modality.js';
import { checksumOf } from './checksums.js';
import type { Commits } from './commits.js';
import type { Database } from './database.js';
import type { CellDirections } from './vectors/centroids.js';
import type { Shares } from './recall.js';

interface Stored {
  count: number;
  centroids: Buffer;
  groups: Buffer;
  first_of: Buffer;
  checksum: number;
  shares: string;
  shares_checksum: number;
}

export interface SavedCells {
  directions: CellDirections;
  shares: Shares;
}

/** Where cells lie, as rows; `space` is a key. */
export class CellTable {
  readonly #commits;
  readonly #get;
  readonly #has;
  readonly #put;
  readonly #putShares;

  constructor(database: Database, commits: Pick<Commits, 'run'>) {
    this.#commits = commits;
    this.#get = database.prepare<[number, Modality], Stored>('SELECT count, centroids, groups, first_of, checksum, shares, shares_checksum FROM cells WHERE space = ? AND modality = ?');
    this.#has = database.prepare<[number, Modality], 0 | 1>('SELECT EXISTS (SELECT 1 FROM cells WHERE space = ? AND modality = ?)').pluck();
    this.#put = database.prepare<[number, Modality, number, Buffer, Buffer, Buffer, number, string, number]>(
      'INSERT OR REPLACE INTO cells (space, modality, count, centroids, groups, first_of, checksum, shares, shares_checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#putShares = database.prepare<[string, number, number, Modality]>('UPDATE cells SET shares = ?, shares_checksum = ? WHERE space = ? AND modality = ?');
  }

  /** `undefined` where there are none, or none that can be trusted. */
  get(space: number, modality: Modality, dimension: number): SavedCells | undefined {
    const stored = this.#get.get(space, modality);
    if (!stored || checksum(stored) !== stored.checksum || checksumOf(stored.shares) !== stored.shares_checksum) return undefined;
    const [centroids, groups] = [floats(stored.centroids), floats(stored.groups)];
    // Versions before 0.9.0 sought some where there is nothing.
    if (![centroids, groups].every((each) => each.every(Number.isFinite))) return undefined;
    const firstOf = new Uint32Array(Uint8Array.from(stored.first_of).buffer);
    return { directions: { dimension, count: stored.count, centroids, groups, firstOf }, shares: JSON.parse(stored.shares) as Shares };
  }

  /** Whether there are any, trusted or not. */
  has(space: number, modality: Modality): boolean {
    return this.#has.get(space, modality) === 1;
  }

  put(space: number, modality: Modality, { directions, shares }: SavedCells): void {
    const { count, centroids, groups, firstOf } = directions;
    const row = { count, centroids: bytes(centroids), groups: bytes(groups), first_of: bytes(firstOf) };
    const told = JSON.stringify(shares);
    this.#commits.run(() => this.#put.run(space, modality, count, row.centroids, row.groups, row.first_of, checksum(row), told, checksumOf(told)));
  }

  putShares(space: number, modality: Modality, shares: Shares): void {
    const told = JSON.stringify(shares);
    this.#commits.run(() => this.#putShares.run(told, checksumOf(told), space, modality));
  }
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);
const floats = (stored: Buffer): Float32Array => new Float32Array(Uint8Array.from(stored).buffer);
const checksum = ({ count, centroids, groups, first_of }: Pick<Stored, 'count' | 'centroids' | 'groups' | 'first_of'>): number => checksumOf(Buffer.concat([centroids, groups, first_of, Buffer.from(String(count))]));
