import type { Priority } from '../../domain/priority.js';
import type { Outcome } from '../encoder.js';
import { LruCache } from './lru-cache.js';

/** What is being encoded, for those who ask for the same meanwhile. */
interface UnderWay<V> {
  priority: Priority;
  /** undefined where the call came to nothing: its caller hung up, the queue was full. */
  outcome: Promise<Outcome<V> | undefined>;
}

/** A Map's entry, the objects and the buffer around the numbers: growth of the process with 30,000 entries, Node 20, less numbers and keys. */
const overheadBytes = 800;

/** Embeddings by key: those kept, those under way, and a way to the others. Failures are told to all who wait for them, and not kept. */
export class EmbeddingCache<V extends { embedding: Float32Array }> {
  readonly #kept: LruCache<V>;
  readonly #underWay = new Map<string, UnderWay<V>>();
  readonly #onLookup: (hits: number, misses: number) => void;

  /** `onLookup` is told of each call's hits, those that needed no encoding of their own, and misses. */
  constructor(bytes: number, onLookup: (hits: number, misses: number) => void) {
    this.#kept = new LruCache(bytes);
    this.#onLookup = onLookup;
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  /** In the keys' order. `encode` gets the places of the keys that have to be encoded, and answers in their order. */
  async outcomes(keys: string[], priority: Priority, encode: (places: number[]) => Promise<Outcome<V>[]>): Promise<Outcome<V>[]> {
    const outcomes = new Array<Outcome<V> | undefined>(keys.length);
    const own = new Map<string, number>();
    const joined = new Map<number, UnderWay<V>>();
    keys.forEach((key, place) => {
      const kept = this.#kept.get(key);
      const other = this.#underWay.get(key);
      if (kept) outcomes[place] = { ok: true, value: kept };
      // Interactive work does not wait for bulk work.
      else if (other && (other.priority === priority || other.priority === 'interactive')) joined.set(place, other);
      else if (!own.has(key)) own.set(key, place);
    });
    this.#onLookup(keys.length - own.size, own.size);

    const encodeAt = async (places: number[]): Promise<void> => {
      if (places.length === 0) return;
      const answers = await this.#encode(places.map((place) => keys[place]!), priority, () => encode(places));
      answers.forEach((outcome, i) => (outcomes[places[i]!] = outcome));
    };
    await encodeAt([...own.values()]);
    for (const [place, { outcome }] of joined) outcomes[place] = await outcome;
    await encodeAt([...joined.keys()].filter((place) => !outcomes[place]));
    return keys.map((key, place) => owned(outcomes[place] ?? outcomes[own.get(key)!]!));
  }

  async #encode(keys: string[], priority: Priority, encode: () => Promise<Outcome<V>[]>): Promise<Outcome<V>[]> {
    const answer = encode();
    const underWay = keys.map((key, i): UnderWay<V> => {
      const each: UnderWay<V> = { priority, outcome: answer.then((outcomes) => outcomes[i], () => undefined) };
      this.#underWay.set(key, each);
      return each;
    });
    try {
      const outcomes = await answer;
      outcomes.forEach((outcome, i) => {
        if (outcome.ok) this.#kept.set(keys[i]!, outcome.value, outcome.value.embedding.byteLength + 2 * keys[i]!.length + overheadBytes);
      });
      return outcomes;
    } finally {
      keys.forEach((key, i) => {
        if (this.#underWay.get(key) === underWay[i]) this.#underWay.delete(key);
      });
    }
  }
}

/** Numbers of the caller's own: what is kept must not change under others. */
function owned<V extends { embedding: Float32Array }>(outcome: Outcome<V>): Outcome<V> {
  return outcome.ok ? { ok: true, value: { ...outcome.value, embedding: outcome.value.embedding.slice() } } : outcome;
}
