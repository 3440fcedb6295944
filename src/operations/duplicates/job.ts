/** The job that looks for near-duplicates. Pairs found so far lie in the store, where the next run goes on. */
import type { DuplicateItem, KeepRule } from '../../contract/duplicates.js';
import { limits } from '../../contract/limits.js';
import type { Filter } from '../../domain/filter.js';
import type { Modality } from '../../domain/modality.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import { withThread } from '../compute-thread.js';
import type { Context } from '../context.js';
import type { FindingSummary } from '../finding-summary.js';
import { conditionOf, inventory } from '../inventory.js';
import { ranked, type Candidate, type Evidence, type Pair } from './groups.js';
import type { PictureMethods } from './picture-thread.js';
import { PairSearch, type Compared } from './search.js';
import { pictureThread, Signatures, type SignaturesParts } from './signatures.js';

export const duplicatesJob = 'duplicates';

export interface DuplicatesParameters {
  threshold?: number;
  filter?: Filter;
  modality?: Modality;
  keep: KeepRule;
}

/** Measured: see `npm run eval -- --only duplicates`. */
const usual = { pixels: 0.9, embedding: 0.98 };
/** Items whose pairs are looked for and put on disk together. */
const itemsAtOnce = 100;
const entriesAtOnce = 500;
const pairsList = 'pairs';
export const groupsList = 'groups';
export const groupList = (id: string): string => `group ${id}`;

export type KeptItem = Omit<DuplicateItem, 'image_url'> & { hasImage: boolean };
export interface KeptGroup {
  id: string;
  size: number;
  mirrored: boolean;
  reason: 'size' | 'sharpness' | 'age' | 'mirrored';
  /** The first of them. */
  items: KeptItem[];
}
export interface DuplicatesSummary extends FindingSummary {
  at: string;
  threshold?: number;
  keep: KeepRule;
  items: number;
  total: number;
  superfluous: number;
  mirrored: number;
}

/** Where it goes on: behind this item, with so many lists of pairs. */
interface Checkpoint {
  after: string;
  pages: number;
  /** `changesOf` the collection when the first run began. */
  changes?: number;
}

/** Ids, as places are of one run. */
type KeptPair = [a: string, b: string, similarity: number, evidence: Evidence, mirrored: boolean];

export function duplicatesKind(context: Context): JobKind<DuplicatesParameters> {
  return {
    name: duplicatesJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: true,
    // It takes a core: one at a time in the service.
    lock: () => duplicatesJob,
    run: (work) => withThread<PictureMethods, JobEnd>(pictureThread, work.signal, (thread) => find(context, work, thread)),
    discard: ({ collection, id }) => context.catalog.discardResult(collection!, id),
  };
}

async function find(context: Context, work: JobWork<DuplicatesParameters>, thread: SignaturesParts['thread']): Promise<JobEnd> {
  const { job, signal } = work;
  const { threshold, keep, ...what } = job.parameters;
  const collection = job.collection!;
  const changes = job.checkpoint === undefined ? await context.catalog.changesOf(collection) : (job.checkpoint as Checkpoint).changes;
  const items = await inventory(context, collection, { ...what, signal }, (item): Compared => ({
    id: item.id,
    modality: item.modality,
    contentHash: item.contentHash,
    hasImage: item.hasImage,
    size: item.width !== undefined && item.height !== undefined ? item.width * item.height : (item.text?.length ?? 0),
    ...(item.width === undefined ? {} : { width: item.width }),
    ...(item.height === undefined ? {} : { height: item.height }),
    createdAt: Date.parse(item.createdAt),
  }));
  let failed = 0;
  const signatures = new Signatures({
    context,
    collection,
    thread,
    idOf: (place) => items[place]!.id,
    onProblem: async (name, reason) => {
      failed++;
      await work.failed({ what: 'item', name, reason });
    },
  });
  const filter = conditionOf(what);
  const search = new PairSearch({ context, collection, items, signatures, thresholds: { pixels: threshold ?? usual.pixels, embedding: threshold ?? usual.embedding }, ...(filter && { filter }), signal });
  const pairs = await pairsOf(context, work, search, changes);
  const summary = await keepGroups(context, work, { pairs, search, signatures, keep });
  const { total, superfluous, mirrored } = summary;
  await context.catalog.publishResult(collection, { kind: duplicatesJob, job: job.id, summary: { ...summary, ...(changes === undefined ? {} : { changes }), ...(threshold === undefined ? {} : { threshold }) } satisfies DuplicatesSummary }, [pairsList]);
  work.at({ done: items.length - failed, failed });
  return { result: { groups: total, superfluous, mirrored } };
}

async function pairsOf({ catalog }: Context, work: JobWork<DuplicatesParameters>, search: PairSearch, changes: number | undefined): Promise<Pair[]> {
  const { job } = work;
  const { items } = search;
  const collection = job.collection!;
  const all: Pair[] = [];
  const checkpoint = job.checkpoint as Checkpoint | undefined;
  const kept = checkpoint && (await keptPairs(catalog, collection, job.id, search));
  const after = kept?.pages === checkpoint?.pages ? search.placeOf(checkpoint?.after ?? '') : undefined;
  let [place, pages] = after === undefined ? [0, 0] : [after + 1, checkpoint!.pages];
  if (place > 0) {
    kept!.pairs.forEach((pair) => search.note(pair));
    all.push(...kept!.pairs);
  } else await catalog.discardResult(collection, job.id);
  work.at({ done: place, total: items.length });
  for (; place < items.length; pages++) {
    work.signal.throwIfAborted();
    const to = Math.min(items.length, place + itemsAtOnce);
    const found = await search.pairs(place, to);
    for (const pair of found) all.push(pair);
    const body = found.map(({ a, b, similarity, evidence, mirrored }): KeptPair => [items[a]!.id, items[b]!.id, similarity, evidence, mirrored]);
    await catalog.putResultEntries(collection, { kind: duplicatesJob, job: job.id }, pairsList, [{ number: pages, body }]);
    place = to;
    await work.save({ after: items[place - 1]!.id, pages: pages + 1, ...(changes === undefined ? {} : { changes }) } satisfies Checkpoint);
    work.at({ done: place });
  }
  return all;
}

/** Those of an earlier run whose items are still there. */
async function keptPairs(catalog: Context['catalog'], collection: string, job: string, search: PairSearch): Promise<{ pages: number; pairs: Pair[] }> {
  const pairs: Pair[] = [];
  let pages = 0;
  for (let after: number | undefined; ; ) {
    const { entries, more } = await catalog.listResultEntries(collection, job, pairsList, { limit: entriesAtOnce, ...(after === undefined ? {} : { after }) });
    for (const { body } of entries) {
      for (const [first, second, similarity, evidence, mirrored] of body as KeptPair[]) {
        const [a, b] = [search.placeOf(first), search.placeOf(second)];
        if (a !== undefined && b !== undefined) pairs.push({ a, b, similarity, evidence, mirrored });
      }
    }
    pages += entries.length;
    if (!more) return { pages, pairs };
    after = entries.at(-1)?.number ?? (after ?? 0) + entriesAtOnce;
  }
}

interface Member extends Candidate {
  place: number;
}

async function keepGroups({ catalog }: Context, work: JobWork<DuplicatesParameters>, { pairs, search, signatures, keep }: { pairs: Pair[]; search: PairSearch; signatures: Signatures; keep: KeepRule }): Promise<Omit<DuplicatesSummary, 'threshold'>> {
  const { job, signal } = work;
  const { items, sets } = search;
  const collection = job.collection!;
  const best = new Map<number, Pair>();
  const told = new Set<number>();
  for (const pair of pairs) {
    for (const place of [pair.a, pair.b]) {
      told.add(place);
      if (!pair.mirrored && !((best.get(place)?.similarity ?? -1) >= pair.similarity)) best.set(place, pair);
    }
  }
  const sharpness = await signatures.sharpness([...told].filter((place) => items[place]!.hasImage), signal);
  const member = (place: number): Member => ({ place, id: items[place]!.id, size: items[place]!.size, createdAt: items[place]!.createdAt, sharpness: sharpness.get(place) ?? 0 });
  const toKept = (place: number, isKept: boolean, { similarity, evidence }: Pick<Pair, 'similarity' | 'evidence'>): KeptItem => {
    const { id, modality, hasImage, width, height } = items[place]!;
    const sharp = sharpness.get(place);
    return { id, modality, hasImage, ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }), ...(sharp === undefined ? {} : { sharpness: Math.round(sharp * 10) / 10 }), similarity: Math.round(similarity * 1e4) / 1e4, evidence, keep: isKept };
  };

  const bySet = new Map<number, number[]>();
  for (const place of best.keys()) {
    const set = sets.find(place);
    const members = bySet.get(set);
    if (members) members.push(place);
    else bySet.set(set, [place]);
  }
  const groups = [...bySet.values()].map((places) => ranked(places.map(member), keep)).sort((a, b) => b.members.length - a.members.length || (a.members[0]!.id < b.members[0]!.id ? -1 : 1));
  const keptOf = new Map(groups.map(({ members }) => [sets.find(members[0]!.place), members[0]!.place]));
  const key = { kind: duplicatesJob, job: job.id };
  let waiting: { number: number; body: KeptGroup }[] = [];
  const flush = async (): Promise<void> => {
    signal.throwIfAborted();
    await catalog.putResultEntries(collection, key, groupsList, waiting);
    waiting = [];
  };
  const add = async (group: KeptGroup, number: number): Promise<void> => {
    waiting.push({ number, body: group });
    if (waiting.length >= entriesAtOnce) await flush();
  };

  let number = 0;
  for (const { members, reason } of groups) {
    const id = `g${number + 1}`;
    const kept = members.map(({ place }, i) => toKept(place, i === 0, best.get(place)!));
    if (kept.length > limits.groupItems) {
      for (let from = 0; from < kept.length; from += entriesAtOnce) {
        await catalog.putResultEntries(collection, key, groupList(id), kept.slice(from, from + entriesAtOnce).map((body, i) => ({ number: from + i, body })));
      }
    }
    await add({ id, size: kept.length, mirrored: false, reason, items: kept.slice(0, limits.groupItems) }, number++);
  }
  const mirrored = mirroredPairs(pairs, sets, keptOf);
  for (const [i, pair] of mirrored.entries()) {
    await add({ id: `m${i + 1}`, size: 2, mirrored: true, reason: 'mirrored', items: [pair.a, pair.b].map((place) => toKept(place, true, pair)) }, number++);
  }
  await flush();
  const superfluous = groups.reduce((sum, { members }) => sum + members.length - 1, 0);
  return { at: new Date().toISOString(), keep, items: items.length, total: groups.length, superfluous, mirrored: mirrored.length };
}

/** One for each two groups or items, by the ones that are kept of them. */
function mirroredPairs(pairs: Pair[], sets: PairSearch['sets'], keptOf: Map<number, number>): Pair[] {
  const found = new Map<string, Pair>();
  for (const pair of pairs) {
    if (!pair.mirrored) continue;
    const [a, b] = [sets.find(pair.a), sets.find(pair.b)].sort((x, y) => x - y) as [number, number];
    if (a === b) continue;
    const key = `${a} ${b}`;
    if (!((found.get(key)?.similarity ?? -1) >= pair.similarity)) found.set(key, { ...pair, a: keptOf.get(a) ?? a, b: keptOf.get(b) ?? b });
  }
  return [...found.values()].sort((x, y) => x.a - y.a || x.b - y.b);
}
