/**
 * The part of the catalog's port that keeps what jobs found out about a collection: a summary, and lists of entries that
 * may be as long as the collection. Nobody's truth: all of it can be found out again.
 */
export interface ResultEntry {
  /** Its place in its list, from 0. */
  number: number;
  /** JSON. */
  body: unknown;
}

export interface Result {
  /** The id of the job that found it out. */
  job: string;
  /** JSON. */
  summary: unknown;
}

export interface ResultKey {
  kind: string;
  job: string;
}

export interface ResultCatalog {
  /** One transaction: adds entries to a list of a job's result, in place of those of the same numbers. It may be before or after the result is published. */
  putResultEntries(collection: string, result: ResultKey, list: string, entries: ResultEntry[]): Promise<void>;
  /** By number, behind `after`; those that are damaged are left out, and told in the log. */
  listResultEntries(collection: string, job: string, list: string, request: { limit: number; after?: number }): Promise<{ entries: ResultEntry[]; more: boolean }>;
  /** From now on it is the latest of its kind: all others of the kind go, those of jobs that are not done included. `drop`: lists of its own that were needed on the way alone. */
  publishResult(collection: string, result: ResultKey & Result, drop?: string[]): Promise<void>;
  /** The latest of a kind that was published; undefined when there is none, or it is damaged. */
  getResult(collection: string, kind: string): Promise<Result | undefined>;
  /** The latest of each kind that was published; those that are damaged are left out. */
  listResults(collection: string): Promise<(Result & { kind: string })[]>;
  /** What a job found so far goes. */
  discardResult(collection: string, job: string): Promise<void>;
}
