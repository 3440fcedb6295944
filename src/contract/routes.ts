/**
 * The one table of routes: the server mounts it, the client calls by it, the OpenAPI document is made from it.
 */
import { z } from 'zod';
import { ClassifyRequest, ClassifyResponse } from './classify.js';
import { ClusterName, ClusterPage, Cluster, Clusters, ClustersQuery, ClustersRequest } from './clusters.js';
import { Collection, CollectionList, CollectionPatch, NewCollection, PatchedCollection, RecallRequest, RecallResponse } from './collections.js';
import { CollectionName, Id } from './shared.js';
import { DuplicateGroupPage, Duplicates, DuplicatesRequest, StartedJob } from './duplicates.js';
import { Classifier, ClassifierList, ClassifierParams, ClassifyCollectionRequest, JobResponse, NewClassifier, NewExamples, RemovedExamples } from './classifiers.js';
import { DecisionsRequest, DecisionsResponse } from './decisions.js';
import { EmbeddingsRequest, EmbeddingsResponse } from './embeddings.js';
import { Deleted, ExistsRequest, ExistsResponse, Facets, Item, ItemEmbeddings, ItemEmbeddingsRequest, ItemPage, ItemPatch, ItemSources, ItemsRequest, ItemsResponse, Merged, MetadataMerge } from './items.js';
import { Job, JobEventData, jobEvents, JobFailures, JobFailuresQuery, JobList, JobParams, JobQuery, RestoreResponse } from './jobs.js';
import { FieldsQuery, SortQuery } from './filter.js';
import { CollectionMap, MapItems, MapItemsQuery, MapItemsRequest, MapPoints, MapPointsQuery, MapRequest, MapScoresRequest, MapSheetParams, MapSheetQuery, MapValues, MapValuesQuery } from './map.js';
import { ImportQuery, ImportRequest, importTypes } from './imports.js';
import { KeyList, OwnKey, type Scope } from './keys.js';
import { Model, ModelList, SelfTestResponse } from './models.js';
import { PullableModels, PullRequest, PullResponse } from './pull.js';
import { ReembedRequest, ReembedResponse } from './reembed.js';
import { SearchRequest, SearchResponse } from './search.js';
import { SyncRequest } from './sync.js';
import { limits } from './limits.js';

export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI style: `/v1/collections/{name}`. */
  path: string;
  summary: string;
  /** What a key must hold for it; left out: `read` for GET, `write` for all else. */
  scope?: Scope;
  /** It concerns what is everybody's: not for keys of some collections. */
  isWhole?: true;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** The type of a body that goes to the disk as it comes, in place of JSON. */
  upload?: string;
  /** Types of bodies that may come in place of the JSON form, and go to the disk as they come. */
  uploads?: readonly string[];
  /** What a multipart body may hold beside the JSON form. */
  multipart?: { description: string; file: 'one' | 'many'; part?: 'request' | 'metadata' };
  /** Success. No schema: no body (204), bytes or events. */
  status: 200 | 201 | 202 | 204;
  response?: z.ZodType;
  bytes?: string;
  /** A stream of bytes of these types, by the query's `format`; the first is the default. */
  formats?: Record<string, string>;
  /** A stream of server-sent events, each with data of this schema; it goes on behind `Last-Event-ID`, and answers 204 where nothing comes behind that. */
  events?: { names: readonly string[]; data: z.ZodType };
  /** Error statuses besides those that any route may give. */
  errors?: number[];
}

export const scopeOf = ({ scope, method }: Route): Scope => scope ?? (method === 'get' ? 'read' : 'write');

export const exportFormats = ['jsonl', 'parquet'] as const;
export type ExportFormat = (typeof exportFormats)[number];
const exportTypes: Record<ExportFormat, string> = { jsonl: 'application/jsonl', parquet: 'application/vnd.apache.parquet' };

const backupType = 'application/x-tar';

const CollectionParams = z.object({ name: CollectionName });
const ItemParams = z.object({ name: CollectionName, id: Id });
const flag = z.enum(['true', 'false']);
const FilterQuery = z.string().meta({ description: 'A filter as JSON, URL-encoded.' });
const NamesQuery = z
  .string()
  .refine((text) => text.split(',').every((name) => CollectionName.safeParse(name).success), 'It takes names of collections, separated by commas.')
  .meta({ description: 'Names of those to restore, separated by commas. Left out: all but an empty `default`, and the classifiers.' });
const PageLimit = z.string().regex(/^[1-9]\d{0,8}$/, 'limit is a whole number.').refine((text) => Number(text) <= limits.page, `limit is at most ${limits.page}.`).meta({ type: 'integer', minimum: 1, maximum: limits.page });
const FoundParams = z.object({ name: CollectionName, id: z.string().min(1).max(limits.jobIdLength) });
const PageQuery = z.strictObject({ limit: PageLimit.optional(), cursor: z.string().max(limits.cursorLength).optional() });

export const routes = {
  embed: { method: 'post', scope: 'read', path: '/v1/embeddings', summary: 'Embed texts and pictures', body: EmbeddingsRequest, status: 200, response: EmbeddingsResponse, errors: [404, 415, 422, 429] },
  classify: { method: 'post', scope: 'read', path: '/v1/classify', summary: 'Classify texts and pictures by labels, without training', body: ClassifyRequest, status: 200, response: ClassifyResponse, errors: [404, 409, 415, 422, 429] },
  decide: { method: 'post', scope: 'read', path: '/v1/decisions', summary: 'Answer typed questions about a picture or a text, each by itself', body: DecisionsRequest, status: 200, response: DecisionsResponse, errors: [404, 415, 422, 429] },

  listClassifiers: { method: 'get', path: '/v1/classifiers', summary: 'All classifiers, by name', status: 200, response: ClassifierList },
  putClassifier: { method: 'put', isWhole: true, path: '/v1/classifiers/{name}', summary: 'Save labels as a classifier, or change them; examples stay where the model does', params: ClassifierParams, body: NewClassifier, status: 200, response: Classifier, errors: [404, 422, 429] },
  getClassifier: { method: 'get', path: '/v1/classifiers/{name}', summary: 'One classifier, and how good its examples make it', params: ClassifierParams, status: 200, response: Classifier, errors: [404, 409] },
  deleteClassifier: { method: 'delete', isWhole: true, path: '/v1/classifiers/{name}', summary: 'Delete a classifier and its examples', params: ClassifierParams, status: 204, errors: [404] },
  addExamples: { method: 'post', isWhole: true, path: '/v1/classifiers/{name}/examples', summary: 'Show a classifier what is, or is not, of a label', params: ClassifierParams, body: NewExamples, status: 200, response: Classifier, errors: [404, 409, 415, 422, 429] },
  removeExamples: { method: 'delete', isWhole: true, path: '/v1/classifiers/{name}/examples', summary: 'Take examples away again', params: ClassifierParams, body: RemovedExamples, status: 200, response: Classifier, errors: [404, 409, 422] },

  listModels: { method: 'get', path: '/v1/models', summary: 'The models there are, the default one first', status: 200, response: ModelList },
  selfTest: { method: 'post', scope: 'read', path: '/v1/models/{id}/selftest', summary: "Run a model's golden vectors", params: z.object({ id: Id }), status: 200, response: SelfTestResponse, errors: [404] },
  pullableModels: { method: 'get', path: '/v1/models/pull', summary: 'Models that are known to be good and can be pulled', status: 200, response: PullableModels },
  pullModel: { method: 'post', scope: 'admin', isWhole: true, path: '/v1/models/pull', summary: 'Pull a model from the hub into the models directory: a job. Off unless MIXSPACE_HUB=yes; without keys, from the loopback alone', body: PullRequest, status: 202, response: PullResponse, errors: [404, 409, 422, 429, 507] },
  // Behind the ones above, whose paths it matches too.
  getModel: { method: 'get', path: '/v1/models/{id}', summary: 'One model, by its id or another name of it', params: z.object({ id: Id }), status: 200, response: Model, errors: [404] },

  ownKey: { method: 'get', path: '/v1/keys/self', summary: 'What the caller may do', status: 200, response: OwnKey },
  listKeys: { method: 'get', scope: 'admin', isWhole: true, path: '/v1/keys', summary: 'What each key may do, and when it was used', status: 200, response: KeyList },

  createCollection: { method: 'post', path: '/v1/collections', summary: 'Create a collection', body: NewCollection, status: 201, response: Collection, errors: [404, 409] },
  listCollections: { method: 'get', path: '/v1/collections', summary: 'All collections', status: 200, response: CollectionList },
  getCollection: { method: 'get', path: '/v1/collections/{name}', summary: 'One collection', params: CollectionParams, status: 200, response: Collection, errors: [404] },
  patchCollection: { method: 'patch', path: '/v1/collections/{name}', summary: "Change a collection's settings", params: CollectionParams, body: CollectionPatch, status: 200, response: PatchedCollection, errors: [404, 429] },
  deleteCollection: { method: 'delete', path: '/v1/collections/{name}', summary: 'Delete a collection and all it holds', params: CollectionParams, status: 204, errors: [404, 409] },

  measureRecall: { method: 'post', scope: 'read', path: '/v1/collections/{name}/recall', summary: 'How many of the ten nearest searches find, measured now beside exact ones', params: CollectionParams, body: RecallRequest, status: 200, response: RecallResponse, errors: [404] },

  reembed: { method: 'post', path: '/v1/collections/{name}/reembed', summary: 'Embed a collection again with another model, or go on with it', params: CollectionParams, body: ReembedRequest, status: 200, response: ReembedResponse, errors: [404, 409] },
  getReembedding: { method: 'get', path: '/v1/collections/{name}/reembed', summary: 'How far a collection is on the way to another model', params: CollectionParams, status: 200, response: ReembedResponse, errors: [404] },
  stopReembedding: { method: 'delete', path: '/v1/collections/{name}/reembed', summary: 'Stop embedding a collection again; what was done is kept, unless it is to be discarded', params: CollectionParams, query: z.strictObject({ discard: flag.optional() }), status: 200, response: ReembedResponse, errors: [404] },

  classifyCollection: { method: 'post', path: '/v1/collections/{name}/classify', summary: 'Classify the items of a collection: labels with their probabilities go into their metadata, by a job', params: CollectionParams, body: ClassifyCollectionRequest, status: 202, response: JobResponse, errors: [404, 409, 422, 429] },

  listJobs: { method: 'get', path: '/v1/jobs', summary: 'Long work: what waits, runs, was paused, and the latest that has ended', query: JobQuery, status: 200, response: JobList },
  getJob: { method: 'get', path: '/v1/jobs/{id}', summary: 'One job', params: JobParams, status: 200, response: Job, errors: [404] },
  pauseJob: { method: 'post', path: '/v1/jobs/{id}/pause', summary: 'Stop a job for now; answered when nothing of it runs any more', params: JobParams, status: 200, response: Job, errors: [404, 409] },
  resumeJob: { method: 'post', path: '/v1/jobs/{id}/resume', summary: 'Let a job that was paused, or has failed, go on', params: JobParams, status: 200, response: Job, errors: [404, 409, 429] },
  cancelJob: { method: 'post', path: '/v1/jobs/{id}/cancel', summary: 'End a job, and throw away what it kept to go on', params: JobParams, status: 200, response: Job, errors: [404, 409] },
  listJobFailures: { method: 'get', path: '/v1/jobs/{id}/failures', summary: 'What a job could not do, and why', params: JobParams, query: JobFailuresQuery, status: 200, response: JobFailures, errors: [404] },
  jobEvents: { method: 'get', path: '/v1/jobs/{id}/events', summary: 'Follow a job until it has ended', params: JobParams, status: 200, events: { names: jobEvents, data: JobEventData }, errors: [404, 429] },

  backup: { method: 'get', scope: 'admin', isWhole: true, path: '/v1/backup', summary: 'All collections at one moment, as an archive that `mixspace restore` reads; models are not in it, nor pictures that were taken in by path', status: 200, formats: { tar: backupType }, errors: [409] },

  restore: {
    method: 'post', scope: 'admin', isWhole: true, path: '/v1/restore', summary: 'Take in the collections of a backup: none of them may be there yet, but for `default` while it is empty. Classifiers of names that are not there come too. Answered when all of it has come and was verified; a job does the rest',
    query: z.strictObject({ collections: NamesQuery.optional() }), upload: backupType, status: 202, response: RestoreResponse, errors: [404, 409, 429],
  },

  addItems: {
    method: 'post', path: '/v1/collections/{name}/items', summary: 'Take in items; each stands for itself', params: CollectionParams, body: ItemsRequest,
    multipart: { description: 'Pictures as `file` parts; `metadata`: an object by file name, or a list of {id?, metadata?, source?} in their order.', file: 'many', part: 'metadata' },
    status: 200, response: ItemsResponse, errors: [404, 409, 415, 422, 429],
  },
  startImport: {
    method: 'post', path: '/v1/collections/{name}/imports', summary: 'Take in an archive of pictures, a list of URLs or a folder: a job. An archive or a list lies under the server\'s roots, or is the body itself', params: CollectionParams, query: ImportQuery, body: ImportRequest, uploads: importTypes,
    status: 202, response: JobResponse, errors: [404, 422, 429],
  },
  itemsExist: { method: 'post', scope: 'read', path: '/v1/collections/{name}/items/exists', summary: 'Which of these ids are missing', params: CollectionParams, body: ExistsRequest, status: 200, response: ExistsResponse, errors: [404] },
  itemEmbeddings: { method: 'post', scope: 'read', path: '/v1/collections/{name}/items/embeddings', summary: 'The embeddings of these items', params: CollectionParams, body: ItemEmbeddingsRequest, status: 200, response: ItemEmbeddings, errors: [404] },
  exportItems: {
    method: 'get', path: '/v1/collections/{name}/export', summary: 'All of a collection, by id: what is told of each item, its embeddings, and its thumbnail where asked', params: CollectionParams,
    query: z.strictObject({ format: z.enum(exportFormats).optional(), thumbnails: flag.optional() }), status: 200, formats: exportTypes, errors: [404],
  },
  listItems: { method: 'get', path: '/v1/collections/{name}/items', summary: 'Items by id, or by a field', params: CollectionParams, query: z.strictObject({ filter: FilterQuery.optional(), sort: SortQuery.optional(), limit: PageLimit.optional(), cursor: z.string().max(limits.cursorLength).optional() }), status: 200, response: ItemPage, errors: [404] },
  facets: { method: 'get', path: '/v1/collections/{name}/facets', summary: 'How many items have which value of a field', params: CollectionParams, query: z.strictObject({ fields: FieldsQuery, filter: FilterQuery.optional(), limit: PageLimit.optional() }), status: 200, response: Facets, errors: [404] },
  mergeMetadata: { method: 'patch', path: '/v1/collections/{name}/items', summary: 'Lay fields over the metadata of many items', params: CollectionParams, body: MetadataMerge, status: 200, response: Merged, errors: [404] },
  deleteItems: { method: 'delete', path: '/v1/collections/{name}/items', summary: 'Delete the items a filter matches, or all', params: CollectionParams, query: z.strictObject({ filter: FilterQuery.optional(), all: flag.optional() }), status: 200, response: Deleted, errors: [404] },
  getItem: { method: 'get', path: '/v1/collections/{name}/items/{id}', summary: 'One item', params: ItemParams, status: 200, response: Item, errors: [404] },
  patchItem: { method: 'patch', path: '/v1/collections/{name}/items/{id}', summary: "Replace an item's metadata, or change its sources", params: ItemParams, body: ItemPatch, status: 200, response: Item, errors: [404] },
  deleteItem: { method: 'delete', path: '/v1/collections/{name}/items/{id}', summary: 'Delete an item', params: ItemParams, status: 204, errors: [404] },
  itemSources: { method: 'get', path: '/v1/collections/{name}/items/{id}/sources', summary: 'All places where an item was found, page after page', params: ItemParams, query: PageQuery, status: 200, response: ItemSources, errors: [404] },
  itemImage: { method: 'get', path: '/v1/collections/{name}/items/{id}/image', summary: "An item's picture", params: ItemParams, query: z.strictObject({ size: z.enum(['thumbnail', 'original']).optional() }), status: 200, bytes: 'image/*', errors: [404] },

  sync: { method: 'post', path: '/v1/collections/{name}/sync', summary: 'Make the collection equal to what lies under a folder of the server: a job. What is new, changed, moved and deleted is told apart; what cannot be reached stays', params: CollectionParams, body: SyncRequest, status: 202, response: StartedJob, errors: [404, 422, 429] },

  findDuplicates: { method: 'post', path: '/v1/collections/{name}/duplicates', summary: 'Look for items that are nearly the same: a job', params: CollectionParams, body: DuplicatesRequest, status: 202, response: StartedJob, errors: [404, 429] },
  getDuplicates: { method: 'get', path: '/v1/collections/{name}/duplicates', summary: 'What is nearly the same, in groups, as it was found last', params: CollectionParams, query: PageQuery, status: 200, response: Duplicates, errors: [404] },
  getDuplicateGroup: { method: 'get', path: '/v1/collections/{name}/duplicates/{id}', summary: 'All items of one group', params: FoundParams, query: PageQuery, status: 200, response: DuplicateGroupPage, errors: [404] },

  makeClusters: { method: 'post', path: '/v1/collections/{name}/clusters', summary: 'Put items that are alike together, and name what they are: a job', params: CollectionParams, body: ClustersRequest, status: 202, response: StartedJob, errors: [404, 409, 422, 429] },
  getClusters: { method: 'get', path: '/v1/collections/{name}/clusters', summary: 'The clusters as they were made last', params: CollectionParams, query: ClustersQuery, status: 200, response: Clusters, errors: [404] },
  getCluster: { method: 'get', path: '/v1/collections/{name}/clusters/{id}', summary: 'One cluster with its items', params: FoundParams, query: PageQuery, status: 200, response: ClusterPage, errors: [404] },
  renameCluster: { method: 'patch', path: '/v1/collections/{name}/clusters/{id}', summary: 'Give a cluster another name', params: FoundParams, body: ClusterName, status: 200, response: Cluster, errors: [404, 409] },

  makeMap: { method: 'post', path: '/v1/collections/{name}/map', summary: 'Lay all items out on a plane, what is alike close together, or place those that came since on the map that is there: a job', params: CollectionParams, body: MapRequest, status: 202, response: StartedJob, errors: [404, 409, 422, 429] },
  getMap: { method: 'get', path: '/v1/collections/{name}/map', summary: 'The map as it was made last', params: CollectionParams, status: 200, response: CollectionMap, errors: [404] },
  mapPoints: { method: 'get', path: '/v1/collections/{name}/map/points', summary: 'Where all points lie: x0, y0, x1, ... as little-endian float32, -1..1; NaN where the item has gone', params: CollectionParams, query: MapPointsQuery, status: 200, bytes: 'application/octet-stream', errors: [404] },
  listMapItems: { method: 'get', path: '/v1/collections/{name}/map/items', summary: 'Points by number, each with its item', params: CollectionParams, query: MapItemsQuery, status: 200, response: MapPoints, errors: [404] },
  getMapItems: { method: 'post', scope: 'read', path: '/v1/collections/{name}/map/items', summary: 'The items of these points', params: CollectionParams, body: MapItemsRequest, status: 200, response: MapItems, errors: [404] },
  mapSheet: { method: 'get', path: '/v1/collections/{name}/map/sheets/{n}', summary: 'Small thumbnails of many points in one picture: that of point n * columns * rows + row * columns + column stands in that row and column, transparent where there is none. A browser that has it asks by its ETag whether it is still the same', params: MapSheetParams, query: MapSheetQuery, status: 200, bytes: 'image/webp', errors: [404] },
  mapScores: { method: 'post', scope: 'read', path: '/v1/collections/{name}/map/scores', summary: 'How near all points are to a query: cosines by number as little-endian float32; NaN of those without an embedding, and that do not match', params: CollectionParams, body: MapScoresRequest, status: 200, bytes: 'application/octet-stream', errors: [404, 409, 415, 422, 429] },
  mapValues: { method: 'get', path: '/v1/collections/{name}/map/values', summary: 'A field of all points at once, to color them by', params: CollectionParams, query: MapValuesQuery, status: 200, response: MapValues, errors: [404] },

  search: {
    method: 'post', scope: 'read', path: '/v1/collections/{name}/search', summary: 'Search by words, pictures, items or embeddings', params: CollectionParams, body: SearchRequest,
    multipart: { description: 'One picture as `file`; the JSON request in a part `request`.', file: 'one', part: 'request' },
    status: 200, response: SearchResponse, errors: [404, 409, 415, 422, 429],
  },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
