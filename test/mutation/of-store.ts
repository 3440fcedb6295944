import { of, type Mutation } from './mutation.js';

const cells = ['test/cells.test.ts'];
const store = ['test/store-contract.test.ts', ...cells];
const ranking = of('src/store/embedded/ranking.ts', store);
const search = of('src/store/embedded/nearest.ts', store);
const exact = ['test/exact-search.test.ts', 'test/vectors.test.ts'];
const moves = ['test/cell-moves.test.ts'];
const rows = of('src/store/embedded/vectors/packed-rows.ts', moves);
const vectors = of('src/store/embedded/vectors/vectors.ts', exact);
const memory = of('src/store/embedded/vectors/vector-memory.ts', moves);
const modality = of('src/store/embedded/modality-index.ts', cells);
const recall = of('src/store/embedded/recall.ts', ['test/recall-learning.test.ts']);
const writer = of('src/store/writing/writer.ts', ['test/store-contract.test.ts', 'test/writes.test.ts']);
const fields = ['test/store-contract.test.ts', 'test/fields.test.ts'];
const column = of('src/store/embedded/columns/column.ts', fields);
const columns = of('src/store/embedded/columns/item-columns.ts', fields);
const matching = of('src/store/embedded/matching-keys.ts', fields);
const reembedding = ['test/reembed-end.test.ts'];
const restoring = ['test/restore.test.ts'];
const restores = of('src/store/embedded/restores.ts', restoring);

export const ofStore: Mutation[] = [
  ranking('cursors-item-again', 'compareCodePoints(this.#idOf(ranked), after.id) <= 0', 'compareCodePoints(this.#idOf(ranked), after.id) < 0', 'Each page begins with the last match of the one before.'),
  ranking('least-score-itself-left-out', 'if (score < this.floor) return;', 'if (score <= this.floor) return;', 'A match that meets min_score is not found, and of equal scores some are lost.'),
  search('a-page-too-many', 'more: ranking.best.length > found.length', 'more: ranking.best.length >= found.length', 'A cursor leads to an empty page.'),
  of('src/store/embedded/key-set.ts', exact)('row-behind-includes-the-row', 'if (keys[middle]! <= key) low = middle + 1;', 'if (keys[middle]! < key) low = middle + 1;', 'An item stands twice in an answer, and a removed one stays.'),
  search('exact-claimed', "exact: isEnough !== 'some', selectivity", 'exact: true, selectivity', 'What the nearest cells gave is told to be proven.'),
  search('starved-filter-not-scanned', 'const leastOfShare = 0.7;', 'const leastOfShare = 0;', 'Where what matches a filter lies elsewhere than what is near, it is not found.'),
  search('share-for-one-alone', '((after?.rank ?? 0) + size - 1 + (excluded?.size ?? 0)) / selectivity', '1', 'Deep pages miss what lies further away.'),
  rows('removed-stays-in-memory', '    this.pool.slacks(chunk)[place % chunkRows] = -Infinity;\n    chunk.dead++;', '    chunk.dead++;', 'Pages come out short after deletions.', { tests: [...moves, ...exact] }),
  rows('moved-without-its-copy', '    else chunk.isExact = false;\n', '', 'A row whose copy was given away is scored by what happens to lie there.'),
  of('src/store/embedded/nearest.ts', ['test/beside-writes.test.ts'])('replaced-meanwhile', 'if (keys && scope.newestKey() > seenUpTo)', 'if (keys && scope.newestKey() > Infinity)', 'An item that is replaced during a search under a filter is not found.'),
  search('short-page-of-near-ones', 'looked >= share * leastOfShare && (ranking.full || isBounded)', 'looked >= share * leastOfShare', 'Under a filter a page comes out short although more match.'),
  rows('moved-stays-as-well', 'moved.forEach((each) => (pool.slacks(chunk)[each] = -Infinity))', 'undefined', 'Where the memory runs out in the middle of a move, searches see rows twice, and removed ones for good.'),
  rows('moved-not-told', 'this.#places.move(key, this.#put(to,', 'void (this.#put(to,', 'A row that was brought to its cell is looked for where it was.'),
  rows('moved-dead-come-back', 'if (this.#places.of(key) !== pool.placeOf(chunk, row)) continue;', '', 'What was removed is brought to a cell, and found again.'),
  rows('scans-lose-what-moves', 'cells: cells.map((chunks) => chunks.slice()) }));', 'cells }));', 'A search that is under way when cells are found misses what is brought there.'),
  rows('scans-lose-what-gives-way', 'division!.cells[0] = chunks.slice(0, -1);', 'chunks.pop();', 'A search that is under way misses what gives its memory to another.'),
  memory('deferred-at-once', 'if (this.#scans.size === 0) work();', 'if (this.#scans.size >= 0) work();', 'Memory is written over while a search looks into it.'),
  memory('all-give-way-for-one', '(given < size || this.#scans.size === 0)', 'true', 'While searches are under way one collection pushes all others out of the memory.'),
  memory('memory-given-twice', '    free.at += size;\n', '', 'Two collections write over each other.', { tests: exact }),
  vectors('share-ignored', 'if (seen < share * total) return false;', 'if (seen < 1) return false;', 'Searches find what lies in one cell.', { tests: cells }),
  vectors('least-score-unbounded', 'return ranking.full || isBounded;', 'return ranking.full;', 'A search with a least score compares with everything.', { tests: cells }),
  vectors('unread-waited-for', '    if (rows.length < pageRows) this.#nothing =', '    if (rows.length < 0) this.#nothing =', 'Where the newest embedding is damaged or gone, searches compare with everything for good.'),
  vectors('reads-all-for-a-few', 'const costOfKey = 3;', 'const costOfKey = 300;', 'A filter with a thousand matches reads what the memory does not hold, all of it.'),
  of('src/store/embedded/vectors/key-places.ts', moves)('place-skipped', 'if (at < this.#size && this.#keys[at] === key && this.#places[at] !== none) places', 'if (at < this.#size && this.#places[at] !== none) places', 'A filter finds what does not match it.'),
  of('src/store/embedded/kernels/scan.ts', [...exact, ...moves])('floor-not-kept', 'f32x4.ge(f32x4.add(scores, slacks), floor)', 'f32x4.ge(scores, floor)', 'Exact search misses what packing makes look a little worse.'),
  of('src/store/embedded/kernels/scan.ts', ['test/store-contract.test.ts'])('ceiling-not-kept', 'f32x4.le(f32x4.sub(scores, slacks), ceiling)', 'f32x4.le(scores, ceiling)', 'A page leaves out what packing makes look a little better.'),
  of('src/store/embedded/kernels/scan.ts', exact)('rest-of-packing-forgotten', 'sqrt(sum) * (1 + rounding) + rounding', 'rounding', 'Exact search misses what packing makes look a little worse.'),
  of('src/store/embedded/cell-table.ts', cells)('checksum-not-compared', 'if (!stored || checksum(stored) !== stored.checksum || checksumOf(stored.shares) !== stored.shares_checksum) return undefined;', 'if (!stored) return undefined;', 'Damaged cells are used: searches miss items, or fail.'),
  modality('cells-kept-while-it-grows', '(!directions || this.count >= growth * directions.count || isSparse)', '!directions', 'Searches of a collection that has grown look at ever more.'),
  recall('too-little-not-mended', 'if (recall >= least || learnt.every', 'if (recall >= 0 || learnt.every', 'Where too little was learnt, searches go on missing what they should find.'),
  recall('of-all-as-of-few', 'if (at === -1) return undefined;', 'if (at === -1) return this.share(kind, recallDepth);', 'Pages deeper than is known miss what lies there.'),
  writer('filter-remembers-old-metadata', 'items.update(attached, metadata, sources, at);\n  changes.remarked.push(row);', 'items.update(attached, metadata, sources, at);', 'Filters go by the metadata that an item had before.'),
  writer('created-anew', 'createdAt: isSound ? row.created_at : at', 'createdAt: at', 'An item whose content is replaced loses the time it was added.'),
  of('src/store/pictures/originals.ts', ['test/beside-writes.test.ts'])('held-original-removed', '!contentHash.test(hash) || this.#held.has(hash) || this.#isNamed(hash)', '!contentHash.test(hash) || this.#isNamed(hash)', 'A picture that is deleted while it is added again loses its original.'),
  of('src/store/embedded/embedding-table.ts', ['test/store-reembedding.test.ts'])('kept-thrown-away', 'if (!isKept) this.#remove.run(key);', 'this.#remove.run(key);', 'The embedding of an item that could not be embedded again is lost.'),
  of('src/store/embedded/identity-cache.ts', ['test/store.test.ts'])('stale-identity', '      known.delete(name);\n', '', 'After a collection went over every search is refused.'),
  of('src/store/embedded/carry-over.ts', ['test/carry-over.test.ts'])('damage-mended', 'return checksum === null ? right : (right ^ checksum ^ embeddingChecksum(vector, from)) >>> 0;', 'return right;', 'Damaged embeddings of an older database are taken for sound.'),
  of('src/store/embedded/embedded-store.ts', reembedding)(
    'written-into-the-other-space',
    '        this.#parts.collections.find(name, fingerprint);\n        if (tiles',
    '        if (tiles',
    'An embedding of the old space is written when the collection goes over meanwhile.',
  ),
  of('src/store/embedded/database.ts', ['test/flushed.test.ts'])('flushed-some-time', "database.pragma('synchronous = FULL');", "database.pragma('synchronous = NORMAL');", 'What was acknowledged is lost with the power.'),
  column('lists-not-looked-into', '      for (const code of this.#lists.values()) judge(code);\n', '', 'A scalar does not match a list that holds it.'),
  column('long-values-unlike', '    byCode[beyond] = verdict.unknown;\n', '', 'A filter passes over items with long strings.'),
  columns('value-kept-after-it-went', '    for (const column of this.#columns.values()) column.set(place, undefined);\n', '', 'A filter matches items by a field that they had before.'),
  columns('removed-still-counted', '    this.#states[place] = state.gone;\n', '', 'Facets count items that were deleted.'),
  columns('dropped-field-missing', "(this.#isPartial || (isOwn && !this.#hasOwn) ? 'unknown' : 'missing')", "(isOwn && !this.#hasOwn ? 'unknown' : 'missing')", 'Where the memory for fields is full filters find nothing.'),
  matching('remembered-whatever-changed', 'const before = known?.version === version ? known', 'const before = known ? known', 'A filter asked for again goes by metadata of before.'),
  of('src/store/embedded/columns/evaluate.ts', fields)('not-of-unknown', 'all[i] = verdict.yes - all[i]!', 'all[i] = all[i] === verdict.no ? verdict.yes : verdict.no', 'What has to be looked up is left out under $not.'),
  of('src/store/embedded/listing.ts', fields)('cursor-item-again-by-field', 'compare(place, after) > 0', 'compare(place, after) >= 0', 'Each page by a field begins with the last item of the one before.'),
  of('src/domain/times.ts', fields)('zones-forgotten', "* (found[8] === '-' ? -1 : 1)", '* 0', 'Times of other zones are compared by their clocks.'),
  of('src/store/embedded/restore.ts', ['test/backup.test.ts'])('cut-backup-restored', "if (!manifest || !summary || databaseHash === undefined) throw refuse('it is cut');", "if (!manifest || databaseHash === undefined) throw refuse('it is cut');\n  summary ??= { database_sha256: databaseHash, originals, missing: [] };", 'Of a backup that is cut a part is taken for the whole.'),
  of('src/store/pictures/originals.ts', ['test/backup.test.ts'])('original-gone-from-backup', '        this.#leaving.add(hash);\n        continue;\n', '        this.#leaving.add(hash);\n', 'A picture that is deleted while a backup is taken is missing in it.'),
  of('src/store/embedded/housekeeping.ts', restoring)('coming-swept', '.filter((key) => !restores.isComing(key))', '', 'Deleting a collection takes away what is being restored.'),
  of('src/store/embedded/item-table.ts', restoring)('modalities-one-after-the-other', '      .sort((a, b) => a - b)\n', '', 'Of a collection of pictures and texts items are not restored.'),
  of('src/store/pictures/originals.ts', restoring)('all-adopted', 'if (contentHash.test(hash) && this.#isNamed(hash)) await rename', 'if (contentHash.test(hash)) await rename', 'Pictures of collections that were not asked for stay for good.'),
  restores('reason-forgotten', 'if (row.unembedded !== null || !isWhole) embeddings', 'if (!isWhole && row.unembedded === null) embeddings', 'A restored item does not say why searches do not find it.'),
  restores('earlier-spaces-forgotten', 'for (const [there, here] of spaces) {', 'for (const [there, here] of [...spaces].slice(-1)) {', 'Embeddings kept of an earlier space are not restored.'),
  of('src/store/embedded/backups.ts', restoring)('nameless-missed', '\n           AND collection IN (SELECT key FROM collections WHERE name IS NOT NULL)', '', 'A backup taken during a restore misses pictures that are not there yet.'),
  of('src/store/embedded/reembeddings.ts', reembedding)('one-may-be-lost', "if (impossible > 0 && !skipImpossible) return 'impossible';", "if (impossible > 1 && !skipImpossible) return 'impossible';", 'A collection goes over although an item cannot be found there.'),
];
