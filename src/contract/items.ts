import { z } from 'zod';
import { Box, Embedding, ErrorBody, Fingerprint, Id, Metadata, Modality, Source } from './shared.js';
import { EmbeddingEncoding } from './embeddings.js';
import { Exif as ToldExif } from './exif.js';
import { Filter } from './filter.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const contentFields = ['text', 'image', 'path', 'embedding'] as const;

/** One entry of an ingest. Each stands for itself, so each is validated alone and fails alone. */
export const NewItem = z
  .strictObject({
    id: maybe(Id),
    metadata: maybe(Metadata),
    source: maybe(Source),
    text: maybe(z.string()),
    image: maybe(z.string()).meta({ description: 'An https URL, a data URI, or base64.' }),
    path: maybe(z.string().min(1).max(limits.pathLength)).meta({ description: "A file under one of the server's roots: read and referenced, never copied. One whose path is no UTF-8 is told, here and in `sources`, as a `file:` URL with those bytes percent-encoded." }),
    embedding: maybe(Embedding),
    modality: maybe(Modality).meta({ description: 'Of `embedding`, and only with it.' }),
    fingerprint: maybe(Fingerprint),
  })
  .superRefine((item, context) => {
    const given = contentFields.filter((field) => item[field] !== undefined);
    if (given.length !== 1) context.addIssue({ code: 'custom', path: [], message: `An item has exactly one of ${contentFields.join(', ')}${given.length ? `, not ${given.join(' and ')}` : ''}.` });
    if (item.embedding !== undefined && item.modality === undefined) context.addIssue({ code: 'custom', path: ['modality'], message: 'An item given as an embedding needs its modality, "image" or "text".' });
    if (item.embedding === undefined && item.modality !== undefined) context.addIssue({ code: 'custom', path: ['modality'], message: 'modality goes only with embedding.' });
    if (item.embedding === undefined && item.fingerprint !== undefined) context.addIssue({ code: 'custom', path: ['fingerprint'], message: 'fingerprint goes only with embedding.' });
  })
  .meta({ id: 'NewItem', description: `Exactly one of ${contentFields.map((field) => `\`${field}\``).join(', ')}; \`modality\` with \`embedding\` alone, and then needed.` });
export type NewItem = z.infer<typeof NewItem>;

/** What a file part of a multipart ingest may say of itself. */
export const FileNote = z.strictObject({ id: maybe(Id), metadata: maybe(Metadata), source: maybe(Source) }).meta({ id: 'FileNote' });
export type FileNote = z.infer<typeof FileNote>;

/** The envelope alone: the entries are validated one by one against NewItem. */
export const ItemsRequest = z
  .strictObject({ items: z.array(z.unknown().meta({ $ref: '#/components/schemas/NewItem' })).min(1) })
  .meta({ id: 'ItemsRequest' });
export type ItemsRequest = { items: NewItem[] };

export const ItemOutcome = z
  .object({
    id: z.string().nullable().meta({ description: 'null when it failed before it had one.' }),
    status: z.enum(['created', 'updated', 'unchanged', 'failed']),
    error: ErrorBody.shape.error.optional(),
  })
  .meta({ id: 'ItemOutcome' });
export type ItemOutcome = z.infer<typeof ItemOutcome>;

export const ItemsResponse = z.object({ items: z.array(ItemOutcome) }).meta({ id: 'ItemsResponse' });
export type ItemsResponse = z.infer<typeof ItemsResponse>;

export const ExistsRequest = z.strictObject({ ids: list(Id).max(limits.ids, `At most ${limits.ids} ids.`) }).meta({ id: 'ExistsRequest' });
export type ExistsRequest = z.infer<typeof ExistsRequest>;
export const ExistsResponse = z.object({ missing: z.array(z.string()) }).meta({ id: 'ExistsResponse' });
export type ExistsResponse = z.infer<typeof ExistsResponse>;

export const itemFields = {
  id: z.string(),
  modality: Modality,
  text: z.string().optional(),
  metadata: Metadata,
  sources: z.array(z.string()).meta({ description: `At most ${limits.toldSources}; \`/sources\` tells all.` }),
  source_count: z.number().int().optional().meta({ description: 'How many sources it has, where not all are told.' }),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  taken_at: z.string().optional().meta({ description: 'When a picture was taken, from EXIF, XMP or IPTC: local time of the camera, `YYYY-MM-DD[Thh:mm[:ss]]`; absent where the file tells none, or one that cannot be.' }),
  exif: ToldExif.optional(),
  image_url: z.string().optional().meta({ description: 'Relative to the service; a thumbnail, or the original with `?size=original`.' }),
};
export const Item = z
  .object({
    ...itemFields,
    content_hash: z.string(),
    not_embedded: z.string().optional().meta({ description: "Why it has no embedding of its collection's space: searches do not find it. Adding it again, or embedding the collection again once its original is back, mends that." }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Item' });
export type Item = z.infer<typeof Item>;

export const ItemPage = z.object({ items: z.array(Item), next_cursor: z.string().optional() }).meta({ id: 'ItemPage' });
export type ItemPage = z.infer<typeof ItemPage>;

export const ItemEmbeddingsRequest = z
  .strictObject({ ids: list(Id).max(limits.embeddings, `At most ${limits.embeddings} ids.`), encoding_format: maybe(EmbeddingEncoding).meta({ description: 'Default `float`.' }) })
  .meta({ id: 'ItemEmbeddingsRequest' });
export type ItemEmbeddingsRequest = z.infer<typeof ItemEmbeddingsRequest>;
export const ItemEmbeddings = z
  .object({
    fingerprint: z.string(),
    data: z.array(
      z.object({
        id: z.string(),
        modality: Modality,
        part: z.number().int().optional().meta({ description: 'Of an item with several embeddings, which one; the whole is 0.' }),
        box: Box.optional(),
        embedding: z.union([z.array(z.number()), z.string()]),
      }),
    ),
    missing: z.array(z.string()).meta({ description: 'Those of the ids that are not there, or have no embedding.' }),
  })
  .meta({ id: 'ItemEmbeddings' });
export type ItemEmbeddings = z.infer<typeof ItemEmbeddings>;

export const ValueCounts = z
  .object({
    values: z.array(z.object({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]), count: z.number().int() })).meta({ description: 'The most frequent first. An item with a list counts once for each scalar in it.' }),
    other: z.number().int().meta({ description: 'The same of all further values, and of items whose value is a string of over 256 characters, an object, or a list without a shorter scalar.' }),
    missing: z.number().int().meta({ description: 'Items without the field.' }),
  })
  .meta({ id: 'ValueCounts' });
export type ValueCounts = z.infer<typeof ValueCounts>;

export const Facets = z.object({ facets: z.record(z.string(), ValueCounts).meta({ description: 'By field.' }) }).meta({ id: 'Facets' });
export type Facets = z.infer<typeof Facets>;

const SourceList = list(Source).max(limits.changedSources, `At most ${limits.changedSources} sources.`);
export const ItemPatch = z
  .strictObject({
    metadata: maybe(Metadata).meta({ description: 'In place of what is there.' }),
    sources: maybe(z.strictObject({ add: maybe(SourceList), remove: maybe(SourceList) })).meta({ description: 'What is removed goes first; what is added stands behind the others, each once.' }),
  })
  .check(({ value, issues }) => {
    if (value.metadata === undefined && value.sources?.add === undefined && value.sources?.remove === undefined) issues.push({ code: 'custom', path: ['metadata'], input: value, message: 'It is missing: metadata, or sources to add or remove.' });
  })
  .meta({ id: 'ItemPatch' });
export type ItemPatch = z.infer<typeof ItemPatch>;

export const ItemSources = z.object({ sources: z.array(z.string()), next_cursor: z.string().optional() }).meta({ id: 'ItemSources' });
export type ItemSources = z.infer<typeof ItemSources>;

export const MetadataMerge = z
  .strictObject({
    ids: maybe(list(Id).min(1).max(limits.ids, `At most ${limits.ids} ids.`)),
    filter: maybe(Filter).meta({ description: 'Every item that matches when its turn comes.' }),
    metadata: Metadata.meta({ description: 'Laid over what is there, field by field; an object in a field is replaced whole.' }),
  })
  .check(({ value, issues }) => {
    if ((value.ids === undefined) === (value.filter === undefined)) issues.push({ code: 'custom', path: [value.ids === undefined ? 'ids' : 'filter'], input: value, message: 'Say which items: either ids or a filter.' });
  })
  .meta({ id: 'MetadataMerge' });
export type MetadataMerge = z.infer<typeof MetadataMerge>;

export const Merged = z
  .object({
    updated: z.number().int().meta({ description: 'Items that have these fields now, those included that had them before.' }),
    missing: z.array(z.string()).meta({ description: 'Those of the ids that are not there.' }),
    failed: z.array(z.object({ id: z.string(), reason: z.string() })).meta({ description: 'Left as they are; the first of them, by a filter.' }),
    failures: z.number().int().meta({ description: 'How many there are of these.' }),
  })
  .meta({ id: 'Merged' });
export type Merged = z.infer<typeof Merged>;

export const Deleted = z.object({ deleted: z.number().int() }).meta({ id: 'Deleted' });
export type Deleted = z.infer<typeof Deleted>;
