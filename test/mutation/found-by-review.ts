/** Those that once lived, because tests looked at statuses and order alone. */
import { of, type Mutation } from './mutation.js';

const numbers = ['test/numbers.test.ts'];
const writes = ['test/writes.test.ts'];
const cursors = ['test/cursors.test.ts'];
const addresses = ['test/addresses.test.ts'];

export const foundByReview: Mutation[] = [
  of('src/encoder/pool/outcomes.ts', numbers)(
    'refused-picture-shifts-in-the-answer',
    'if (!outcome.ok) return { ok: false, error: reviveError(outcome.error, outcome.cause) };',
    'if (!outcome.ok) return (next++, { ok: false, error: reviveError(outcome.error, outcome.cause) });',
    'Behind a refused picture each gets the embedding of its neighbor.',
  ),
  of('src/encoder/worker/worker.ts', numbers)(
    'refused-picture-shifts-in-the-worker',
    'readPicture(sent, rules, { tensor, offset: read * stride }, seconds)',
    'readPicture(sent, rules, { tensor, offset: outcomes.length * stride }, seconds)',
    'Behind a refused picture each gets the embedding of its neighbor.',
  ),
  of('src/operations/input/embedding.ts', numbers)('client-embedding-unnormalised', 'values[i]! / largest / norm;', 'values[i]!;', 'Scores of what clients send are no cosines.'),
  of('src/operations/classify/labels.ts', numbers)('ensemble-of-one-prompt', 'normalizedSum(own', 'normalizedSum(own.slice(0, 1)', 'Of several prompts the first alone counts.'),
  of('src/operations/ingest.ts', writes)('later-chunk-overtakes', '      await before;\n      // All', '      // All', 'Of two entries with one id the earlier may win.'),
  of('src/store/embedded/reembeddings.ts', ['test/reembed-end.test.ts'])(
    'reembed-ends-without-looking',
    "if (items + impossible < all) return 'pending';",
    '',
    'What was added last has no embedding of the new space.',
  ),
  of('src/operations/reembed/rounds.ts', ['test/reembed-end.test.ts'])('reembed-ends-although-some-wait', "if (outcome !== 'pending') return outcome;", "return outcome === 'pending' ? 'done' : outcome;", 'A collection never goes over when something was added at its end.'),
  of('src/operations/ingest.ts', writes)(
    'known-under-another-modality',
    ' || other.modality !== content.modality || !other.embedded) return false;',
    ' || !other.embedded) return false;',
    'The same bytes as a text stay a picture.',
  ),
  of('src/store/writing/writer.ts', writes)('written-under-another-modality', 'content.contentHash !== row.content_hash || content.modality !== row.modality || row.unembedded', 'content.contentHash !== row.content_hash || row.unembedded', 'The same bytes as a text stay a picture.'),
  of('src/operations/search/search.ts', cursors)('filter-not-in-search-cursor', 'modality ?? null, filter ?? null,', 'modality ?? null, null,', 'A page of another filter goes on in the middle of this one.'),
  of('src/operations/items.ts', cursors)('filter-not-in-listing-cursor', "['items', collection, filter ?? null, ...(order ? [order] : [])]", "['items', collection, ...(order ? [order] : [])]", 'A page of another filter goes on in the middle of this one.'),
  of('src/store/embedded/filter.ts', ['test/filters.test.ts'])('lte-as-lt', '(order) => order <= 0', '(order) => order < 0', 'The boundary itself is left out.'),
  of('src/store/embedded/nearest.ts', ['test/cells.test.ts'])('excluded-not-counted', ' + (excluded?.size ?? 0)) / selectivity', ') / selectivity', 'A search by many items misses what lies behind these.'),
  of('src/encoder/pool/queue.ts', ['test/overload.test.ts'])('bulk-before-interactive', 'const able = ranks.flatMap(', 'const able = ranks.toReversed().flatMap(', 'People wait for the bulk work of others.'),
  of('src/operations/input/fetch-picture.ts', addresses)(
    'first-address-alone-checked',
    'for (const { address } of addresses) assertPublic',
    'for (const { address } of addresses.slice(0, 1)) assertPublic',
    'A name with a public address and a private one leads into the network of the service.',
  ),
  of('src/http/guards.ts', addresses)('same-site-let-through', " || site === 'same-site'", '', 'A page of a sibling domain reads and changes what the service holds.'),
  of('src/operations/weighted-sum.ts', numbers)('near-opposites-refused', 'scale * 1e-6', 'scale * 1e-4', 'Queries that nearly cancel out are refused.'),
  of('src/operations/weighted-sum.ts', numbers)('opposites-are-a-direction', 'scale * 1e-6', 'scale * 1e-12', 'What rounding leaves is searched for.'),
];
