import type { Encoder, Models } from '../encoder/encoder.js';
import type { ModelSource } from '../hub/model-source.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Catalog } from '../store/catalog.js';
import type { FullText } from '../store/full-text.js';
import type { Store } from '../store/store.js';
import type { VectorIndex } from '../store/vector-index.js';
import type { Log } from '../telemetry.js';
import type { LabelCache } from './classify/label-cache.js';
import type { KeptLatest } from './kept-latest.js';
import type { Cursors } from './cursors.js';
import type { ImportSettings } from './imports/settings.js';
import type { Maps } from './map/maps.js';
import type { SyncSettings } from './sync/settings.js';
import type { SyncTurns } from './sync/turns.js';
import type { Reembeddings } from './reembed/runs.js';
import type { TextLists } from './text-lists.js';

/** What every operation works with, and jobs do. */
export interface Context {
  models: Models;
  encoder: Encoder;
  catalog: Catalog;
  index: VectorIndex;
  words: FullText;
  backup: Store['backup'];
  restores: Store['restores'];
  /** `picture`, `text` and `metadata` in bytes; the others count a request's entries. */
  limits: { picture: number; text: number; metadata: number; inputs: number; items: number; labels: number };
  /** Real paths of the folders whose files may be named by path. */
  roots: string[];
  sync: SyncSettings;
  syncTurns: SyncTurns;
  imports: ImportSettings;
  fetch: { allow: string[]; timeoutMs: number };
  /** Those that run in this process. */
  reembeddings: Reembeddings;
  cursors: Cursors;
  texts: TextLists;
  labels: LabelCache;
  /** Classifiers as their examples taught them. */
  learnt: KeptLatest;
  maps: Maps;
  log: Log;
  /** Seconds of one stage, for the metrics. */
  stage: (name: string, seconds: number) => void;
}

/** What operations that start long work, tell of it or end it have besides. */
export interface JobContext extends Context {
  jobs: Jobs;
  /** Where models are pulled from; undefined: nowhere. */
  hub: ModelSource | undefined;
}

/** The caller of an operation: aborted when it hangs up. */
export interface Caller {
  signal: AbortSignal;
}
