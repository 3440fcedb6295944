/** The composition root: settings in, a running service out. The only file that names concrete classes. */
import path from 'node:path';
import { embedded, readHubSettings, readStoreAddress, type Config } from './config.js';
import { CachedEncoder } from './encoder/cache/cached-encoder.js';
import type { Encoder, OpenEncoder } from './encoder/encoder.js';
import { openEncoder } from './encoder/open.js';
import { MixspaceError } from './errors.js';
import { openHub } from './hub/open.js';
import { realName } from './open-file.js';
import { Jobs } from './jobs/jobs.js';
import { clustersKind } from './operations/clusters/job.js';
import { classifyKind } from './operations/classify-collection/job.js';
import { LabelCache } from './operations/classify/label-cache.js';
import { defaultCollection, settleCollections } from './operations/collections.js';
import type { Context, JobContext } from './operations/context.js';
import { Cursors } from './operations/cursors.js';
import { duplicatesKind } from './operations/duplicates/job.js';
import { mapKind } from './operations/map/job.js';
import { importKind, sweepUploads } from './operations/imports/job.js';
import { KeptUploads } from './operations/imports/kept-uploads.js';
import { Maps } from './operations/map/maps.js';
import { pullKind } from './operations/pull/job.js';
import { watchReadiness, type Readiness } from './operations/readiness.js';
import { adoptReembeddings, reembedKind } from './operations/reembed/job.js';
import { Reembeddings } from './operations/reembed/runs.js';
import { TextLists } from './operations/text-lists.js';
import { restoreKind } from './operations/restore.js';
import { tilesKind } from './operations/tiles/job.js';
import { KeptLatest } from './operations/kept-latest.js';
import { followFolders } from './operations/sync/follow.js';
import { syncKind } from './operations/sync/job.js';
import { machineName, placeOfDisks } from './operations/sync/machine.js';
import { SyncTurns } from './operations/sync/turns.js';
import type { WalkRules } from './picture-files.js';
import { openStore } from './store/open.js';
import { openTelemetry, type Telemetry } from './telemetry.js';

export interface Service {
  context: JobContext;
  readiness: Readiness;
  telemetry: Telemetry;
  /** Makes the collection `default` equal to what lies under the paths and, with `watch`, keeps it so; all goes to the log. Never rejects. */
  followFolders(paths: string[], signal: AbortSignal, rules?: WalkRules): Promise<void>;
  /** Work under way ends, files are closed. */
  close(): Promise<void>;
}

/** Classifiers whose examples have been learnt from. */
const mostLearnt = 16;

/** @throws MixspaceError: another process on the index directory, no usable model, a root that is not there. */
export async function openService(config: Config): Promise<Service> {
  const telemetry = openTelemetry({ level: config.logLevel });
  const { log, stage } = telemetry;
  const roots = await Promise.all(
    config.roots.map((root) =>
      realName(root).catch(() => {
        throw new MixspaceError('invalid_request', `The folder ${root} is not there.`, { param: 'MIXSPACE_ROOTS' });
      }),
    ),
  );
  const address = readStoreAddress(config);
  const store = await openStore({
    address: address === embedded ? { directory: config.indexDir } : { url: address },
    embedded: { vectorCacheBytes: config.vectorMemory, columnBytes: config.fieldMemory },
    postgres: { connections: config.storeConnections },
    log,
  });
  const { catalog, index, words } = store;
  const towers = await openEncoder({
    modelsDirectory: config.modelsDir,
    ...(config.model === undefined ? {} : { defaultModel: config.model }),
    aliases: config.aliases,
    preload: config.preload,
    modelIdleSeconds: config.modelIdle,
    modelMemory: config.modelMemory,
    ...(config.variant === undefined ? {} : { variants: config.variant }),
    preprocessSpeed: config.preprocessSpeed,
    workers: config.workers,
    threads: config.threads,
    executionProviders: config.executionProviders,
    encodeTimeout: config.encodeTimeout,
    queueLimit: config.queueLimit,
    limits: { pictureBytes: config.maxPicture, picturePixels: config.maxPixels },
    log,
    onStage: stage,
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  telemetry.gauge('mixspace_encoder_waiting', 'Texts and pictures that wait for an encoder', () => towers.waiting());
  telemetry.gauge('mixspace_encoder_resident_bytes', 'Resident memory of the encoder workers, each as of its last answer', () => towers.workers().residentBytes);
  telemetry.gauges('mixspace_resident_bytes', 'Resident memory of each process, encoders as of their last answer', ['role', 'worker'], () => [
    { labels: { role: 'service', worker: '' }, value: process.memoryUsage.rss() },
    ...towers.workers().processes.map(({ role, worker, residentBytes }) => ({ labels: { role, worker: String(worker) }, value: residentBytes })),
  ]);
  telemetry.gauge('mixspace_encoder_cpu_seconds', 'Processor time of the encoder workers, each as of its last answer', () => towers.workers().cpuSeconds);
  telemetry.gauges('mixspace_search_recall', 'Of the ten nearest, the share that searches of a divided collection find, as measured of late', ['collection', 'modality', 'query', 'selectivity'], async () =>
    (await catalog.listCollections()).flatMap(({ name, recall }) =>
      recall.flatMap(({ modality, bands }) => bands.map(({ query, selectivity, recall: value }) => ({ labels: { collection: name, modality, query, selectivity: String(selectivity) }, value }))),
    ),
  );
  telemetry.gauge('mixspace_encoder_replaced', 'Encoder workers that died and were replaced', () => towers.workers().replaced);
  telemetry.gauge('mixspace_models_loaded', 'Models that at least one worker holds', () => towers.models.list().filter(({ loadedIn }) => loadedIn > 0).length);
  telemetry.gauge('mixspace_models_memory_bytes', 'What the models hold in all workers', () => towers.models.list().reduce((sum, { memoryBytes }) => sum + memoryBytes, 0));
  const encoder: Encoder = config.cache === 0 ? towers : cached(towers, config.cache, telemetry);

  const work: Context = {
    models: towers.models,
    encoder,
    catalog,
    index,
    words,
    backup: store.backup,
    restores: store.restores,
    limits: {
      picture: config.maxPicture,
      text: config.maxText,
      metadata: config.maxMetadata,
      inputs: config.maxInputs,
      items: config.maxItems,
      labels: config.maxLabels,
    },
    roots,
    sync: { machine: config.machine ?? machineName(), quietMs: config.syncQuiet, goneShare: config.syncGoneShare, goneFiles: config.syncGoneFiles, except: [config.indexDir] },
    syncTurns: new SyncTurns(),
    imports: { uploads: new KeptUploads(path.join(config.indexDir, 'imports')), entries: config.importEntries, bytes: config.importBytes },
    fetch: { allow: config.fetchAllow, timeoutMs: config.fetchTimeout },
    reembeddings: new Reembeddings(),
    cursors: new Cursors(await catalog.cursorKey()),
    // What is kept there need not be in the cache too.
    texts: new TextLists(towers),
    labels: new LabelCache(config.cache === 0 ? 0 : undefined),
    learnt: new KeptLatest(mostLearnt),
    maps: new Maps(),
    log,
    stage,
  };
  const hub = config.hub ? openHub({ modelsDir: config.modelsDir, access: readHubSettings() }) : undefined;
  const jobs = new Jobs({
    catalog,
    kinds: [reembedKind(work), restoreKind(work), syncKind(work), importKind(work), duplicatesKind(work), clustersKind(work), classifyKind(work), tilesKind(work), mapKind(work, work.maps.live), ...(hub ? [pullKind(work, hub)] : [])],
    hasCollection: (name) =>
      catalog.getCollection(name).then(
        () => true,
        (error: unknown) => {
          if (error instanceof MixspaceError && error.code === 'not_found') return false;
          throw error;
        },
      ),
    ...(store.leases && { shared: { leases: store.leases, places: [placeOfDisks(work.sync.machine), await work.imports.uploads.place()] } }),
    log,
  });
  const context: JobContext = { ...work, jobs, hub };
  const close = async (): Promise<void> => {
    await jobs.close();
    await work.maps.close();
    await towers.close();
    await store.close();
    telemetry.close();
  };
  try {
    await settleCollections(context, store.leases !== undefined);
    await adoptReembeddings(work, jobs);
    await sweepUploads(work, jobs);
    await jobs.open();
  } catch (error) {
    await close();
    throw error;
  }
  // Past the cache: ready is who has just made an inference.
  const readiness = watchReadiness({ ...context, encoder: towers });
  return {
    context,
    readiness,
    telemetry,
    followFolders: (paths, signal, rules) =>
      followFolders(context, { collection: defaultCollection, paths, ...(rules && { rules }), ...(config.watch && { watch: { lookEveryMs: config.watchLook * 1000 } }) }, signal),
    close: async () => {
      readiness.stop();
      await close();
    },
  };
}

function cached(opened: OpenEncoder, bytes: number, telemetry: Telemetry): Encoder {
  const count = telemetry.counter('mixspace_cache_lookups_total', 'Texts and pictures to embed, by whether a kept embedding answered', ['modality', 'result']);
  const front = new CachedEncoder(opened.models, opened, {
    bytes,
    onLookup: (modality, hits, misses) => {
      count({ modality, result: 'hit' }, hits);
      count({ modality, result: 'miss' }, misses);
    },
  });
  telemetry.gauge('mixspace_cache_bytes', 'Memory of the kept embeddings', () => front.bytes);
  return front;
}
