import { recallOf } from '../../domain/recall.js';
import type { RecallBand } from '../catalog.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { Graph } from './graph.js';
import { Ranking, similarity } from './ranking.js';
import { nextTurn, now } from './time-slices.js';
import type { Vectors } from './vectors.js';

const k = 10;
/** What a collection promises. */
const least = 0.98;
/** Queries of a kind that are compared; and where comparing reads the disk. */
const sample = { inMemory: 32, fromDisk: 4 } as const;
const rememberedQueries = 32;
/** The share of embeddings that must have come or gone, and the milliseconds after which real queries are looked at again. */
const againAtShare = 0.1;
const againAfterMs = 600_000;
/** Times the search list's usual length. */
const efforts = [1, 2, 4, 8] as const;
/** Two scores that are one, made in another order. */
const rounding = 1e-6;

interface Audited {
  graph: Graph | undefined;
  embeddings: EmbeddingTable;
  vectors: Vectors;
  space: number;
  count: number;
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
  #changes = Infinity;
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
    return this.#changes >= count * againAtShare || (this.#sinceQueries >= rememberedQueries && now() - this.#auditedAt > againAfterMs);
  }

  /** Errors: whatever searching may throw. */
  async run(audited: Audited & { graph: Graph }): Promise<{ recall: number; effort: number }> {
    const isInMemory = audited.vectors.fits(audited.count);
    const most = isInMemory ? sample.inMemory : sample.fromDisk;
    const kinds = [
      { query: 'item' as const, queries: audited.sample(most) },
      { query: 'search' as const, queries: this.#queries.slice(0, most) },
    ].filter(({ queries }) => queries.length > 0);
    const asked: { query: RecallBand['query']; embedding: Float32Array; tenth: number; all: number }[] = [];
    for (const { query, queries } of kinds) for (const embedding of queries) asked.push({ query, embedding, ...(await exactly(audited, embedding)) });
    this.#changes = 0;
    this.#sinceQueries = 0;
    this.#auditedAt = now();
    let worst = 1;
    for (const effort of efforts) {
      const at = new Date().toISOString();
      const found = new Map<RecallBand['query'], number[]>();
      for (const { query, embedding, tenth, all } of asked) {
        const scores = scoresThrough(audited, embedding, effort);
        found.set(query, [...(found.get(query) ?? []), scores.filter((score) => score >= tenth - rounding).length / all]);
        await nextTurn();
      }
      this.bands = [...found].map(([query, recalls]) => ({ query, ...recallOf(recalls, k), at }));
      worst = Math.min(...this.bands.map(({ recall }) => recall));
      this.effort = effort;
      if (worst >= least) break;
    }
    // Reading all from the disk for each search would be worse than missing some.
    if (worst < least && isInMemory) this.effort = Infinity;
    return { recall: worst, effort: this.effort };
  }
}

/** The tenth best score of all, or the last where there are fewer. */
async function exactly({ vectors, count }: Audited, embedding: Float32Array): Promise<{ tenth: number; all: number }> {
  const ranking = new Ranking({ size: k, idOf: String });
  await vectors.scan(embedding, ranking, { after: 0, expected: count, total: count });
  return { tenth: ranking.best.at(-1)?.score ?? 1, all: Math.max(1, ranking.best.length) };
}

function scoresThrough({ graph, embeddings, space }: Audited, embedding: Float32Array, effort: number): number[] {
  const rows = graph!.nearest(embedding, k, { effort }).map((key) => embeddings.byKey(key, space));
  return rows.flatMap((row) => (row ? [similarity(embedding, row.embedding)] : []));
}
