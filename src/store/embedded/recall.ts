import { queryKinds, recallDepth, recallOf, shareFound, type QueryKind } from '../../domain/recall.js';
import type { Filter } from '../../domain/filter.js';
import type { RecallBand } from '../catalog.js';
import type { Ranked } from './ranking.js';
import { now } from './time-slices.js';
import type { CellDirections } from './vectors/centroids.js';

/** What a collection promises, at this depth; and what the shares are chosen for, so that it holds. */
const least = 0.98;
const wanted = 0.997;
/** Beyond what was enough for the queries that were looked at. */
const margin = 1.2;
/** How deep the nearest are sought, and of how many queries. */
const depths = [
  { depth: recallDepth, queries: 64 },
  { depth: 100, queries: 64 },
  { depth: 1_000, queries: 16 },
] as const;
/** Queries of a kind that are remembered and looked at: of each two one says how much to look at, the other whether that is enough. */
const remembered = 128;
/** Queries of a kind from which on something can be said of it, and up to which what is said is but a beginning. */
const fewest = 16;
const fewLearntFrom = 32;
/** The share for a kind of which nothing is known yet: of stored embeddings' times so much, but so much at least, or so much of all. */
const unknown = { timesItems: 3, atLeast: 0.05, ofAll: 0.25 } as const;
/** From this share on comparing with everything takes no longer. */
const mostOfAll = 0.6;
/** The share of embeddings that must have come or gone, and the milliseconds after which real queries are looked at again. */
const againAtShare = 0.1;
const againAfterMs = 600_000;
/** After one that came to no end. */
const tryAgainAfterMs = 5_000;

/** By kind of query, for each of the depths: the share of all embeddings to look at, 0..1. */
export type Shares = Partial<Record<QueryKind, number[]>>;

export interface AskedQuery {
  embedding: Float32Array;
  kind: QueryKind;
  filter?: Filter;
}

/** Answers a query as anyone would be answered, or exactly; so many of the nearest, else as many as recall is told of. */
export type Ask = (query: AskedQuery, depth: number | undefined, exact: boolean) => Promise<{ best: Ranked[]; exact: boolean; selectivity: number }>;

interface Audited {
  directions: CellDirections;
  ask: Ask;
  newestKey: () => number;
  /** Nobody needs it any more, or it would not be true. */
  isOver: () => boolean;
  /** At most so many stored embeddings, drawn by chance. */
  sample: (most: number) => Float32Array[];
  /** For each key, the share that is looked at before it. */
  sharesBefore: (query: Float32Array, keys: readonly number[]) => number[];
}

/**
 * How much of a divided collection a search must look at to find the nearest: learnt in the background from stored
 * embeddings and from what was searched for of late, each kind of query by itself, against exact answers; and how many of
 * the nearest searches do find, by other queries than those. Where it is too few they look at more, in the end at all.
 */
export class Recall {
  readonly shares: Shares;
  bands: RecallBand[] = [];
  readonly #asked = new Map<QueryKind, AskedQuery[]>();
  readonly #filtered: AskedQuery[] = [];
  #notes = 0;
  #notesAtAudit = 0;
  #changes = 0;
  /** By kind, of how many queries its shares are. */
  readonly #learntFrom = new Map<QueryKind, number>();
  #audited: CellDirections | undefined;
  #auditedAt = -Infinity;
  #triedAt = -Infinity;

  /** `shares`: as they were saved. */
  constructor(shares: Shares = {}) {
    this.shares = shares;
  }

  /** Was searched for. */
  note(query: AskedQuery): void {
    const latest = query.filter ? this.#filtered : (this.#asked.get(query.kind) ?? []);
    if (latest.push(query) > remembered) latest.shift();
    if (!query.filter) this.#asked.set(query.kind, latest);
    this.#notes++;
  }

  /** An embedding came or went. */
  changed(): void {
    this.#changes++;
  }

  /** The share of all to look at for the `depth` nearest; `undefined`: all. */
  share(kind: QueryKind, depth: number): number | undefined {
    const at = depths.findIndex((each) => depth <= each.depth);
    if (at === -1) return undefined;
    const items = this.shares.item?.[at];
    const learnt = this.shares[kind]?.[at];
    const guessed = items === undefined ? unknown.ofAll : Math.max(items * unknown.timesItems, unknown.atLeast);
    const isSure = kind === 'item' || (this.#learntFrom.get(kind) ?? 0) >= fewLearntFrom;
    const share = learnt === undefined ? guessed : isSure ? learnt : Math.max(learnt, guessed);
    return share >= mostOfAll ? undefined : share;
  }

  /** Nothing was learnt of these cells yet. */
  isNew(directions: CellDirections): boolean {
    return this.#audited !== directions && now() - this.#triedAt >= tryAgainAfterMs;
  }

  isDue(count: number, directions: CellDirections): boolean {
    if (now() - this.#triedAt < tryAgainAfterMs) return false;
    const isNew = [...this.#asked].some(([kind, queries]) => queries.length >= Math.max(fewest, 4 * (this.#learntFrom.get(kind) ?? 0)));
    const isOld = this.#notes - this.#notesAtAudit >= remembered && now() - this.#auditedAt > againAfterMs;
    return this.#audited !== directions || this.#changes >= count * againAtShare || isNew || isOld;
  }

  /** What was found to be too little, and mended. Errors: whatever searching may throw. */
  async audit(audited: Audited): Promise<object | undefined> {
    this.#triedAt = now();
    this.#changes = 0;
    const [notes, samples] = [this.#notes, audited.sample(remembered).map((embedding): AskedQuery => ({ embedding, kind: 'item' }))];
    const bands: RecallBand[] = [];
    let problem: object | undefined;
    for (const kind of queryKinds) {
      const queries = kind === 'item' ? samples : [...(this.#asked.get(kind) ?? [])];
      if (queries.length < fewest && kind !== 'item') continue;
      const learnFrom = queries.filter((_, i) => i % 2 === 0);
      let learnt = await this.#learn(audited, learnFrom);
      if (!learnt) return undefined;
      this.#learntFrom.set(kind, learnFrom.length);
      this.shares[kind] = learnt;
      for (;;) {
        const found = await this.#measure(audited, queries.filter((_, i) => i % 2 === 1));
        if (!found) return undefined;
        const recall = found[0]?.recall ?? 1;
        if (recall >= least || learnt.every((share) => share >= mostOfAll)) {
          bands.push(...found);
          break;
        }
        problem = { query: kind, recall, share: learnt[0] };
        learnt = learnt.map((share) => Math.min(1, 2 * share));
        this.shares[kind] = learnt;
      }
    }
    const filtered = await this.#measure(audited, [...this.#filtered]);
    if (!filtered) return undefined;
    this.bands = [...bands, ...filtered];
    this.#audited = audited.directions;
    this.#auditedAt = now();
    this.#notesAtAudit = notes;
    return problem;
  }

  /** The shares that were enough for these queries. */
  async #learn({ ask, isOver, sharesBefore }: Audited, queries: AskedQuery[]): Promise<number[] | undefined> {
    const shares: number[] = [];
    for (const { depth, queries: most } of depths) {
      const needed: number[] = [];
      for (const query of queries.slice(0, most)) {
        const { best } = await ask(query, depth, true);
        if (isOver()) return undefined;
        needed.push(...sharesBefore(query.embedding, best.map(({ key }) => key)));
      }
      const enough = needed.sort((a, b) => a - b)[Math.ceil(needed.length * wanted) - 1] ?? unknown.ofAll;
      // No less than for fewer of them.
      shares.push(Math.min(1, Math.max(enough * margin + 0.002, shares.at(-1) ?? 0)));
    }
    return shares;
  }

  /** How many of the nearest are found, by kind of query and tenth power of the filter's selectivity. */
  async #measure({ ask, isOver, newestKey }: Audited, queries: AskedQuery[]): Promise<RecallBand[] | undefined> {
    const recalls = new Map<string, { query: QueryKind; selectivity: number; each: number[] }>();
    for (const query of queries) {
      const newest = newestKey();
      const found = await ask(query, undefined, false);
      const all = found.exact ? found : await ask(query, undefined, true);
      if (isOver()) return undefined;
      // What came meanwhile is in one of the answers alone.
      const there = all.best.filter(({ key }) => key <= newest);
      const last = there.at(-1);
      if (!last) continue;
      const selectivity = 10 ** Math.round(Math.log10(Math.max(found.selectivity, 1e-9)));
      const name = `${query.kind} ${selectivity}`;
      const band = recalls.get(name) ?? { query: query.kind, selectivity, each: [] };
      recalls.set(name, band);
      band.each.push(Math.min(1, shareFound(found.best.map(({ score }) => score), last.score, there.length)));
    }
    const at = new Date().toISOString();
    return [...recalls.values()].map(({ query, selectivity, each }) => ({ query, selectivity, ...recallOf(each), at }));
  }
}
