import type { Random } from '../crash/random.js';
import type { ServerOptions } from '../server.js';
import { Divergence, diverges } from './divergence.js';
import { sha256, type Inputs, type Space } from './inputs.js';
import type { Service } from './service.js';
import { Shelf, type Reembedding } from './shelf.js';

export interface Profile {
  name: string;
  /** Settings of the store; left out: its own. */
  store?: NonNullable<ServerOptions['store']>;
  /** Ids that a collection's items are drawn from, and entries of a batch at most. */
  ids: number;
  batch: number;
}

export interface Tally {
  kills: number;
  restarts: number;
  reembeddings: number;
  searches: number;
  /** Shares of the best that approximate answers found. */
  recall: number[];
}

const idForms = [
  (n: number) => `item-${n}`,
  (n: number) => `ü/${n}`,
  (n: number) => `u\u0308/${n}`,
  (n: number) => `日本 ${n}`,
  (n: number) => `a b+${n}%20`,
  (n: number) => `😀${n}`,
  (n: number) => `\uFFFD${n}`,
  (n: number) => `"q" '${n}' \\`,
  (n: number) => `?q=${n}#x&y`,
  (n: number) => `..${n}`,
  (n: number) => `Z${n}`,
  (n: number) => `${'é'.repeat(250)}${n}`,
  (n: number) => `\uFB01${n}`,
];

/** All that a seed's operations share. */
export class World {
  readonly shelves = new Map<string, Shelf>();
  readonly inputs: Inputs;
  readonly service: Service;
  readonly profile: Profile;
  readonly tally: Tally = { kills: 0, restarts: 0, reembeddings: 0, searches: 0, recall: [] };
  readonly ids: string[];
  /** Vectors that come again and again. */
  readonly common: number[][];
  readonly #hashes = new Map<string, string>();
  readonly #centers: Float64Array[];

  constructor(inputs: Inputs, service: Service, profile: Profile, random: Random) {
    this.inputs = inputs;
    this.service = service;
    this.profile = profile;
    const ofTexts = inputs.texts.slice(0, 4).map((text) => sha256(text));
    this.ids = [...ofTexts, ...Array.from({ length: profile.ids }, (_, n) => idForms[n % idForms.length]!(n))];
    this.#centers = Array.from({ length: 12 }, () => Float64Array.from({ length: this.space('first').dimension }, () => random.normal()));
    this.common = Array.from({ length: 6 }, () => this.drawVector(random));
    this.shelves.set('default', this.newShelf('default', this.space('first'), 'keep', null));
  }

  space(model: string): Space {
    return this.inputs.spaces.get(model)!;
  }

  newShelf(name: string, space: Space, originals: 'keep' | 'thumbnail', description: string | null): Shelf {
    return new Shelf({ inputs: this.inputs, hashes: this.#hashes, name, space, originals, description });
  }

  /** Around one of a few centers, of any length. */
  drawVector(random: Random): number[] {
    const center = random.pick(this.#centers);
    const scale = random.pick([1, 1, 0.01, 300]);
    return Array.from(center, (value) => Number(((value + 0.7 * random.normal()) * scale).toPrecision(5)));
  }

  drawShelf(random: Random): Shelf {
    // Most of it happens in one, so that it grows.
    return random.next() < 0.55 ? this.shelves.get('default')! : random.pick([...this.shelves.values()]);
  }

  /** Of a shelf on its way into another space, an answer may be of either; one of the other is never followed by one of its own. */
  judge(shelf: Shelf, check: (shelf: Shelf) => void): void {
    if (!shelf.isOnItsWay) return check(shelf);
    try {
      check(shelf);
    } catch (error) {
      if (!(error instanceof Divergence)) throw error;
      try {
        check(shelf.gone());
      } catch {
        throw error;
      }
      this.goesOver(shelf);
    }
  }

  goesOver(shelf: Shelf): void {
    if (!shelf.mayGoOver) diverges(`"${shelf.name}" goes over although some items cannot`, shelf.reembedding, shelf.plan(shelf.reembedding!.to, shelf.reembedding!.fromThumbnails));
    shelf.goOver();
  }

  /** What the service tells of a reembedding that runs, has stopped or is done. */
  observe(shelf: Shelf, seen: any): void {
    const expected: Reembedding | undefined = shelf.reembedding;
    if (!expected) return void (seen.reembedding === undefined || diverges(`"${shelf.name}" is not being embedded again`, undefined, seen.reembedding));
    if (seen.reembedding === undefined) {
      if (!expected.isRunning) diverges(`The reembedding of "${shelf.name}" that has stopped stays`, expected, seen);
      return this.goesOver(shelf);
    }
    if (seen.reembedding.state === 'running' || !expected.isRunning) return;
    if (shelf.mayGoOver) diverges(`The reembedding of "${shelf.name}" stops only for what cannot be embedded`, expected, seen.reembedding);
    expected.isRunning = false;
  }
}
