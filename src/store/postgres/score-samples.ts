import { sampledItems, ScoreSample } from '../score-sample.js';
import type { ScoreSpread } from '../vector-index.js';
import type { Session } from './database.js';
import { drawnItems, type List } from './lists.js';
import { fromVector } from './vectors.js';

/** A sample is drawn anew once so large a part of all has come or gone, or after so long when anything has been written. */
const changedPart = 1 / 64;
const staleAfterMs = 30_000;
const mostKept = 64;

interface Kept {
  sample: ScoreSample;
  embeddings: number;
  seq: number;
  drawnAt: number;
}

/** Of each list some of its embeddings, kept in memory. */
export class ScoreSamples {
  readonly #kept = new Map<string, Kept>();

  async spread(session: Session, list: List, embedding: Float32Array): Promise<ScoreSpread> {
    const kept = this.#kept.get(list.table);
    if (kept && isAsDrawn(kept, list)) return kept.sample.spread(embedding, list.items);
    const sample = await draw(session, list);
    this.#kept.delete(list.table);
    this.#kept.set(list.table, { sample, embeddings: list.embeddings, seq: list.collection.seq, drawnAt: performance.now() });
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!);
    return sample.spread(embedding, list.items);
  }
}

function isAsDrawn({ embeddings, seq, drawnAt }: Kept, list: List): boolean {
  if (seq === list.collection.seq) return true;
  return list.items > sampledItems && Math.abs(list.embeddings - embeddings) <= embeddings * changedPart && performance.now() - drawnAt < staleAfterMs;
}

/** All of few; of many, from places spread evenly over the keys. */
async function draw(session: Session, { table, items }: List): Promise<ScoreSample> {
  const which = items <= sampledItems ? '' : `WHERE item IN (${drawnItems(table, sampledItems, `lo + n * (hi - lo + 1) / ${sampledItems}`)})`;
  const rows = await session.rows<{ item: number; vector: Buffer }>(`SELECT item, vector_send(vector) AS vector FROM ${table} ${which} ORDER BY item, part`);
  const drawn = new Map<number, Float32Array[]>();
  for (const { item, vector } of rows) {
    const parts = drawn.get(item);
    if (parts) parts.push(fromVector(vector));
    else drawn.set(item, [fromVector(vector)]);
  }
  return new ScoreSample([...drawn.values()]);
}
