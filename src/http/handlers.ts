/** What each route of the contract does: read the request's parts, call one operation. */
import type { Request } from 'express';
import type { z } from 'zod';
import { Filter, sortOf } from '../contract/filter.js';
import type { CollectionList } from '../contract/collections.js';
import { FileNote, NewItem } from '../contract/items.js';
import type { Job } from '../contract/jobs.js';
import { limits as contractLimits } from '../contract/limits.js';
import { routes, type RouteName, type Routes } from '../contract/routes.js';
import { SearchRequest } from '../contract/search.js';
import type { Filter as Condition } from '../domain/filter.js';
import type { Metadata } from '../domain/metadata.js';
import { MixspaceError } from '../errors.js';
import { backup } from '../operations/backup.js';
import { getCluster, getClusters, makeClusters, renameCluster } from '../operations/clusters/clusters.js';
import { createCollection, deleteCollection, getCollection, listCollections, patchCollection } from '../operations/collections.js';
import type { Caller, JobContext } from '../operations/context.js';
import { findDuplicates, getDuplicateGroup, getDuplicates } from '../operations/duplicates/duplicates.js';
import { classify } from '../operations/classify/classify.js';
import { classifyCollection } from '../operations/classify-collection/job.js';
import { addExamples, deleteClassifier, getClassifier, listClassifiers, putClassifier, removeExamples } from '../operations/classifiers/classifiers.js';
import { decide } from '../operations/decisions/decisions.js';
import { embed } from '../operations/embed/embed.js';
import { exportItems } from '../operations/export/export.js';
import { importFrom, importUpload } from '../operations/imports/imports.js';
import { ingest, type Entry } from '../operations/ingest.js';
import { mergeMetadata } from '../operations/merge-metadata.js';
import { deleteItem, deleteItems, facets, getItem, itemEmbeddings, itemImage, itemSources, itemsExist, listItems, patchItem } from '../operations/items.js';
import { cancelJob, followJob, getJob, listJobFailures, listJobs, pauseJob, resumeJob } from '../operations/jobs.js';
import { getMap, getMapItems, listMapItems, makeMap, mapPoints, mapScores, mapSheet, mapValues } from '../operations/map/map.js';
import { getModel, listModels, selfTest } from '../operations/models.js';
import { pullableModels, pullModel } from '../operations/pull/pull.js';
import { measureRecall } from '../operations/recall.js';
import { getReembedding, reembed, stopReembedding } from '../operations/reembed/reembed.js';
import { restore } from '../operations/restore.js';
import { search } from '../operations/search/search.js';
import { sync } from '../operations/sync/sync.js';
import { requireCollection, type Access } from './access/access.js';
import { ownKey, toldKey } from './access/told.js';
import { requireMovable, requireSeen } from './access/jobs.js';
import type { KeyRing } from './access/key-ring.js';
import { bodyStream } from './body-stream.js';
import type { BodyLimits } from './bodies.js';
import { knownTags } from './entity-tags.js';
import { isAllowedHere } from './guards.js';
import { readJson } from './json/read.js';
import { readMultipart, type Upload } from './multipart.js';
import { parse } from './parse.js';

type Parsed<K extends RouteName, Part extends 'params' | 'query' | 'body'> = Routes[K] extends Record<Part, infer S extends z.ZodType> ? z.output<S> : undefined;

/** A request whose params, query and body have passed the route's schemas. A multipart body is still to be read: `body` is undefined then. */
export interface Call<K extends RouteName> {
  params: Parsed<K, 'params'>;
  query: Parsed<K, 'query'>;
  body: Parsed<K, 'body'>;
  request: Request;
  access: Access;
  caller: Caller;
}

export type Handlers = { [K in RouteName]: (call: Call<K>) => unknown };

export function handlersOf(context: JobContext, keys: KeyRing, limits: BodyLimits): Handlers {
  const seenJob = async (id: string, access: Access): Promise<Job> => requireSeen(access, await getJob(context, id));
  const movableJob = async (id: string, access: Access): Promise<string> => requireMovable(access, await getJob(context, id)).id;
  return {
    ownKey: ({ access }) => ownKey(access),
    listKeys: () => ({ keys: keys.list().map(toldKey) }),


    embed: ({ body, caller }) => embed(context, body, caller),
    classify: ({ body, caller }) => classify(context, body, caller),
    decide: ({ body, caller }) => decide(context, body, caller),
    listClassifiers: () => listClassifiers(context),
    putClassifier: ({ params, body, caller }) => putClassifier(context, params.name, body, caller),
    getClassifier: ({ params, caller }) => getClassifier(context, params.name, caller),
    deleteClassifier: ({ params }) => deleteClassifier(context, params.name),
    addExamples: ({ params, body, caller }) => addExamples(context, params.name, body, caller),
    removeExamples: ({ params, body, caller }) => removeExamples(context, params.name, body, caller),
    listModels: () => listModels(context),
    getModel: ({ params }) => getModel(context, params.id),
    selfTest: ({ params }) => selfTest(context, params.id),
    pullableModels: ({ request }) => pullableModels(context, isAllowedHere(request)),
    pullModel: ({ body, caller }) => pullModel(context, body, caller),

    createCollection: ({ body, access }) => {
      requireCollection(access, body.name);
      return createCollection(context, body);
    },
    listCollections: async ({ access }) => reached(access, await listCollections(context)),
    getCollection: ({ params }) => getCollection(context, params.name),
    patchCollection: ({ params, body }) => patchCollection(context, params.name, body),
    deleteCollection: ({ params }) => deleteCollection(context, params.name),

    measureRecall: ({ params, body, caller }) => measureRecall(context, params.name, body, caller),
    reembed: ({ params, body }) => reembed(context, params.name, body),
    getReembedding: ({ params }) => getReembedding(context, params.name),
    stopReembedding: ({ params, query }) => stopReembedding(context, params.name, query.discard === 'true'),

    classifyCollection: ({ params, body, caller }) => classifyCollection(context, params.name, body, caller),

    listJobs: ({ query: { collection, kind, state, ...page }, access }) => {
      if (collection !== undefined) requireCollection(access, collection);
      return listJobs(context, { collections: collection === undefined ? access.collections && [...access.collections] : [collection], kind, state, ...pageOf(page) });
    },
    getJob: ({ params, access }) => seenJob(params.id, access),
    pauseJob: async ({ params, access }) => pauseJob(context, await movableJob(params.id, access)),
    resumeJob: async ({ params, access }) => resumeJob(context, await movableJob(params.id, access)),
    cancelJob: async ({ params, access }) => cancelJob(context, await movableJob(params.id, access)),
    listJobFailures: async ({ params, query, access }) => listJobFailures(context, (await seenJob(params.id, access)).id, pageOf(query)),
    jobEvents: async ({ params, request, access, caller }) => followJob(context, (await seenJob(params.id, access)).id, request.get('Last-Event-ID'), caller),

    addItems: async ({ params, body, request, caller }) => {
      const entries = body === undefined ? await uploadedEntries(request, limits) : body.items.map((item) => jsonEntry(item));
      return ingest(context, params.name, entries, caller);
    },
    startImport: ({ params, query, body, request }) => (body === undefined ? importUpload(context, params.name, bodyStream(request, limits.import), query.name) : importFrom(context, params.name, body)),
    itemsExist: ({ params, body }) => itemsExist(context, params.name, body.ids),
    listItems: async ({ params, query }) =>
      listItems(context, params.name, {
        ...(await filterOf(query.filter, limits)),
        ...(query.sort === undefined ? {} : { sort: sortOf(query.sort) }),
        ...pageOf(query),
      }),
    itemEmbeddings: ({ params, body }) => itemEmbeddings(context, params.name, body),
    exportItems: ({ params, query }) => exportItems(context, params.name, { format: query.format ?? 'jsonl', thumbnails: query.thumbnails === 'true' }),
    backup: () => backup(context),
    restore: ({ query, request }) => restore(context, bodyStream(request, limits.backup), query.collections?.split(',')),
    facets: async ({ params, query }) => facets(context, params.name, { fields: query.fields.split(','), ...(await filterOf(query.filter, limits)), ...pageOf(query) }),
    mergeMetadata: ({ params, body, caller }) => mergeMetadata(context, params.name, body, caller),
    deleteItems: async ({ params, query }) => deleteItems(context, params.name, { ...(await filterOf(query.filter, limits)), all: query.all === 'true' }),
    getItem: ({ params }) => getItem(context, params.name, params.id),
    patchItem: ({ params, body }) => patchItem(context, params.name, params.id, body),
    deleteItem: ({ params }) => deleteItem(context, params.name, params.id),
    itemSources: ({ params, query }) => itemSources(context, params.name, params.id, pageOf(query)),
    itemImage: ({ params, query }) => itemImage(context, params.name, params.id, query.size ?? 'thumbnail'),

    sync: ({ params, body }) => sync(context, params.name, body),

    findDuplicates: ({ params, body }) => findDuplicates(context, params.name, body),
    getDuplicates: ({ params, query }) => getDuplicates(context, params.name, pageOf(query)),
    getDuplicateGroup: ({ params, query }) => getDuplicateGroup(context, params.name, params.id, pageOf(query)),
    makeClusters: ({ params, body }) => makeClusters(context, params.name, body),
    getClusters: ({ params, query }) => getClusters(context, params.name, query.language),
    getCluster: ({ params, query }) => getCluster(context, params.name, params.id, pageOf(query)),
    renameCluster: ({ params, body }) => renameCluster(context, params.name, params.id, body.name),

    makeMap: ({ params, body }) => makeMap(context, params.name, body),
    getMap: ({ params }) => getMap(context, params.name),
    mapPoints: ({ params, query: { from, to, job } }) => mapPoints(context, params.name, { ...(from === undefined ? {} : { from: Number(from) }), ...(to === undefined ? {} : { to: Number(to) }), ...(job === undefined ? {} : { job }) }),
    listMapItems: ({ params, query: { from, limit, job } }) => listMapItems(context, params.name, { ...(from === undefined ? {} : { from: Number(from) }), ...(limit === undefined ? {} : { limit: Number(limit) }), ...(job === undefined ? {} : { job }) }),
    getMapItems: ({ params, body }) => getMapItems(context, params.name, body),
    mapSheet: ({ params, query: { job }, request }) => mapSheet(context, params.name, Number(params.n), { known: knownTags(request), ...(job === undefined ? {} : { job }) }),
    mapScores: ({ params, body, caller }) => mapScores(context, params.name, body, caller),
    mapValues: ({ params, query }) => mapValues(context, params.name, query),

    search: async ({ params, body, request, caller }) => {
      if (body !== undefined) return search(context, params.name, { ...body, file: undefined }, caller);
      const { part: name } = routes.search.multipart;
      const { files, texts } = await readMultipart(request, { files: 'file', texts: [name] }, { ...limits, files: 1 });
      const part = texts.get(name);
      const wanted = parse(SearchRequest, part === undefined ? {} : await readJson(part, limits.json, { text: 'The part request', param: 'request' }));
      const bytes = files[0]?.bytes;
      if (bytes instanceof MixspaceError) throw bytes;
      return search(context, params.name, { ...wanted, file: bytes }, caller);
    },
  };
}

const reached = ({ collections }: Access, all: CollectionList): CollectionList => (collections ? { ...all, collections: all.collections.filter(({ name }) => collections.has(name)) } : all);

function pageOf({ limit, cursor }: { limit?: string | undefined; cursor?: string | undefined }): { limit?: number; cursor?: string } {
  return { ...(limit === undefined ? {} : { limit: Number(limit) }), ...(cursor === undefined ? {} : { cursor }) };
}

async function filterOf(text: string | undefined, { json }: BodyLimits): Promise<{ filter?: Condition }> {
  return text === undefined ? {} : { filter: parse(Filter, await readJson(Buffer.from(text), json, { text: 'The filter', root: 'filter' }), 'filter') };
}

function jsonEntry(value: unknown): Entry {
  try {
    const { id, metadata, source, text, image, path, embedding, modality, fingerprint } = parse(NewItem, value);
    const note = { ...(id === undefined ? {} : { id }), ...(metadata === undefined ? {} : { metadata }), ...(source === undefined ? {} : { source }) };
    if (text !== undefined) return { ...note, content: { text } };
    if (image !== undefined) return { ...note, content: { image } };
    if (path !== undefined) return { ...note, content: { path } };
    return { ...note, content: { embedding: embedding!, modality: modality!, ...(fingerprint === undefined ? {} : { fingerprint }) } };
  } catch (error) {
    if (!(error instanceof MixspaceError)) throw error;
    const id = (value as { id?: unknown } | null)?.id;
    return { ...(typeof id === 'string' ? { id: id.slice(0, contractLimits.idBytes) } : {}), error };
  }
}

async function uploadedEntries(request: Request, limits: BodyLimits): Promise<Entry[]> {
  const { part: name } = routes.addItems.multipart;
  const { files, texts } = await readMultipart(request, { files: 'file', texts: [name] }, limits);
  const part = texts.get(name);
  if (files.length === 0) throw new MixspaceError('invalid_request', 'The multipart body has no part named file.', { param: 'file' });
  const notes = notesOf(files, part === undefined ? undefined : await readJson(part, limits.json, { text: 'The part metadata', root: 'metadata' }));
  return files.map((file, index) => {
    const note = notes[index]!;
    if (note instanceof MixspaceError) return { error: note };
    if (file.bytes instanceof MixspaceError) return { ...(note.id === undefined ? {} : { id: note.id }), error: file.bytes };
    return { ...note, content: { bytes: file.bytes, ...(file.name === undefined ? {} : { name: file.name }) } };
  });
}

type Note = { id?: string; metadata?: Metadata; source?: string };

/** The `metadata` part: an object by file name, with its folders or without, or a list in the files' order. */
function notesOf(files: Upload[], told: unknown): (Note | MixspaceError)[] {
  const noteAt = (value: unknown, field: string): Note | MixspaceError => {
    try {
      return parse(FileNote, value, field) as Note;
    } catch (error) {
      if (error instanceof MixspaceError) return error;
      throw error;
    }
  };
  if (told === undefined) return files.map(() => ({}));
  if (Array.isArray(told)) {
    if (told.length !== files.length) {
      throw new MixspaceError('invalid_request', `The metadata lists ${told.length} entries for ${files.length} files.`, { param: 'metadata' });
    }
    return told.map((value, index) => noteAt(value, `metadata[${index}]`));
  }
  if (typeof told !== 'object' || told === null) throw new MixspaceError('invalid_request', 'metadata is an object by file name, or a list in the order of the files.', { param: 'metadata' });
  const byName = new Map<string, unknown>(Object.entries(told));
  const lastOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
  const names = new Set(files.flatMap(({ name }) => (name === undefined ? [] : [name, lastOf(name)])));
  for (const name of byName.keys()) {
    if (!names.has(name)) throw new MixspaceError('invalid_request', `metadata speaks of "${name.slice(0, 200)}", but no file of that name was sent.`, { param: 'metadata' });
  }
  return files.map(({ name }) => {
    const known = name === undefined ? undefined : [name, lastOf(name)].find((each) => byName.has(each));
    return known === undefined ? {} : noteAt({ metadata: byName.get(known) }, `metadata.${known.slice(0, 100)}`);
  });
}
