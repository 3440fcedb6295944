/** What the main thread and the store's thread say to each other. */
import type { PlainError } from '../../errors.js';
import type { LogLevel } from '../../telemetry.js';
import type { Catalog } from '../catalog.js';
import type { RestoreChoice, RestoredClassifiers, StoreRestore } from '../store.js';
import type { FullText } from '../full-text.js';
import type { VectorIndex } from '../vector-index.js';
import type { BackupCopy } from './backups.js';
import type { EmbeddedStoreSettings } from './settings.js';

/** Both ports as the store's thread answers them. */
export type StoreCalls = Catalog &
  Pick<VectorIndex, 'nearest' | 'sample'> &
  FullText & {
    beginBackup(): Promise<BackupCopy>;
    backupOriginals(after: string, limit: number): Promise<string[]>;
    endBackup(): Promise<void>;
    beginRestore(choice: RestoreChoice): Promise<StoreRestore['collections']>;
    restoreSome(): ReturnType<StoreRestore['some']>;
    restoreOriginals(missing: string[]): Promise<string[]>;
    publishRestore(overEmpty: string[]): Promise<RestoredClassifiers>;
    endRestore(): Promise<void>;
    close(): Promise<void>;
  };
export type StoreMethod = keyof StoreCalls;
export type StoreArguments = { [M in StoreMethod]: Parameters<StoreCalls[M]> };
export type StoreResult<M extends StoreMethod> = Awaited<ReturnType<StoreCalls[M]>>;

const known: Record<keyof Catalog, true> = {
  createCollection: true,
  listCollections: true,
  getCollection: true,
  describeCollection: true,
  setTextFields: true,
  setTiles: true,
  listTiled: true,
  readTileSources: true,
  putTiles: true,
  changesOf: true,
  matchingKeys: true,
  wholeEmbeddings: true,
  readEmbeddings: true,
  keysOfIds: true,
  idsOfKeys: true,
  valuesOfKeys: true,
  deleteCollection: true,
  write: true,
  present: true,
  getItem: true,
  getEmbedding: true,
  getEmbeddings: true,
  listItems: true,
  countValues: true,
  setMetadata: true,
  changeSources: true,
  addMetadata: true,
  deleteItem: true,
  deleteItems: true,
  getPicture: true,
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
  putResultEntries: true,
  listResultEntries: true,
  publishResult: true,
  getResult: true,
  listResults: true,
  discardResult: true,
  putClassifier: true,
  getClassifier: true,
  listClassifiers: true,
  deleteClassifier: true,
  listExamples: true,
  addExamples: true,
  removeExamples: true,
  listSeen: true,
  countSeen: true,
  noteSeen: true,
  settleSeen: true,
  forgetSeen: true,
  listMounts: true,
  putMounts: true,
  readCopies: true,
  putCopies: true,
  check: true,
};
export const catalogMethods = Object.keys(known) as (keyof Catalog)[];

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
