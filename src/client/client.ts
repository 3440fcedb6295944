import type { Classifier } from '../contract/classifiers.js';
import type { ClassifyResponse } from '../contract/classify.js';
import type { Collection, PatchedCollection, RecallResponse } from '../contract/collections.js';
import type { Metadata } from '../contract/shared.js';
import type { DecisionsResponse } from '../contract/decisions.js';
import type { EmbeddingEncoding, EmbeddingsResponse } from '../contract/embeddings.js';
import type { FileNote, Item, ItemOutcome, ItemPage, ItemSources, Merged, NewItem, ValueCounts } from '../contract/items.js';
import type { Job, JobEventData, JobEventName, JobFailures, JobList } from '../contract/jobs.js';
import type { importTypes } from '../contract/imports.js';
import type { Key, OwnKey } from '../contract/keys.js';
import type { Model, SelfTest } from '../contract/models.js';
import type { PullableModels, PullResponse } from '../contract/pull.js';
import type { ReembedResponse } from '../contract/reembed.js';
import { routes, type ExportFormat } from '../contract/routes.js';
import type { SearchResponse } from '../contract/search.js';
import type { CallParts } from './call.js';
import { decodeEmbedding, type Decoded } from './embeddings.js';
import { MixspaceApiError, MixspaceUnreachableError } from './errors.js';
import { eventsOf } from './event-stream.js';
import { Findings } from './findings.js';
import { queryTexts } from './query-texts.js';
import type { Signaled } from './signaled.js';

export interface UploadFile extends FileNote {
  blob: Blob;
  /** Its source, unless `source` says otherwise. */
  name: string;
}

type SearchBody = Exclude<CallParts<'search'>['body'], FormData>;
export type Query = NonNullable<SearchBody['query']>;
export type SearchOptions = Omit<SearchBody, 'query'> & Signaled;
type EmbedBody = Omit<CallParts<'embed'>['body'], 'encoding_format' | 'embedding_type'>;
export type ImportType = (typeof importTypes)[number];
export type PictureSize = 'thumbnail' | 'original';

export interface JobEvent {
  type: JobEventName;
  /** What `after` takes, to go on behind this event. */
  id: string;
  job: JobEventData;
}

/** Every route of the contract, typed; in browsers and in Node. */
export class MixspaceClient extends Findings {
  embed(body: CallParts<'embed'>['body'], options: Signaled = {}): Promise<EmbeddingsResponse> {
    return this.call('embed', { body, ...options });
  }

  /** The embeddings of `embed` in the inputs' order, decoded: numbers (sent as base64) unless `encoding_format` says otherwise. */
  async embeddings<E extends EmbeddingEncoding = 'base64'>(body: EmbedBody & { encoding_format?: E }, options: Signaled = {}): Promise<Decoded[E][]> {
    const encoding = body.encoding_format ?? ('base64' as E);
    const { data } = await this.embed({ ...body, encoding_format: encoding }, options);
    return data.map(({ embedding }) => decodeEmbedding(embedding, encoding));
  }

  classify(body: CallParts<'classify'>['body'], options: Signaled = {}): Promise<ClassifyResponse> {
    return this.call('classify', { body, ...options });
  }

  /** Typed questions about pictures or a text, each answered by itself. */
  decide(body: CallParts<'decide'>['body'], options: Signaled = {}): Promise<DecisionsResponse> {
    return this.call('decide', { body, ...options });
  }

  /** What the caller's key may do. */
  ownKey(options: Signaled = {}): Promise<OwnKey> {
    return this.call('ownKey', options);
  }

  /** What each key may do, for one that may do anything. */
  async keys(options: Signaled = {}): Promise<Key[]> {
    return (await this.call('listKeys', options)).keys;
  }

  async classifiers(options: Signaled = {}): Promise<Classifier[]> {
    return (await this.call('listClassifiers', options)).classifiers;
  }

  /** With its accuracy, where it has examples. */
  classifier(name: string, options: Signaled = {}): Promise<Classifier> {
    return this.call('getClassifier', { params: { name }, ...options });
  }

  /** Saves labels; examples of one of the name are kept where the model stays. */
  putClassifier(name: string, body: CallParts<'putClassifier'>['body'], options: Signaled = {}): Promise<Classifier> {
    return this.call('putClassifier', { params: { name }, body, ...options });
  }

  deleteClassifier(name: string, options: Signaled = {}): Promise<undefined> {
    return this.call('deleteClassifier', { params: { name }, ...options });
  }

  addExamples(name: string, body: CallParts<'addExamples'>['body'], options: Signaled = {}): Promise<Classifier> {
    return this.call('addExamples', { params: { name }, body, ...options });
  }

  /** Those that fit all that is given; `{}`: all. */
  removeExamples(name: string, body: CallParts<'removeExamples'>['body'], options: Signaled = {}): Promise<Classifier> {
    return this.call('removeExamples', { params: { name }, body, ...options });
  }

  /** The job writes `{label, probability}` into the field `field` of each item's metadata. */
  async classifyCollection(name: string, body: CallParts<'classifyCollection'>['body'], options: Signaled = {}): Promise<Job> {
    return (await this.call('classifyCollection', { params: { name }, body, ...options })).job;
  }

  /** The default one first. */
  async models(options: Signaled = {}): Promise<Model[]> {
    return (await this.call('listModels', options)).data;
  }

  /** One, by its id or another name of it. */
  model(id: string, options: Signaled = {}): Promise<Model> {
    return this.call('getModel', { params: { id }, ...options });
  }

  /** A model's golden vectors, run now. */
  selfTest(id: string, options: Signaled = {}): Promise<SelfTest & { id: string }> {
    return this.call('selfTest', { params: { id }, ...options });
  }

  /** Whether models can be pulled, and which are known to be good. */
  pullableModels(options: Signaled = {}): Promise<PullableModels> {
    return this.call('pullableModels', options);
  }

  /** Tells the plan and, unless `dry_run` asks for that alone, starts a job that pulls the model. */
  pullModel(body: CallParts<'pullModel'>['body'], options: Signaled = {}): Promise<PullResponse> {
    return this.call('pullModel', { body, ...options });
  }

  async collections(options: Signaled = {}): Promise<Collection[]> {
    return (await this.call('listCollections', options)).collections;
  }

  collection(name: string, options: Signaled = {}): Promise<Collection> {
    return this.call('getCollection', { params: { name }, ...options });
  }

  createCollection(body: CallParts<'createCollection'>['body'], options: Signaled = {}): Promise<Collection> {
    return this.call('createCollection', { body, ...options });
  }

  /** What it means for the items that are there is done in the background; for tiles, by the job that the answer names. */
  patchCollection(name: string, patch: CallParts<'patchCollection'>['body'], options: Signaled = {}): Promise<PatchedCollection> {
    return this.call('patchCollection', { params: { name }, body: patch, ...options });
  }

  deleteCollection(name: string, options: Signaled = {}): Promise<undefined> {
    return this.call('deleteCollection', { params: { name }, ...options });
  }

  /** recall@10 by modality, measured now beside exact searches. */
  async measureRecall(name: string, body: CallParts<'measureRecall'>['body'] = {}, options: Signaled = {}): Promise<RecallResponse['bands']> {
    return (await this.call('measureRecall', { params: { name }, body, ...options })).bands;
  }

  /** Tells the plan, and begins to embed the collection again or goes on; the service works on when the call is over. */
  reembed(name: string, body: CallParts<'reembed'>['body'] = {}, options: Signaled = {}): Promise<ReembedResponse> {
    return this.call('reembed', { params: { name }, body, ...options });
  }

  /** How far it is; a 404 when the collection is not being embedded again. */
  reembedding(name: string, options: Signaled = {}): Promise<ReembedResponse> {
    return this.call('getReembedding', { params: { name }, ...options });
  }

  stopReembedding(name: string, { discard = false, ...options }: { discard?: boolean } & Signaled = {}): Promise<ReembedResponse> {
    return this.call('stopReembedding', { params: { name }, query: { discard: discard ? 'true' : 'false' }, ...options });
  }

  /** The newest first, a page of them. */
  jobs(query: CallParts<'listJobs'>['query'] = {}, options: Signaled = {}): Promise<JobList> {
    return this.call('listJobs', { query, ...options });
  }

  job(id: string, options: Signaled = {}): Promise<Job> {
    return this.call('getJob', { params: { id }, ...options });
  }

  /** Resolves when nothing of it runs any more. */
  pauseJob(id: string, options: Signaled = {}): Promise<Job> {
    return this.call('pauseJob', { params: { id }, ...options });
  }

  resumeJob(id: string, options: Signaled = {}): Promise<Job> {
    return this.call('resumeJob', { params: { id }, ...options });
  }

  cancelJob(id: string, options: Signaled = {}): Promise<Job> {
    return this.call('cancelJob', { params: { id }, ...options });
  }

  jobFailures(id: string, query: CallParts<'listJobFailures'>['query'] = {}, options: Signaled = {}): Promise<JobFailures> {
    return this.call('listJobFailures', { params: { id }, query, ...options });
  }

  /**
   * What happens to a job until it has ended: its present state, then each change as it comes, the failures among them.
   * A stream that breaks off is taken up again behind the last event. `after`: the id of an event, to go on behind it.
   */
  async *followJob(id: string, { after, signal }: { after?: string } & Signaled = {}): AsyncGenerator<JobEvent, void, undefined> {
    let last = after;
    for (let attempt = 0; ; attempt++) {
      try {
        const body = await this.call('jobEvents', { params: { id }, ...(last === undefined ? {} : { headers: { 'Last-Event-ID': last } }), ...(signal && { signal }) });
        if (body === null) return;
        for await (const { event, id: seen, data } of eventsOf(body)) {
          attempt = 0;
          last = seen;
          const job = JSON.parse(data) as JobEventData;
          yield { type: event as JobEventName, id: seen, job };
          if (event === 'end') return;
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof MixspaceApiError || attempt >= this.retries) throw error;
      }
      if (attempt > this.retries) throw new MixspaceUnreachableError(this.url, undefined);
      await this.waitAfter(attempt, signal);
    }
  }

  /** The outcomes are in the items' order; one that failed says why and holds up no other. */
  async addItems(name: string, items: NewItem[], options: Signaled = {}): Promise<ItemOutcome[]> {
    return (await this.call('addItems', { params: { name }, body: { items }, ...options })).items;
  }

  /** As `addItems`, with the pictures themselves. */
  async uploadItems(name: string, files: UploadFile[], options: Signaled = {}): Promise<ItemOutcome[]> {
    const body = new FormData();
    const notes: FileNote[] = files.map(({ blob: _blob, name: fileName, ...note }) => ({ source: fileName, ...note }));
    body.append('metadata', JSON.stringify(notes));
    for (const file of files) body.append('file', file.blob, file.name);
    return (await this.call('addItems', { params: { name }, body, ...options })).items;
  }

  /** Those of the ids that are not there. */
  async itemsExist(name: string, ids: string[], options: Signaled = {}): Promise<{ missing: string[] }> {
    return this.call('itemsExist', { params: { name }, body: { ids }, ...options });
  }

  itemPage(name: string, query: { filter?: object; sort?: string; limit?: number; cursor?: string } = {}, options: Signaled = {}): Promise<ItemPage> {
    const { filter, sort, limit, cursor } = query;
    return this.call('listItems', {
      params: { name },
      query: {
        ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }),
        ...(sort === undefined ? {} : { sort }),
        ...(limit === undefined ? {} : { limit: String(limit) }),
        ...(cursor === undefined ? {} : { cursor }),
      },
      ...options,
    });
  }

  /** All parts of those of the items that have embeddings. */
  async itemEmbeddings(name: string, ids: string[], options: Signaled = {}): Promise<{ id: string; part: number; embedding: Float32Array }[]> {
    const { data } = await this.call('itemEmbeddings', { params: { name }, body: { ids, encoding_format: 'base64' }, ...options });
    return data.map(({ id, part = 0, embedding }) => ({ id, part, embedding: decodeEmbedding(embedding, 'base64') }));
  }

  /** All of a collection as a file's bytes: JSON lines, or Parquet. It breaks off with an error where an item cannot be told. */
  exportItems(name: string, { thumbnails = false, format = 'jsonl', ...options }: { format?: ExportFormat; thumbnails?: boolean } & Signaled = {}): Promise<ReadableStream<Uint8Array>> {
    return this.call('exportItems', { params: { name }, query: { format, thumbnails: thumbnails ? 'true' : 'false' }, ...options });
  }

  /** For a link that saves it, where no key is needed; else `exportItems` brings it with the key. */
  exportUrl(name: string, { thumbnails = false, format = 'jsonl' }: { format?: ExportFormat; thumbnails?: boolean } = {}): string {
    return this.address(routes.exportItems, { params: { name }, query: { format, thumbnails: thumbnails ? 'true' : 'false' } });
  }

  /** As `exportUrl`, of `backup`. */
  backupUrl(): string {
    return this.address(routes.backup, {});
  }

  /** All collections at one moment, as the bytes of an archive. */
  backup(options: Signaled = {}): Promise<ReadableStream<Uint8Array>> {
    return this.call('backup', options);
  }

  /** Takes in the collections of a backup, or those named; resolves when all of it has been sent and verified. The job does the rest. */
  async restore(archive: Blob | ReadableStream<Uint8Array>, { collections, ...options }: { collections?: string[] } & Signaled = {}): Promise<Job> {
    return (await this.call('restore', { body: archive, ...(collections === undefined ? {} : { query: { collections: collections.join() } }), ...options })).job;
  }

  /** Starts a job that takes in an archive, a list of URLs or a folder that the server may read. */
  async importFrom(name: string, body: Exclude<CallParts<'startImport'>['body'], Blob | ReadableStream>, options: Signaled = {}): Promise<Job> {
    return (await this.call('startImport', { params: { name }, body, ...options })).job;
  }

  /** Sends an archive or a list of URLs; resolves when all of it has been sent. The job takes it in. `fileName` stands in the sources of its items. */
  async importUpload(name: string, file: Blob | ReadableStream<Uint8Array>, { fileName, type = 'application/zip', ...options }: { fileName?: string; type?: ImportType } & Signaled = {}): Promise<Job> {
    return (await this.call('startImport', { params: { name }, body: file, ...(fileName === undefined ? {} : { query: { name: fileName } }), headers: { 'content-type': type }, ...options })).job;
  }

  /** For each of the fields how many items have which value of it. */
  async facets(name: string, fields: string[], query: { filter?: object; limit?: number } = {}, options: Signaled = {}): Promise<Record<string, ValueCounts>> {
    const { filter, limit } = query;
    const { facets } = await this.call('facets', {
      params: { name },
      query: { fields: fields.join(), ...(filter === undefined ? {} : { filter: JSON.stringify(filter) }), ...(limit === undefined ? {} : { limit: String(limit) }) },
      ...options,
    });
    return facets;
  }

  /** Every item, by id or as `sort` says (`FIELD`, or `-FIELD` for descending), page after page. */
  async *listItems(name: string, query: { filter?: object; sort?: string; pageSize?: number } = {}, options: Signaled = {}): AsyncGenerator<Item, void, undefined> {
    const { pageSize: limit = 500, ...filter } = query;
    let cursor: string | undefined;
    do {
      const page: ItemPage = await this.itemPage(name, { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) }, options);
      yield* page.items;
      cursor = page.next_cursor;
    } while (cursor !== undefined);
  }

  getItem(name: string, id: string, options: Signaled = {}): Promise<Item> {
    return this.call('getItem', { params: { name, id }, ...options });
  }

  setMetadata(name: string, id: string, metadata: Metadata, options: Signaled = {}): Promise<Item> {
    return this.call('patchItem', { params: { name, id }, body: { metadata }, ...options });
  }

  /** Changes where an item is said to have been found. */
  changeSources(name: string, id: string, sources: { add?: string[]; remove?: string[] }, options: Signaled = {}): Promise<Item> {
    return this.call('patchItem', { params: { name, id }, body: { sources }, ...options });
  }

  /** All places where an item was found, a page of them. */
  itemSources(name: string, id: string, query: { limit?: number; cursor?: string } = {}, options: Signaled = {}): Promise<ItemSources> {
    return this.call('itemSources', { params: { name, id }, query: queryTexts(query), ...options });
  }

  /** Starts a job that makes the collection equal to what lies under a folder of the server. */
  async sync(name: string, body: CallParts<'sync'>['body'], options: Signaled = {}): Promise<Job> {
    return (await this.call('sync', { params: { name }, body, ...options })).job;
  }

  /** Fields laid over the metadata of many items, by their ids or a filter. */
  mergeMetadata(name: string, body: CallParts<'mergeMetadata'>['body'], options: Signaled = {}): Promise<Merged> {
    return this.call('mergeMetadata', { params: { name }, body, ...options });
  }

  deleteItem(name: string, id: string, options: Signaled = {}): Promise<undefined> {
    return this.call('deleteItem', { params: { name, id }, ...options });
  }

  /** Without a query: what `likes` are like. */
  search(name: string, query: Query | undefined, { signal, ...options }: SearchOptions = {}): Promise<SearchResponse> {
    return this.call('search', { params: { name }, body: { ...(query !== undefined && { query }), ...options }, ...(signal && { signal }) });
  }

  /** `query` says more than the picture alone: `[{ input: { file: true } }, { input: 'at night' }]`. */
  searchByPicture(name: string, picture: Blob, { signal, ...options }: SearchOptions & { query?: Query } = {}): Promise<SearchResponse> {
    const body = new FormData();
    body.append('request', JSON.stringify(options));
    body.append('file', picture, 'query');
    return this.call('search', { params: { name }, body, ...(signal && { signal }) });
  }

  /** For an `<img>`, where no key is needed; else `image` fetches with the key. */
  imageUrl(name: string, id: string, size: PictureSize = 'thumbnail'): string {
    return this.address(routes.itemImage, { params: { name, id }, query: { size } });
  }

  image(name: string, id: string, size: PictureSize = 'thumbnail', options: Signaled = {}): Promise<Blob> {
    return this.call('itemImage', { params: { name, id }, query: { size }, ...options });
  }
}
