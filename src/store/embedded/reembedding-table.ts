import type { ReembeddingTarget } from '../reembedding-catalog.js';
import type { Database } from './database.js';

/** A collection's way into another of its spaces. */
export interface ReembeddingRow extends ReembeddingTarget {
  /** The key of the space. */
  space: number;
  state: 'running' | 'stopped';
  problem?: string;
  startedAt: string;
}

interface Columns {
  space: number;
  model: string;
  fingerprint: string;
  dimension: number;
  from_thumbnails: 0 | 1;
  skip_impossible: 0 | 1;
  state: 'running' | 'stopped';
  problem: string | null;
  started_at: string;
}

function toRow({ from_thumbnails, skip_impossible, problem, started_at, ...rest }: Columns): ReembeddingRow {
  return { ...rest, fromThumbnails: from_thumbnails === 1, skipImpossible: skip_impossible === 1, ...(problem === null ? {} : { problem }), startedAt: started_at };
}

/** Collections on their way into another space. `collection` and `space` are keys. */
export class ReembeddingTable {
  readonly #get;
  readonly #insert;
  readonly #resume;
  readonly #stop;
  readonly #remove;

  constructor(database: Database) {
    this.#get = database.prepare<[number], Columns>(
      `SELECT space, model, fingerprint, dimension, from_thumbnails, skip_impossible, state, problem, started_at
         FROM reembeddings JOIN spaces ON spaces.key = reembeddings.space WHERE reembeddings.collection = ?`,
    );
    this.#insert = database.prepare("INSERT INTO reembeddings (collection, space, from_thumbnails, skip_impossible, state, started_at) VALUES (?, ?, ?, ?, 'running', ?)");
    this.#resume = database.prepare("UPDATE reembeddings SET state = 'running', problem = NULL, from_thumbnails = ?, skip_impossible = ? WHERE collection = ?");
    this.#stop = database.prepare("UPDATE reembeddings SET state = 'stopped', problem = ? WHERE collection = ?");
    this.#remove = database.prepare('DELETE FROM reembeddings WHERE collection = ?');
  }

  get(collection: number): ReembeddingRow | undefined {
    const row = this.#get.get(collection);
    return row && toRow(row);
  }

  insert(collection: number, space: number, { fromThumbnails, skipImpossible }: ReembeddingTarget): void {
    this.#insert.run(collection, space, Number(fromThumbnails), Number(skipImpossible), new Date().toISOString());
  }

  /** With the target's options. */
  resume(collection: number, { fromThumbnails, skipImpossible }: ReembeddingTarget): void {
    this.#resume.run(Number(fromThumbnails), Number(skipImpossible), collection);
  }

  stop(collection: number, problem: string | undefined): void {
    this.#stop.run(problem ?? null, collection);
  }

  remove(collection: number): void {
    this.#remove.run(collection);
  }
}
