import type { Context } from '../context.js';
import { mapLimited } from '../../map-limited.js';
import { MixspaceError } from '../../errors.js';
import type { ComputeThread } from '../compute-thread.js';
import type { Likeness } from './likeness.js';
import type { PictureMethods } from './picture-thread.js';
import type { Signature } from './signature.js';

export const pictureThread = new URL('./picture-thread.js', import.meta.url);

/** A bit over a kilobyte each. */
const kept = 30_000;
/** Thumbnails that are in memory together, and those asked for at once. */
const thumbnailsAtOnce = 64;
const asked = 4;
const pairsAtOnce = 512;

export interface SignaturesParts {
  context: Context;
  collection: string;
  thread: ComputeThread<PictureMethods>;
  idOf: (place: number) => string;
  onProblem: (id: string, reason: string) => Promise<void>;
}

/** Signatures of a collection's pictures by their place in the inventory, the latest kept. */
export class Signatures {
  readonly #latest = new Map<number, Signature>();
  readonly #unreadable = new Set<number>();

  readonly #parts: SignaturesParts;

  constructor(parts: SignaturesParts) {
    this.#parts = parts;
  }

  /** Of each pair; undefined where one of them cannot be read. */
  async likeness(pairs: readonly (readonly [number, number])[], signal: AbortSignal): Promise<(Likeness | undefined)[]> {
    const found: (Likeness | undefined)[] = [];
    for (let from = 0; from < pairs.length; from += pairsAtOnce) {
      signal.throwIfAborted();
      const some = pairs.slice(from, from + pairsAtOnce);
      const of = await this.#of([...new Set(some.flat())], signal);
      const readable = some.flatMap(([a, b], i) => (of.has(a) && of.has(b) ? [{ i, pair: [of.get(a)!, of.get(b)!] as [Signature, Signature] }] : []));
      const likeness = await this.#parts.thread.call('likeness', readable.map(({ pair }) => pair));
      const answers = new Array<Likeness | undefined>(some.length).fill(undefined);
      readable.forEach(({ i }, place) => (answers[i] = likeness[place]));
      found.push(...answers);
    }
    return found;
  }

  /** 0 where it cannot be read. */
  async sharpness(places: number[], signal: AbortSignal): Promise<Map<number, number>> {
    const found = new Map<number, number>();
    for (let from = 0; from < places.length; from += pairsAtOnce) {
      for (const [place, { sharpness }] of await this.#of(places.slice(from, from + pairsAtOnce), signal)) found.set(place, sharpness);
    }
    return found;
  }

  async #of(places: number[], signal: AbortSignal): Promise<Map<number, Signature>> {
    const found = new Map<number, Signature>();
    const missing: number[] = [];
    for (const place of places) {
      const signature = this.#latest.get(place);
      if (!signature) {
        if (!this.#unreadable.has(place)) missing.push(place);
        continue;
      }
      this.#latest.delete(place);
      this.#latest.set(place, signature);
      found.set(place, signature);
    }
    for (let from = 0; from < missing.length; from += thumbnailsAtOnce) {
      signal.throwIfAborted();
      for (const [place, signature] of await this.#read(missing.slice(from, from + thumbnailsAtOnce))) {
        found.set(place, signature);
        this.#latest.set(place, signature);
        if (this.#latest.size > kept) this.#latest.delete(this.#latest.keys().next().value!);
      }
    }
    return found;
  }

  async #read(places: number[]): Promise<Map<number, Signature>> {
    const thumbnails = await mapLimited(places, asked, (place) => this.#thumbnail(place));
    const there = places.flatMap((place, i) => (thumbnails[i] ? [{ place, bytes: thumbnails[i] }] : []));
    const signatures = await this.#parts.thread.call('signatures', there.map(({ bytes }) => bytes));
    const found = new Map<number, Signature>();
    for (const [i, { place }] of there.entries()) {
      const signature = signatures[i]!;
      if (!('problem' in signature)) found.set(place, signature);
      else await this.#cannot(place, signature.problem);
    }
    return found;
  }

  async #thumbnail(place: number): Promise<Uint8Array | undefined> {
    try {
      return (await this.#parts.context.catalog.getPicture(this.#parts.collection, this.#parts.idOf(place), 'thumbnail')).bytes;
    } catch (error) {
      if (!(error instanceof MixspaceError && error.code === 'not_found')) throw error;
      await this.#cannot(place, error.message);
      return undefined;
    }
  }

  async #cannot(place: number, reason: string): Promise<void> {
    this.#unreadable.add(place);
    await this.#parts.onProblem(this.#parts.idOf(place), reason);
  }
}
