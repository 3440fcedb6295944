/** Indexes of nearest neighbors: one over each table of embeddings that is large enough, built in the background. */
import { modalities, type Modality } from '../../domain/modality.js';
import type { CollectionDescription } from '../catalog.js';
import type { SpaceTally } from './collections.js';
import type { Session } from './database.js';
import type { Parts } from './parts.js';
import { Rounds } from './rounds.js';
import type { PostgresStoreSettings } from './settings.js';
import { embeddingsOf, graphOf } from './tables.js';

/** The number that replicas take turns by while one of them builds: "mixgraph" in ASCII. */
const turn = '7883959128353236072';
/** Where pgvector's indexes end: of embeddings as they are, and of those rounded to float16. */
const widest = { full: 2_000, half: 4_000 };
/** Twice what pgvector does by itself: building takes twice as long, and searches find as much with half of the candidates. */
const candidatesOfBuild = 128;
/** A table of which the index could not be built is left alone for so long. */
const restMs = 60_000;

interface Missing {
  space: number;
  modality: Modality;
  dimension: number;
  /** What a build that was broken off left. */
  hasRemains: boolean;
}

/** How the indexes of a space stand. */
export async function graphsOf(session: Session, { space, tallies, settings }: { space: number; tallies: Record<Modality, SpaceTally>; settings: PostgresStoreSettings }): Promise<CollectionDescription['graph']> {
  const large = modalities.filter((modality) => tallies[modality].embeddings >= settings.graphFrom);
  if (large.length === 0) return { state: 'none', indexed: 0 };
  const row = await session.row<{ dimension: number; valid: string[] }>(
    `SELECT dimension, ARRAY(SELECT relname::text FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE indisvalid AND relnamespace = current_schema()::regnamespace AND relname = ANY($1::name[])) AS valid
       FROM spaces WHERE key = $2`,
    [large.map((modality) => graphOf(space, modality)), space],
  );
  if (!row || row.dimension > widest.half) return { state: 'none', indexed: 0 };
  const ready = large.filter((modality) => row.valid.includes(graphOf(space, modality)));
  return { state: ready.length === large.length ? 'ready' : 'building', indexed: ready.reduce((sum, modality) => sum + tallies[modality].embeddings, 0) };
}

/** Builds what is missing, one at a time among all replicas; searches compare with everything meanwhile. */
export class Graphs {
  readonly #parts: Parts;
  readonly #rounds: Rounds;
  /** When each may be tried again, by the index's name. */
  readonly #resting = new Map<string, number>();
  /** The process of the server that builds, to be stopped when the store closes. */
  #builder: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#rounds = new Rounds(parts, 'Indexes of nearest neighbors could not be looked after; it is tried again.', () => this.#look());
  }

  start(): void {
    this.#rounds.start();
  }

  async close(): Promise<void> {
    const ended = this.#rounds.stop();
    // Where there is one connection alone, it is the builder's, and closing waits for it.
    if (this.#builder !== undefined && this.#parts.settings.connections > 1) {
      await this.#parts.database.session((session) => session.row('SELECT pg_cancel_backend($1)', [this.#builder])).catch(() => undefined);
    }
    await ended;
  }

  async #look(): Promise<void> {
    await this.#parts.database.session(async (session) => {
      const rested = (all: Missing[]): Missing[] => all.filter(({ space, modality }) => (this.#resting.get(graphOf(space, modality)) ?? 0) <= performance.now());
      if (rested(await this.#missing(session)).length === 0) return;
      const { mine } = (await session.row<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${turn}) AS mine`))!;
      if (!mine) return;
      try {
        // Another one may have built it a moment ago.
        const [missing] = rested(await this.#missing(session));
        if (missing && !this.#rounds.isOver) await this.#build(session, missing);
      } finally {
        await session.row(`SELECT pg_advisory_unlock(${turn})`).catch(() => undefined);
      }
    });
  }

  #missing(session: Session): Promise<Missing[]> {
    return session.rows<Missing>(
      `SELECT space_tallies.space, modality, dimension, indexrelid IS NOT NULL AS "hasRemains"
         FROM collections JOIN spaces ON spaces.key = collections.space JOIN space_tallies ON space_tallies.space = spaces.key
         LEFT JOIN pg_class ON relname = ('graph_' || space_tallies.space || '_' || modality)::name AND relnamespace = current_schema()::regnamespace
         LEFT JOIN pg_index ON indexrelid = pg_class.oid
        WHERE embeddings >= $1 AND dimension <= $2 AND NOT coalesce(indisvalid, false) ORDER BY embeddings`,
      [this.#parts.settings.graphFrom, widest.half],
    );
  }

  async #build(session: Session, { space, modality, dimension, hasRemains }: Missing): Promise<void> {
    const { log, settings } = this.#parts;
    const name = graphOf(space, modality);
    const isHalf = settings.halfGraphs || dimension > widest.full;
    const { pid } = (await session.row<{ pid: number }>('SELECT pg_backend_pid() AS pid'))!;
    const began = performance.now();
    try {
      if (hasRemains) await session.execute(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      this.#builder = pid;
      await session.execute(`CREATE INDEX CONCURRENTLY ${name} ON ${embeddingsOf(space, modality)} USING hnsw (${isHalf ? `(vector::halfvec(${dimension})) halfvec_ip_ops` : 'vector vector_ip_ops'}) WITH (ef_construction = ${candidatesOfBuild})`);
      log('info', 'An index of nearest neighbors is there.', { index: name, seconds: Math.round((performance.now() - began) / 1_000) });
    } catch (error) {
      if (this.#rounds.isOver) return;
      this.#resting.set(name, performance.now() + restMs);
      log('warn', 'An index of nearest neighbors could not be built; searches compare with everything meanwhile, and it is tried again.', { index: name, reason: String((error as Error).message) });
    } finally {
      this.#builder = undefined;
    }
  }
}
