import { of, type Mutation } from './mutation.js';

const writes = ['test/writes.test.ts'];
const searches = ['test/numbers.test.ts', 'test/cursors.test.ts'];
const embeddings = ['test/numbers.test.ts'];
const ingest = of('src/operations/ingest.ts', writes);
const search = of('src/operations/search/search.ts', searches);
const plan = of('src/operations/search/plan.ts', searches);
const query = of('src/operations/search/query.ts', searches);
const cursors = of('src/operations/cursors.ts', ['test/cursors.test.ts']);
const orders = ['test/diversity.test.ts'];
const explanations = ['test/why.test.ts'];
const diversity = of('src/operations/search/diversity.ts', orders);
const grouping = of('src/operations/search/grouping.ts', orders);
const heat = of('src/operations/search/explain/heat.ts', explanations);
const carried = of('src/operations/search/explain/words.ts', explanations);
const classify = of('src/operations/classify/classify.ts', embeddings);
const labels = of('src/operations/classify/labels.ts', embeddings);

export const ofOperations: Mutation[] = [
  ingest('repeated-id-taken-as-known', 'ids.isRepeated(id) || other?.', 'other?.', 'Of the same id three times in a request, the last one is not written.'),
  ingest('order-lost-within-a-chunk', '[...writes.keys()].sort((a, b) => a - b)', '[...writes.keys()]', 'Of two entries with one id the earlier wins where it is the picture.'),
  ingest('original-of-a-path-copied', 'keeps && each.content.path === undefined ?', 'keeps ?', 'Files named by path are copied into the index directory.'),
  ingest('metadata-left-out-is-wiped', '...(each.metadata === undefined ? {} : { metadata: each.metadata })', 'metadata: each.metadata ?? {}', 'Sending a picture again without its metadata deletes that.'),
  ingest('defect-is-the-entrys-fault', "'not_ready', 'internal']);", "'not_ready']);", 'Where the service itself fails clients are told that their pictures are at fault, and give them up.'),
  ingest('overloaded-is-the-entrys-fault', "'disk_full', 'overloaded', 'not_ready'", "'disk_full', 'not_ready'", 'Where the queue is full clients are told that their pictures are at fault, and give them up.', {
    tests: ['test/http.test.ts'],
    lives: 'Neither a full queue nor a lack of room for uploads is ever told of one entry: both are thrown before any is begun.',
  }),
  query('weight-zero-counts', '({ embedding, weight: parts[index]!.weight })', '({ embedding, weight: parts[index]!.weight || 1 })', 'A weight of zero counts as one.'),
  search('eleven-matches', 'const pageSize = 10;', 'const pageSize = 11;', 'A page is not what the contract says.'),
  plan('lists-one-behind-the-other', '.sort(compareFused)', '', 'All pictures stand before all texts.'),
  plan('one-list-speaks-for-all', 'lists.every(({ exact }) => exact)', 'lists.some(({ exact }) => exact)', 'What the nearest cells gave is told to be proven where the other modality has none.'),
  plan('last-page-cut-off', 'fused.length > limit ||', '', 'Where two lists end together, the rest of them is not told of.'),
  diversity('like-the-last-alone', 'Math.max(each.likeness, (cosine', 'Math.max(0, (cosine', 'What stands next is unlike the one before it, and the same as the one before that.'),
  diversity('likeness-unscaled', '- usual) / Math.max(leastRange, 1 - usual)', '- 0) / 1', 'A diversity means another thing for each model.'),
  diversity('others-lost', 'if (!next) return page;', 'return page;', 'Behind the reordered matches there are none.'),
  grouping('values-of-two-types-are-one', 'JSON.stringify(value)', 'String(value)', 'The number 1 and the string "1" are one group.'),
  grouping('looks-once', 'while (next && heads.length < to && looked < mostLookedAt)', 'while (false)', 'Where one value stands for many matches, the other groups are missing.'),
  grouping('none-without-a-value', 'heads.push(group ? { ...match, group } : match);', 'if (group) heads.push({ ...match, group });', 'Matches without the field are missing.'),
  heat('rows-for-columns', 'others[row * columns.length + column]', 'others[column * rows.length + row]', 'The map is mirrored at its diagonal.'),
  heat('hidden-in-black', 'const mean = meanOf(data, channels);', 'const mean = meanOf(data, channels).fill(0);', 'What is hidden is told by how a black square scores.'),
  carried('word-left-in', 'tidied(text.slice(0, start) + text.slice(end))', 'tidied(text)', 'No word weighs anything.'),
  carried('sign-turned', 'weight: score - similarTo(matched, without)', 'weight: similarTo(matched, without) - score', 'What carried a match is told to have held it back.'),
  cursors('cursors-unsealed', '!timingSafeEqual(tag, await this.#tag(nonce, text, scope))', 'false', 'A cursor of another request, or one made up, is taken.'),
  cursors('place-not-sealed', 'for (const part of [place, short, ...long])', 'for (const part of [short, ...long])', 'A cursor can be led to another place.'),
  cursors('long-parts-not-sealed', 'for (const part of [place, short, ...long])', 'for (const part of [place, short])', 'A page of another long text or picture goes on in the middle of this one.'),
  of('src/operations/classify/hierarchy.ts', ['test/numbers.test.ts', 'test/embeddings.test.ts'])('threshold-itself-is-none', 'if (scores[next]! < least) break;', 'if (scores[next]! <= least) break;', 'A score that meets the threshold is none of these.'),
  classify('prompts-cost-nothing', 'sum + each.tokens, labelled.tokens)', 'sum + each.tokens, 0)', 'Usage leaves the labels out.'),
  labels('prompts-beyond-the-first-part-lost', 'lacking.slice(from, from + promptsAtOnce)', 'lacking.slice(0, promptsAtOnce)', 'Labels behind the first thousand prompts get the embeddings of others.'),
  of('src/operations/input/limits.ts', embeddings)('text-limit-in-letters', 'text.length * 3 > limit && Buffer.byteLength(text) > limit', 'text.length * 3 > limit && text.length > limit', 'Texts of other scripts may be three times the limit.', { tests: ['test/http.test.ts'] }),
  of('src/operations/collections.ts', ['test/gone-models.test.ts'])(
    'default-collection-deleted-with-its-items',
    'const isIdle = isEmpty && !isShared && !hasModel(context, byDefault);',
    'const isIdle = byDefault !== undefined && !hasModel(context, byDefault);',
    'A start without the model deletes the collection default with all it holds.',
  ),
  of('src/operations/collection-model.ts', ['test/changed-models.test.ts'])(
    'model-of-another-space-taken',
    'if (description?.fingerprint === collection.fingerprint) return description;',
    'if (description) return description;',
    'Vectors of two spaces meet once the files of a model were replaced.',
  ),
  of('src/operations/in-space.ts', ['test/reembed-end.test.ts'])('no-second-try-when-it-went-over', 'const attempts = 3;', 'const attempts = 1;', 'Searches fail with a conflict in the moment in which a collection goes over.'),
];
