/** What is counted, in the order in which it is told. */
const counted = [
  'rounds', 'kills', 'during a backup', 'during a reembedding',
  'added', 'added again', 'replaced', 'given metadata', 'patched', 'deleted by id', 'deleted by filter',
  'filtered listings', 'sorted listings', 'facets', 'exact searches', 'approximate searches', 'searches by words',
  'reembeddings begun', 'reembeddings stopped', 'reembeddings discarded', 'gone over',
  'classifiers written',
  'backups taken', 'restored', 'checks', 'items compared', 'embeddings compared', 'parts counted', 'looked up by id and search', 'of these in cells',
] as const;
export type What = (typeof counted)[number];
export type Counts = Partial<Record<What, number>>;

export function count(counts: Counts, what: What, by = 1): void {
  counts[what] = (counts[what] ?? 0) + by;
}

export function sumOf(all: Iterable<Counts>): Counts {
  const sum: Counts = {};
  for (const each of all) for (const [what, by] of Object.entries(each)) count(sum, what as What, by);
  return sum;
}

export const toldCounts = (counts: Counts): string => counted.flatMap((what) => (counts[what] ? `${counts[what].toLocaleString('en')} ${what}` : [])).join(', ');
