/** What the main thread and the store's thread say to each other. */
import type { PlainError } from '../../errors.js';
import type { LogLevel } from '../../telemetry.js';
import type { Store } from '../store.js';
import type { EmbeddedStoreSettings } from './settings.js';

export type StoreMethod = keyof Store;
export type StoreArguments = { [M in StoreMethod]: Parameters<Store[M]> };
export type StoreResult<M extends StoreMethod> = Awaited<ReturnType<Store[M]>>;

const known: Record<StoreMethod, true> = {
  createCollection: true,
  listCollections: true,
  getCollection: true,
  describeCollection: true,
  deleteCollection: true,
  write: true,
  present: true,
  getItem: true,
  getEmbedding: true,
  listItems: true,
  setMetadata: true,
  deleteItem: true,
  deleteItems: true,
  getPicture: true,
  nearest: true,
  planReembedding: true,
  startReembedding: true,
  nextToReembed: true,
  putReembedded: true,
  finishReembedding: true,
  stopReembedding: true,
  discardReembedding: true,
  listImpossible: true,
  cursorKey: true,
  putJob: true,
  getJob: true,
  listJobs: true,
  listJobFailures: true,
  pruneJobs: true,
  check: true,
  close: true,
};
export const storeMethods = Object.keys(known) as StoreMethod[];

export interface WorkerOptions {
  directory: string;
  migrationsDirectory: string;
  settings: EmbeddedStoreSettings;
}

export interface Call {
  call: number;
  method: StoreMethod;
  parameters: unknown[];
}

/** Asks for a sign of life: numbered, so that of what was asked before it nothing can be on its way once it is answered. */
export interface Ping {
  ping: number;
}

export type Report =
  /** The store is open, or could not be opened. */
  | { kind: 'opened'; error?: PlainError }
  | { kind: 'answer'; call: number; result?: unknown; error?: PlainError }
  /** `open`: the calls that are not answered yet. */
  | { kind: 'alive'; ping: number; open: number[] }
  | { kind: 'log'; level: LogLevel; message: string; fields?: Record<string, unknown> };
