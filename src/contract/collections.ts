import { z } from 'zod';
import { byModality } from '../domain/modality.js';
import { queryKinds } from '../domain/recall.js';
import { tileChoices } from '../domain/tiles.js';
import { CollectionName, Modality, ModelId } from './shared.js';
import { Filter, TextFields } from './filter.js';
import { limits } from './limits.js';
import { Reembedding } from './reembed.js';
import { maybe } from './zod-helpers.js';

export const Tiles = z
  .enum(tileChoices, { error: `tiles is one of ${tileChoices.join(', ')}.` })
  .meta({ id: 'Tiles', description: 'What pictures are cut into beside the whole, each part with an embedding of its own, so that small things are found. `auto`: by the picture\'s size and shape, up to 3x3; nothing where a tile would have fewer pixels than the model sees.' });

export const NewCollection = z
  .strictObject({
    name: CollectionName,
    model: maybe(ModelId),
    description: maybe(z.string().max(limits.descriptionLength)),
    originals: maybe(z.enum(['keep', 'thumbnail'])).meta({ description: 'Whether the bytes of uploaded pictures are kept (default), or thumbnails alone.' }),
    text_fields: maybe(TextFields),
    tiles: maybe(Tiles).meta({ description: 'Default none.' }),
  })
  .meta({ id: 'NewCollection' });
export type NewCollection = z.infer<typeof NewCollection>;

export const CollectionPatch = z
  .strictObject({ text_fields: maybe(TextFields), tiles: maybe(Tiles) })
  .meta({ id: 'CollectionPatch', description: 'What is left out stays. What a change means for the items that are there is done in the background: for `text_fields`, `full_text` tells how far it is; for `tiles`, the job that the answer names, which cuts originals or, where there is none, thumbnails.' });
export type CollectionPatch = z.infer<typeof CollectionPatch>;

export const findingKinds = ['map', 'clusters', 'duplicates'] as const;
export type FindingKind = (typeof findingKinds)[number];

export const Finding = z
  .object({
    kind: z.enum(findingKinds).meta({ description: 'The last part of the path under the collection where it is told, and what `POST` there makes anew.' }),
    job: z.string().meta({ description: 'That found it out.' }),
    made_at: z.string(),
    stale: z.boolean().meta({ description: 'The collection or one of its items was changed since that job began, be it in its metadata.' }),
  })
  .meta({ id: 'Finding' });
export type Finding = z.infer<typeof Finding>;

export const Collection = z
  .object({
    name: z.string(),
    description: z.string().nullable(),
    model: z.string(),
    model_available: z.boolean().meta({ description: "False when the model has gone or changed: the collection lists and searches by embedding, but can't encode." }),
    fingerprint: z.string(),
    dimensions: z.number().int(),
    originals: z.enum(['keep', 'thumbnail']),
    text_fields: TextFields,
    tiles: Tiles,
    full_text: z
      .object({ state: z.enum(['ready', 'building']), waiting: z.number().int() })
      .meta({ description: 'Of the words that searches with `lexical` find. `building`: `waiting` items are still to be read, and are not found by their words until then.' }),
    created_at: z.string(),
    counts: z.object({ ...byModality(() => z.number().int()), total: z.number().int() }),
    parts: z.number().int().meta({ description: 'Embeddings of the collection\'s space: one of each item, and one of each tile.' }),
    not_embedded: z.number().int().meta({ description: 'Items without an embedding of the collection\'s space: searches do not find them.' }),
    bytes: z.number().int(),
    graph: z
      .object({ state: z.enum(['ready', 'building', 'none']), indexed: z.number().int() })
      .meta({ description: 'Of what makes searches of many embeddings quick: `ready`; `building`, while they are right and slower; `none`, where there are few, or too many for the memory. `indexed`: embeddings that it holds.' }),
    recall: z
      .array(
        z.object({
          modality: Modality,
          state: z.enum(['exact', 'measured', 'unknown']).meta({ description: '`exact`: searches compare with everything.' }),
          share: z.number().optional().meta({ description: 'The greatest share of embeddings, 0 to 1, that an unfiltered search for ten compares with, by what was measured.' }),
          bands: z.array(z.object({ query: z.enum(queryKinds), selectivity: z.number(), recall: z.number(), low: z.number(), high: z.number(), queries: z.number().int(), at: z.string() })),
        }),
      )
      .meta({ description: 'How many of the ten nearest searches find, measured in the background beside exact answers, with a 95 % interval: of stored embeddings (`item`), of what was searched for of late by `text`, by `image`, by `embedding` or an id, or by several of them (`mixed`); by the share that a filter let through, to a power of ten.' }),
    findings: z.array(Finding).meta({ description: 'What jobs have found out about the collection; what is not among them is not there yet.' }),
    reembedding: Reembedding.optional().meta({ description: 'Being embedded again, or stopped on the way.' }),
  })
  .meta({ id: 'Collection' });
export type Collection = z.infer<typeof Collection>;

export const PatchedCollection = Collection.extend({
  job: z.string().optional().meta({ description: 'With `tiles`: the job that cuts the pictures that are there. Its result: from_originals, from_thumbnails, unreachable (those of which nothing is left to be cut), bytes that embeddings take more, seconds.' }),
}).meta({ id: 'PatchedCollection' });
export type PatchedCollection = z.infer<typeof PatchedCollection>;

export const RecallRequest = z
  .strictObject({
    queries: maybe(z.number().int().min(1).max(limits.recallQueries)).meta({ description: 'Items that are searched for in each modality. Default 100.' }),
    filter: maybe(Filter),
  })
  .meta({ id: 'RecallRequest' });
export type RecallRequest = z.infer<typeof RecallRequest>;

export const RecallResponse = z
  .object({
    bands: z.array(
      z.object({
        modality: Modality,
        query: z.literal('item'),
        selectivity: z.number().meta({ description: 'The share of items that the filter matches.' }),
        exact: z.boolean().meta({ description: 'The searches were exact ones.' }),
        recall: z.number(),
        low: z.number(),
        high: z.number(),
        queries: z.number().int(),
        at: z.string(),
      }),
    ),
  })
  .meta({ id: 'RecallResponse' });
export type RecallResponse = z.infer<typeof RecallResponse>;

export const CollectionList = z.object({ collections: z.array(Collection) }).meta({ id: 'CollectionList' });
export type CollectionList = z.infer<typeof CollectionList>;
