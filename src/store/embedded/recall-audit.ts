import { recallDepth, recallOf, shareFound } from '../../domain/recall.js';
import type { RecallBand } from '../catalog.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { Graph } from './graph.js';
import { Ranking, similarity } from './ranking.js';
import { nextTurn, now } from './time-slices.js';
import type { Vectors } from './vectors.js';

/** What a collection promises. */
const least = 0.98;
/** Queries of a kind that are compared; and where comparing reads the disk. */
const sample = { inMemory: 32, fromDisk: 4 } as const;
const rememberedQueries = 32;
/** The share of embeddings that must have come or gone, and the milliseconds after which real queries are looked at again. */
const againAtShare = 0.1;
const againAfterMs = 600_000;
/** After one that writing disturbed. */
const tryAgainAfterMs = 5_000;
/** Times the search list's usual length. */
const efforts = [1, 2, 4, 8] as const;

interface Audited {
  graph: Graph;
  embeddings: EmbeddingTable;
  vectors: Vectors;
  space: number;
  count: number;
  /** Nobody needs it any more. */
  isOver: () => boolean;
  /** At most so many stored embeddings, drawn by chance. */
  sample: (most: number) => Float32Array[];
}

/**
 * Answers some queries through the graph and exactly, in the background, and looks how many of the nearest the graph
 * found. Where it finds too few, as it does among thousands of equal embeddings, it gets a longer search list, and if
 * that does not help, searches do without it until much of what is stored has changed.
 */
export class RecallAudit {
  /** Times the usual search list; Infinity: the graph is not to be asked. */
  effort = 1;
  bands: RecallBand[] = [];
  #queries: Float32Array[] = [];
  #sinceQueries = 0;
  #changes = 0;
  #isAudited = false;
  #triedAt: number | undefined;
  #auditedAt = -Infinity;

  /** Was searched for, among all. */
  note(query: Float32Array): void {
    this.#queries[this.#sinceQueries++ % rememberedQueries] = query;
  }

  /** An embedding came or went. */
  changed(): void {
    this.#changes++;
  }

  isDue(count: number): boolean {
    if (this.#triedAt !== undefined && now() - this.#triedAt < tryAgainAfterMs) return false;
    return !this.#isAudited || this.#changes >= count * againAtShare || (this.#sinceQueries >= rememberedQueries && now() - this.#auditedAt > againAfterMs);
  }

  /** `undefined`: something was written meanwhile, or the end came; it is due still. Errors: whatever searching may throw. */
  async run(audited: Audited): Promise<{ recall: number; effort: number } | undefined> {
    const isInMemory = audited.vectors.fits(audited.count);
    const most = isInMemory ? sample.inMemory : sample.fromDisk;
    const kinds = [
      { query: 'item' as const, queries: audited.sample(most) },
      { query: 'search' as const, queries: this.#queries.slice(0, most) },
    ].filter(({ queries }) => queries.length > 0);
    const before = this.#changes;
    this.#triedAt = now();
    // What comes or goes from now on is in one of the answers alone.
    this.#changes = 0;
    const isDisturbed = (): boolean => {
      if (this.#changes === 0 && !audited.isOver()) return false;
      this.#changes += before;
      return true;
    };
    const asked: Asked[] = [];
    for (const { query, queries } of kinds) {
      for (const embedding of queries) {
        asked.push({ query, embedding, ...(await exactly(audited, embedding)) });
        if (isDisturbed()) return undefined;
      }
    }
    let bands: RecallBand[] = [];
    let [worst, effort] = [0, 1];
    for (effort of efforts) {
      bands = await bandsOf(audited, asked, effort);
      if (isDisturbed()) return undefined;
      worst = Math.min(...bands.map(({ recall }) => recall));
      if (worst >= least) break;
    }
    // Reading all from the disk for each search would be worse than missing some.
    this.effort = worst < least && isInMemory ? Infinity : effort;
    this.bands = bands;
    this.#sinceQueries = 0;
    this.#auditedAt = now();
    this.#isAudited = true;
    return { recall: worst, effort: this.effort };
  }
}

interface Asked {
  query: RecallBand['query'];
  embedding: Float32Array;
  /** The tenth best score of all, or the last of as many as there are. */
  tenth: number;
  all: number;
}

async function exactly({ vectors, count }: Audited, embedding: Float32Array): Promise<Pick<Asked, 'tenth' | 'all'>> {
  const ranking = new Ranking({ size: recallDepth, idOf: String });
  await vectors.scan(embedding, ranking, { after: 0, expected: count, total: count });
  return { tenth: ranking.best.at(-1)?.score ?? 1, all: Math.max(1, ranking.best.length) };
}

async function bandsOf({ graph, embeddings, space }: Audited, asked: Asked[], effort: number): Promise<RecallBand[]> {
  const at = new Date().toISOString();
  const recalls = new Map<RecallBand['query'], number[]>();
  for (const { query, embedding, tenth, all } of asked) {
    const rows = graph.nearest(embedding, recallDepth, { effort }).map((key) => embeddings.byKey(key, space));
    const scores = rows.flatMap((row) => (row ? [similarity(embedding, row.embedding)] : []));
    recalls.set(query, [...(recalls.get(query) ?? []), shareFound(scores, tenth, all)]);
    await nextTurn();
  }
  return [...recalls].map(([query, each]) => ({ query, ...recallOf(each), at }));
}
