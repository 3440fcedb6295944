import { z } from 'zod';
import { Box, Embedding, Fingerprint, Id, Modality } from './shared.js';
import { Filter, SortQuery } from './filter.js';
import { itemFields } from './items.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

export const QueryPart = z
  .union(
    [
      z.string(),
      z.strictObject({ text: z.string() }),
      z.strictObject({ image: z.string() }),
      z.strictObject({ id: Id }),
      z.strictObject({ embedding: Embedding, fingerprint: maybe(Fingerprint) }),
      z.strictObject({ file: z.literal(true) }).meta({ description: 'Multipart only: the picture sent as `file`.' }),
    ],
    { error: 'A query is a string, {"text"}, {"image"}, {"id"}, {"embedding"} or, in multipart, {"file": true}.' },
  )
  .meta({ id: 'QueryPart' });
export type QueryPart = z.infer<typeof QueryPart>;

export const WeightedQuery = z
  .strictObject({ input: QueryPart, weight: maybe(z.number().min(-1e6).max(1e6)).meta({ description: 'Default 1; may be negative.' }) })
  .meta({ id: 'WeightedQuery' });
export type WeightedQuery = z.infer<typeof WeightedQuery>;

export const SearchRequest = z
  .strictObject({
    query: maybe(
      z.union([QueryPart, list(WeightedQuery).min(1).max(limits.queries, `At most ${limits.queries} weighted queries.`)], {
        error: 'query is a string, {"text"}, {"image"}, {"id"}, {"embedding"}, {"file": true}, or a list of {"input", "weight"}.',
      }),
    ).meta({ description: 'Needed, but in a multipart request with a file, or with `likes`.' }),
    negation: maybe(z.enum(['off', 'auto'])).meta({
      description: 'Default off. auto: what a text says is not to be there ("a beach without people", "Hund ohne Ball", "没有人的海滩", "beach -people") counts against a match; the answer tells it as `negated`.',
    }),
    likes: maybe(list(Id).max(limits.likes, `At most ${limits.likes} likes.`)).meta({ description: 'Items that matches are to be like; they are left out themselves. They may stand alone, without a query.' }),
    dislikes: maybe(list(Id).max(limits.likes, `At most ${limits.likes} dislikes.`)).meta({ description: 'Items that matches are to be unlike, beside a query or `likes`; they are left out themselves.' }),
    modality: maybe(Modality),
    filter: maybe(Filter),
    limit: maybe(z.number().int().min(1).max(limits.page, `limit is at most ${limits.page}.`)).meta({ description: 'Default 10.' }),
    cursor: maybe(z.string().max(limits.cursorLength)),
    min_score: maybe(z.number().min(-1).max(1)),
    exact: maybe(z.boolean()),
    lexical: maybe(z.enum(['off', 'auto'])).meta({
      description:
        'Default `off`. `auto`: names, numbers and codes of the text are found as words as well, in texts, file and folder names, and the collection\'s `text_fields`; both lists are joined by reciprocal rank for the first 1,000 matches, behind which the others follow by score. What stands in quotation marks must stand in a match.',
    }),
    understand: maybe(z.union([z.boolean(), z.strictObject({ except: list(z.string().max(limits.understood)).max(limits.exceptions, `At most ${limits.exceptions} texts.`) })], { error: 'understand is true, false or {"except": [texts]}.' })).meta({
      description:
        'Default false. true: times, kinds, folders and values of the metadata that the text says become filters, told as `understood`, and the rest is searched for; with nothing left, or a blank query, matches are listed by `sort`, without scores. `{"except": [...]}`: but for those parts, by their `text`, which are searched for.',
    }),
    cutoff: maybe(z.enum(['none', 'auto'], { error: 'cutoff is "none" or "auto".' })).meta({ description: 'Default `none`. `auto`: the relevant alone, and nothing where the best is not what was asked for; matches tell their `relevance`.' }),
    fusion: maybe(z.enum(['centered', 'raw'], { error: 'fusion is "centered" or "raw".' })).meta({
      description: 'How a list of both kinds is ordered. Default `centered`: each kind by how far its scores stand above what the query scores there on average; `raw`: by the scores themselves.',
    }),
    sort: maybe(SortQuery).meta({ description: 'With `cutoff: "auto"`: the relevant (the 1,000 nearest of them) by a field (`taken_at` is `$item.taken_at`), ascending, or `-` and a field, descending; those without it come last. With `understand`: what is listed where nothing is left to search for, by default `-$item.taken_at`, the newest first. Else 400.' }),
  })
  .meta({ id: 'SearchRequest' });
export type SearchRequest = z.infer<typeof SearchRequest>;

export const SearchMatch = z
  .object({
    ...itemFields,
    score: z.number().optional().meta({ description: 'Cosine similarity; left out where nothing was searched for.' }),
    part: z
      .object({ box: Box })
      .optional()
      .meta({ description: 'Where in the picture the best match lies: of a tile. Absent where the whole matched best.' }),
    relevance: z.number().optional().meta({ description: 'With `cutoff: "auto"`: how likely it is what was asked for, 0..1.' }),
  })
  .meta({ id: 'Match' });
export type SearchMatch = z.infer<typeof SearchMatch>;

export const SearchResponse = z
  .object({
    matches: z.array(SearchMatch),
    next_cursor: z.string().optional(),
    understood: z
      .array(z.object({ text: z.string(), filter: z.record(z.string(), z.unknown()) }))
      .optional()
      .meta({ description: 'With `understand`: what of the text became a filter; all of them hold, and the request\'s own. `except` with a `text` takes it back.' }),
    exact: z.boolean().meta({ description: 'true: provably what a full comparison gives.' }),
    negated: z.array(z.string()).optional().meta({ description: 'With `negation`: what was read as not to be there. Absent where nothing was.' }),
    cut: z
      .object({ relevance: z.number().meta({ description: 'What the best match of a kind must reach.' }), left_out: z.number().int().meta({ description: 'Matches that would stand on this page without the cut.' }) })
      .optional()
      .meta({ description: 'With `cutoff: "auto"`.' }),
    unknown: z.array(z.string()).optional().meta({ description: "With `cutoff: \"auto\"`: words of the query that the model's tokenizer does not know. Where it knows none, nothing is relevant." }),
    took_ms: z.number(),
  })
  .meta({ id: 'SearchResponse' });
export type SearchResponse = z.infer<typeof SearchResponse>;
