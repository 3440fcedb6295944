import { modalities, type Modality } from '../../domain/modality.js';
import type { Log } from '../../telemetry.js';
import { keyOf } from '../package/model-package.js';
import type { Slot } from './slot.js';
import type { Version } from './version.js';
import type { HeldTower } from './worker-process.js';

export interface ResidencyOptions {
  /** Milliseconds after which a tower that nobody used is unloaded; Infinity: never. */
  idleMs: number;
  /** What all towers in all workers may hold together; those in use are kept beyond it. */
  memoryBytes: number;
  log: Log;
}

/** What is known of a version as long as somebody wants it or a worker holds it. */
interface Known {
  version: Version;
  /** Inputs that wait for it. */
  waiting: number;
  /** Never unloaded: kept by so many. */
  kept: number;
  /** Nobody will ask for it any more. */
  retired: boolean;
  /** Milliseconds of `performance.now()`, by modality. */
  usedAt: Partial<Record<Modality, number>>;
}

/** Which towers stay in which workers: unloads what is idle or retired, and the least recently used where memory is short. */
export class Residency {
  readonly #slots: readonly Slot[];
  readonly #options: ResidencyOptions;
  readonly #known = new Map<string, Known>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(slots: readonly Slot[], options: ResidencyOptions) {
    this.#slots = slots;
    this.#options = options;
    if (options.idleMs !== Infinity) this.#timer = setInterval(() => this.#unloadIdle(), Math.min(15_000, options.idleMs / 4)).unref();
  }

  /** Told when inputs begin to wait for it, and when they cease to: then with a negative count. */
  waits(version: Version, count: number): void {
    this.#of(version).waiting += count;
    if (count < 0) this.unloadRetired();
  }

  /** Told when a batch begins and when it ends. */
  used(version: Version, modality: Modality): void {
    this.#of(version).usedAt[modality] = performance.now();
    this.unloadRetired();
  }

  /** Kept from now on, until what this gives is called. */
  keep(version: Version): () => void {
    const known = this.#of(version);
    known.kept++;
    known.retired = false;
    return () => {
      known.kept--;
      this.unloadRetired();
    };
  }

  /** Is unloaded as soon as nothing runs on it and nothing waits for it, in whatever worker. */
  retire(version: Version): void {
    this.#of(version).retired = true;
    this.unloadRetired();
  }

  /** Of a version that is used again. */
  reinstate(version: Version): void {
    this.#of(version).retired = false;
  }

  unloadRetired(): void {
    for (const [key, { retired, waiting, version }] of this.#known) {
      if (!retired || waiting > 0) continue;
      for (const idle of this.#idle()) if (keyOf(idle.model) === key) this.#unload(idle, 'its files are others now');
      if (modalities.every((modality) => this.holders(version, modality).length === 0)) this.#known.delete(key);
    }
  }

  /** Workers that hold it. */
  holders(version: Version, modality: Modality): Slot[] {
    return this.#slots.filter((slot) => slot.holds(version, modality));
  }

  /** Whether a further copy of a tower that is loaded elsewhere stays within the bound. */
  hasRoomFor(version: Version, modality: Modality): boolean {
    return this.#held() + (version.towerBytes[modality] ?? 0) <= this.#options.memoryBytes;
  }

  /** Unloads the least recently used until one more tower has room, or nothing idle is left. */
  makeRoomFor(version: Version, modality: Modality): void {
    while (!this.hasRoomFor(version, modality)) {
      const [oldest] = this.#idle().sort((a, b) => this.#lastUse(a) - this.#lastUse(b));
      if (!oldest) return;
      this.#unload(oldest, 'for another one');
    }
  }

  /** Of a slot that stays awake, what nobody used for so long and can be loaded again when it is wanted. */
  rest(slot: Slot, modality: Modality, ms: number): void {
    const now = performance.now();
    for (const tower of slot.worker.alive ? slot.worker.towers : []) {
      if (tower.modality === modality && !slot.uses(keyOf(tower.model), modality) && now - this.#lastUse(tower) >= ms) this.#unload({ ...tower, slot }, 'nobody has used it for a while');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #unloadIdle(): void {
    const now = performance.now();
    for (const idle of this.#idle()) if (now - this.#lastUse(idle) >= this.#options.idleMs) this.#unload(idle, 'idle');
  }

  #idle(): (HeldTower & { slot: Slot })[] {
    return this.#slots.flatMap((slot) => {
      const towers = slot.worker.alive ? slot.worker.towers : [];
      return towers.filter((tower) => !slot.uses(keyOf(tower.model), tower.modality) && !this.#isKept(slot, tower)).map((tower) => ({ ...tower, slot }));
    });
  }

  /** Once in the service where it is a text tower, in every worker where not. */
  #isKept({ home }: Slot, { model, modality }: HeldTower): boolean {
    return home.includes(modality) && (this.#known.get(keyOf(model))?.kept ?? 0) > 0;
  }

  #unload({ slot: { worker }, model, modality }: HeldTower & { slot: Slot }, why: string): void {
    this.#options.log('info', `Model ${model.id} is unloaded from a worker: ${why}.`, { model: model.id, modality, worker: worker.pid });
    // The bookkeeping is done at once; a worker that dies meanwhile gives everything back.
    worker.unload(model, modality).catch(() => undefined);
  }

  #held(): number {
    const bytesOf = ({ model, modality }: HeldTower): number => this.#known.get(keyOf(model))?.version.towerBytes[modality] ?? 0;
    return this.#slots.reduce((sum, { worker }) => sum + worker.towers.reduce((each, tower) => each + bytesOf(tower), 0), 0);
  }

  #lastUse({ model, modality }: HeldTower): number {
    return this.#known.get(keyOf(model))?.usedAt[modality] ?? 0;
  }

  #of(version: Version): Known {
    let known = this.#known.get(version.key);
    if (!known) {
      known = { version, waiting: 0, kept: 0, retired: false, usedAt: {} };
      this.#known.set(version.key, known);
    }
    return known;
  }
}
