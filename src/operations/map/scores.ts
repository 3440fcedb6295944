import type { Catalog } from '../../store/catalog.js';
import { MixspaceError } from '../../errors.js';
import { ComputeThread } from '../compute-thread.js';
import { Turns } from '../turns.js';
import type { LiveMap } from './live-map.js';
import type { ScoreMethods } from './score-thread.js';

const scoreThread = new URL('./score-thread.js', import.meta.url);
const readAtOnce = 1_000;
/** Bytes of embeddings that are held at once, as float32: 100,000 of 256 dimensions. Of a map that has more, they are read anew each time, a part after the other. */
const mostHeld = 100_000 * 256 * 4;
/** A thread that nobody asked for so long goes, and what it holds. */
const idleMs = 20_000;

interface Held {
  name: string;
  thread: ComputeThread<ScoreMethods>;
  /** Keys of the embeddings that it holds, by number. */
  embeddings: Uint32Array;
  timer?: NodeJS.Timeout;
}

/** Scores all of a map at once; the embeddings of the map that was asked for last stay in memory for a while. */
export class MapScores {
  readonly #turns = new Turns();
  #held: Held | undefined;

  /** Cosines by number; NaN where there is no embedding. `conflict`: the collection is in another space than the embedding. */
  of(catalog: Catalog, map: LiveMap, { embedding, fingerprint }: { embedding: Float32Array; fingerprint: string }, signal: AbortSignal): Promise<Float32Array> {
    return this.#turns.take('score', async () => {
      // Who has gone meanwhile need not be answered.
      signal.throwIfAborted();
      const { embeddings, fingerprint: now } = await map.now();
      if (now !== fingerprint) throw new MixspaceError('conflict', `The collection "${map.collection}" is in another space by now.`);
      const dimension = embedding.length;
      const atOnce = Math.max(1, Math.floor(mostHeld / (4 * dimension)));
      const scores = new Float32Array(map.count);
      for (let from = 0; from < map.count; from += atOnce) {
        signal.throwIfAborted();
        const some = embeddings.slice(from, from + atOnce);
        const held = await this.#holding([map.collection, map.job, map.count, fingerprint, from].join(' '), some.length, dimension);
        const missing = await this.#fill(catalog, map.collection, held, { some, fingerprint, signal });
        scores.set(await held.thread.call('score', embedding.slice()), from);
        some.forEach((key, i) => (key === 0 || missing.has(i)) && (scores[from + i] = NaN));
      }
      this.#leave(map.count <= atOnce);
      return scores;
    });
  }

  async close(): Promise<void> {
    const { thread, timer } = this.#held ?? {};
    this.#held = undefined;
    clearTimeout(timer);
    await thread?.close();
  }

  async #holding(name: string, count: number, dimension: number): Promise<Held> {
    clearTimeout(this.#held?.timer);
    if (this.#held?.name === name) return this.#held;
    await this.close();
    const thread = new ComputeThread<ScoreMethods>(scoreThread);
    this.#held = { name, thread, embeddings: new Uint32Array(count) };
    await thread.call('begin', { count, dimension });
    return this.#held;
  }

  /** Reads those that are others than it holds; the places of those that cannot be read. */
  async #fill(catalog: Catalog, collection: string, held: Held, { some, fingerprint, signal }: { some: Uint32Array; fingerprint: string; signal: AbortSignal }): Promise<Set<number>> {
    const missing = new Set<number>();
    const changed = Uint32Array.from([...some.keys()].filter((i) => some[i] !== held.embeddings[i] && some[i] !== 0));
    for (let from = 0; from < changed.length; from += readAtOnce) {
      signal.throwIfAborted();
      const places = changed.slice(from, from + readAtOnce);
      const { values, found } = await catalog.readEmbeddings(collection, fingerprint, places.map((place) => some[place]!));
      await held.thread.call('set', { places, values });
      places.forEach((place, i) => {
        if (found[i] === 1) held.embeddings[place] = some[place]!;
        else missing.add(place);
      });
    }
    return missing;
  }

  #leave(isWhole: boolean): void {
    const held = this.#held;
    if (!held) return;
    // The next question begins with another part.
    if (!isWhole) return void this.close().catch(() => undefined);
    held.timer = setTimeout(() => void (this.#held === held && this.close().catch(() => undefined)), idleMs);
    held.timer.unref();
  }
}
