import { z } from 'zod';
import { Box, Embedding, Fingerprint, Id, Modality, oneForms } from './shared.js';
import { FieldName, Filter, SortQuery } from './filter.js';
import { itemFields } from './items.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

export const QueryPart = z
  .union(
    [
      ...oneForms,
      z.strictObject({ id: Id }),
      z.strictObject({ embedding: Embedding, fingerprint: maybe(Fingerprint) }),
      z.strictObject({ file: z.literal(true) }).meta({ description: 'Multipart only: the picture sent as `file`.' }),
    ],
    { error: 'A query is a string, {"text"}, {"image"} (also named "bytes" or "url", or {"type": "image_url", "image_url": {"url"}}), {"id"}, {"embedding"} or, in multipart, {"file": true}.' },
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
    diversity: maybe(z.number({ error: 'diversity is a number from 0 to 1.' }).min(0, 'diversity is at least 0.').max(1, 'diversity is at most 1.')).meta({
      description:
        'Default 0. Above it, the first 200 matches are put in an order in which each is also unlike those before it: next comes the greatest of (1 - diversity) * relevance - diversity * likeness (maximal marginal relevance), where relevance is 1 for the best of them and 0 for the last, and likeness 1 for what is the same and 0 for what is as alike as two of them are on average. The others follow as they were. Not with `sort`.',
    }),
    group_by: maybe(FieldName).meta({
      description:
        'A field as filters name it: of each value the first match alone, as `group` tells; of a list the first scalar counts. A match without the field, or with an object there, stands for itself. As many matches are looked at as give `limit` groups, at most 5,000.',
    }),
    explain: maybe(z.union([z.boolean(), z.strictObject({ ids: list(Id).max(limits.explained) })], { error: `explain is true, false or {"ids": [at most ${limits.explained} ids]}.` })).meta({
      description: `Default false. true: matches tell \`why\`, and the answer what was left out, as \`explained\`; \`limit\` is at most ${limits.explained} then. \`{"ids": [...]}\`: of the page's matches these alone, and any limit.`,
    }),
  })
  .meta({ id: 'SearchRequest' });
export type SearchRequest = z.infer<typeof SearchRequest>;

export const Why = z
  .object({
    words: z
      .array(z.object({ text: z.string(), weight: z.number() }))
      .optional()
      .meta({ description: "Of the query's texts: the score less that of the query without the word. At most 24; of more words, neighbors go together; none of texts over 1,000 characters." }),
    heat: z
      .object({
        png: z.string().meta({ description: 'Base64: a map to be laid over the picture, of its proportions, the less transparent the more the score falls.' }),
        width: z.number().int(),
        height: z.number().int(),
        score: z.number().meta({ description: "The thumbnail's, of which the map is made." }),
        falls: z.array(z.array(z.number())).meta({ description: 'Of 7 x 7 cells of the picture, rows from the top: the score less that with the cell hidden by the mean color.' }),
      })
      .optional()
      .meta({ description: 'Of the first 3 matches that are pictures, as far as a minute allows.' }),
    relevance: z
      .object({
        list: z.number().meta({ description: "Standard score among the query's scores against the list." }),
        texts: z.number().optional().meta({ description: "Standard score among those of background texts with the query's nearest." }),
        count: z.number().int().meta({ description: 'Embeddings in the list.' }),
        least_score: z.number().optional().meta({ description: 'From which on a match is relevant; absent where none is.' }),
      })
      .optional()
      .meta({ description: 'With `cutoff: "auto"`: what the relevance was told from.' }),
    terms: z
      .array(z.object({ text: z.string(), in: z.array(z.string()) }))
      .optional()
      .meta({ description: 'With `lexical`: words that were looked for, and where each stands: `text`, `source`, or a field.' }),
    ranks: z
      .object({ near: z.number().int().optional(), words: z.number().int().optional() })
      .optional()
      .meta({ description: 'Where two lists were joined: its places among the matches by nearness and by words.' }),
  })
  .meta({ id: 'Why' });
export type Why = z.infer<typeof Why>;

export const SearchMatch = z
  .object({
    ...itemFields,
    score: z.number().optional().meta({ description: 'Cosine similarity; left out where nothing was searched for.' }),
    part: z
      .object({ box: Box })
      .optional()
      .meta({ description: 'Where in the picture the best match lies: of a tile. Absent where the whole matched best.' }),
    relevance: z.number().optional().meta({ description: 'With `cutoff: "auto"`: how likely it is what was asked for, 0..1.' }),
    group: z
      .object({ value: z.union([z.string(), z.number(), z.boolean(), z.null()]), more: z.number().int().meta({ description: 'Further matches with the value among those that were looked at.' }) })
      .optional()
      .meta({ description: 'With `group_by`: what the match stands for; absent where it has no value.' }),
    why: Why.optional().meta({ description: 'With `explain`.' }),
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
      .object({ relevance: z.number().meta({ description: 'What the best match of a kind must reach: more where words of the query are unknown to the model, and 1, which nothing reaches, where all are.' }), left_out: z.number().int().meta({ description: 'Matches that would stand on this page without the cut.' }) })
      .optional()
      .meta({ description: 'With `cutoff: "auto"`.' }),
    groups: z
      .object({ looked: z.number().int().meta({ description: 'Matches that were looked at for this page.' }), complete: z.boolean().meta({ description: 'true: there are no others, so that `more` counts all.' }) })
      .optional()
      .meta({ description: 'With `group_by`. No cursor and `complete: false`: the most were looked at.' }),
    explained: z
      .object({
        items: z.number().int().meta({ description: 'Of the collection.' }),
        let_through: z.number().int().meta({ description: 'By the filter, what was understood, and the modality.' }),
        left_out: z
          .object({ count: z.number().int(), best: z.object({ id: z.string(), score: z.number(), relevance: z.number().optional() }).optional() })
          .optional()
          .meta({ description: 'With `cutoff: "auto"`: matches that would stand on this page without the cut, and the first of them.' }),
      })
      .optional()
      .meta({ description: 'With `explain`.' }),
    unknown: z.array(z.string()).optional().meta({ description: "With `cutoff: \"auto\"`: words of the query that the model's tokenizer does not know. Where it knows none, nothing is relevant." }),
    took_ms: z.number(),
  })
  .meta({ id: 'SearchResponse' });
export type SearchResponse = z.infer<typeof SearchResponse>;
