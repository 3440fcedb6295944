import { plainScale, standardScores } from '../../domain/standard-scores.js';
import type { NearestRequest, Neighbors, ScoreSpread, VectorIndex } from '../vector-index.js';
import { standardAt } from '../wanted-scores.js';
import { findCollection, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { LeafSearch, planLeaf, toNeighbor } from './leaf-search.js';
import { listsOf } from './lists.js';
import type { Parts } from './parts.js';
import { isGone } from './problems.js';
import { ScoreSamples } from './score-samples.js';
import { Selectivities } from './selectivity.js';
import { itemsOf } from './tables.js';
import { fromVector } from './vectors.js';

/** Where there are so many times as many as are wanted, they are drawn by their keys. */
const many = 20;

export function vectorIndexOf({ database, settings }: Parts): VectorIndex {
  const samples = new ScoreSamples();
  const selectivities = new Selectivities();

  const nearest = async (session: Session, collection: CollectionRow, { leaves, most = Infinity, spread, excludeIds = [], ...query }: NearestRequest): Promise<Neighbors[]> => {
    const lists = await listsOf(session, collection);
    const excluded = await keysOf(session, collection, excludeIds);
    const spreads: ScoreSpread[] = [];
    if (spread) for (const { modality } of leaves) spreads.push(await samples.spread(session, lists[modality], query.embedding));
    const compared = Array.isArray(spread) ? spread : spread === 'standard' ? spreads : undefined;
    const scales = compared ? standardScores(compared) : leaves.map(() => plainScale);
    const found: Neighbors[] = [];
    for (const [i, leaf] of leaves.entries()) {
      const wantedFrom = scales[i]!.scoreAt(standardAt(most, found, scales));
      const list = lists[leaf.modality];
      const asked = { ...query, excluded };
      const plan = await planLeaf(session, { list, leaf, query: asked, selectivities, graphFrom: settings.graphFrom });
      const { best, exact } = await new LeafSearch(session, list, leaf, asked).run(plan);
      const neighbors = best.slice(0, leaf.limit).filter(({ score }) => score >= wantedFrom).map(toNeighbor);
      found.push({ neighbors, exact, more: best.length > neighbors.length, ...(spread && { spread: spreads[i]! }) });
    }
    return found;
  };

  return {
    capabilities: { exact: true, filters: true, cursors: true },
    nearest: (name, request) => {
      let { fingerprint } = request;
      return database.read(async (session) => {
        const collection = await findCollection(session, name, fingerprint);
        // Run again, it must be in the same space still.
        fingerprint = collection.fingerprint;
        return nearest(session, collection, request);
      }, isGone);
    },
    sample: (name, modality, most) =>
      database.read(async (session) => {
        const { table, embeddings } = (await listsOf(session, await findCollection(session, name)))[modality];
        const places = `SELECT place FROM (SELECT (SELECT min(key) FROM ${table}) AS lo, (SELECT max(key) FROM ${table}) AS hi) AS bounds CROSS JOIN LATERAL (SELECT lo + floor(random() * (hi - lo + 1))::bigint AS place FROM generate_series(1, $1) OFFSET 0) AS drawn`;
        const chosen = embeddings > many * most ? `SELECT DISTINCT near.key FROM (${places}) AS places CROSS JOIN LATERAL (SELECT key FROM ${table} WHERE key >= place ORDER BY key LIMIT 1) AS near` : `SELECT key FROM ${table} ORDER BY random() LIMIT $1`;
        const rows = await session.rows<{ vector: Buffer }>(`SELECT vector_send(vector) AS vector FROM ${table} WHERE key IN (${chosen})`, [most]);
        return rows.map(({ vector }) => fromVector(vector));
      }, isGone),
  };
}

/** Of those that are there. */
async function keysOf(session: Session, { key }: CollectionRow, ids: string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const rows = await session.rows<{ key: number }>(`SELECT key FROM ${itemsOf(key)} WHERE id = ANY($1)`, [ids]);
  return rows.map((row) => row.key);
}
