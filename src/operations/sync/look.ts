/**
 * A look at a root, after which the collection holds what lies there.
 *
 * Whatever ends it in between, the next look comes to the same. What content is found is noted before what has gone is
 * taken away: an item whose file has moved has both paths for a moment, and never none. An edited file is noted together
 * with its new item, and with the item that it was (`former`), which loses the path only when all that is found is noted.
 */
import { lstat } from 'node:fs/promises';
import type { ItemOutcome } from '../../contract/items.js';
import { openable } from '../../file-names.js';
import { mapLimited } from '../../map-limited.js';
import { stampOf, type LeftOut } from '../../picture-files.js';
import type { Context } from '../context.js';
import { ingest } from '../ingest.js';
import { whenThereIsRoom } from '../when-there-is-room.js';
import { planOf, type Arrival, type LookRequest, type Missing, type Plan, type Unreached } from './plan.js';

const takenAtOnce = 64;
const batchesInFlight = 2;
const writtenAtOnce = 256;

/** What a look came to, in files. */
export interface LookCounts {
  /** New items. */
  added: number;
  /** At a new path, content that an item has already, and that is still where it was. */
  found_again: number;
  changed: number;
  moved: number;
  removed: number;
  /** That went with the last of their files. */
  items_removed: number;
}

export interface Look extends LookCounts {
  /** Pictures that are there. */
  found: number;
  unchanged: number;
  /** Of the unchanged, those whose item was deleted: they stay out. */
  deleted_items: number;
  /** Were seen before, and cannot be reached now: their items stay. */
  unreachable: Unreached[];
  /** No longer there, and so many that nothing was removed. */
  withheld: string[];
  /** Files seen before. */
  recorded: number;
  /** Removed, or that would be: the first. */
  gone: string[];
  leftOut: LeftOut;
  /** To be looked at again. */
  again: string[];
}

export interface LookEvents {
  /** The files that are to be taken in, and how many are as they were. */
  begin(todo: number, unchanged: number): void;
  /** So many more have been. */
  taken(count: number): void;
  failed(failure: Unreached): Promise<void>;
}

export const noCounts: LookCounts = { added: 0, found_again: 0, changed: 0, moved: 0, removed: 0, items_removed: 0 };
const namedGone = 100;

/**
 * `isDry`: nothing is changed, and what would be is told; of files at new paths, copies count as new.
 * @throws MixspaceError `unprocessable`: the root cannot be reached; `disk_full`, `not_ready`; whatever the signal was aborted with.
 */
export async function look(context: Context, request: LookRequest & { isDry: boolean }, events: LookEvents): Promise<Look> {
  const plan = await planOf(context, request);
  return new Looking(context, request, plan, events).run(request.isDry);
}

class Looking {
  readonly #context: Context;
  readonly #request: LookRequest;
  readonly #plan: Plan;
  readonly #events: LookEvents;
  readonly #counts: LookCounts = { ...noCounts };
  readonly #again: string[];

  constructor(context: Context, request: LookRequest, plan: Plan, events: LookEvents) {
    this.#context = context;
    this.#request = request;
    this.#plan = plan;
    this.#events = events;
    this.#again = [...plan.again];
  }

  async run(isDry: boolean): Promise<Look> {
    const plan = this.#plan;
    const { goneShare, goneFiles } = this.#context.sync;
    const isTooMuch = plan.gone.length > goneFiles && plan.gone.length > goneShare * plan.recorded;
    const withheld = isTooMuch && !this.#request.prune ? plan.gone : [];
    const gone = withheld.length > 0 ? [] : plan.gone;
    this.#events.begin(plan.known.length + plan.changed.length + plan.fresh.length, plan.unchanged);
    for (const failure of plan.failures) await this.#events.failed(failure);
    const { unreadable, reasons } = plan.leftOut;
    for (const [i, file] of unreadable.entries()) await this.#events.failed({ file, reason: `It cannot be looked into: ${reasons[i]}.` });
    if (isDry) this.#foretell(gone);
    else await this.#apply(gone);
    return {
      ...this.#counts,
      found: plan.found,
      unchanged: plan.unchanged,
      deleted_items: plan.deletedByHand,
      unreachable: plan.unreachable,
      withheld: withheld.map(({ path }) => path),
      recorded: plan.recorded,
      gone: gone.slice(0, namedGone).map(({ path }) => path),
      leftOut: plan.leftOut,
      again: this.#again,
    };
  }

  #foretell(gone: Missing[]): void {
    const { known, changed, fresh, left } = this.#plan;
    const edited = known.filter(({ before }) => before).length;
    Object.assign(this.#counts, { added: fresh.length, found_again: known.length - edited - left.length, changed: changed.length + edited, moved: left.length, removed: gone.length });
  }

  async #apply(gone: Missing[]): Promise<void> {
    const { noted, known, left, changed, fresh, unsettled } = this.#plan;
    for (const some of slicesOf(noted, writtenAtOnce)) await this.#context.catalog.noteSeen(this.#request.collection, this.#context.sync.machine, some);
    const areKnown = await this.#take(known);
    await this.#settle([...unsettled, ...known.filter(({ before }) => before).map(({ file }) => file)]);
    // What could not be noted at its new place stays at the old one until it is.
    if (areKnown) {
      await this.#forget(left);
      this.#counts.found_again -= left.length;
      this.#counts.moved += left.length;
    } else this.#again.push(...left.map(({ path }) => path));
    this.#counts.removed += await this.#forget(gone);
    for (const some of slicesOf(changed, takenAtOnce * batchesInFlight)) {
      await this.#take(some);
      await this.#settle(some.map(({ file }) => file));
    }
    await this.#take(fresh);
  }

  /** Whether all of them have been. */
  async #take(arrivals: Arrival[]): Promise<boolean> {
    let isAll = true;
    const context = this.#context;
    const { collection, signal } = this.#request;
    const { machine } = context.sync;
    const batches = slicesOf(arrivals, Math.min(takenAtOnce, context.limits.items));
    await mapLimited(batches, batchesInFlight, async (batch) => {
      signal.throwIfAborted();
      const entries = batch.map(({ file, stamp }) => ({ source: file, content: { path: file }, seen: { machine, path: file, stamp } }));
      const { items } = await whenThereIsRoom(() => ingest(context, collection, entries, { signal, priority: 'bulk' }), signal);
      for (const [i, arrival] of batch.entries()) await this.#note(arrival, items[i]!);
      const taken = items.filter(({ status }) => status !== 'failed').length;
      if (taken < items.length) isAll = false;
      this.#events.taken(taken);
    });
    return isAll;
  }

  async #note({ file, stamp, before }: Arrival, { status, error }: ItemOutcome): Promise<void> {
    if (status === 'unchanged' && !before) this.#plan.unchanged++;
    else if (status !== 'failed') this.#counts[before ? 'changed' : status === 'created' ? 'added' : 'found_again']++;
    else if (await isAsItWas(file, stamp)) await this.#events.failed({ file, reason: `${error?.message ?? 'The service does not say why.'}${before?.isThere ? ' What it was before stays.' : ''}` });
    else this.#again.push(file);
  }

  async #settle(paths: string[]): Promise<void> {
    for (const some of slicesOf(paths, writtenAtOnce)) {
      this.#counts.items_removed += (await this.#context.catalog.settleSeen(this.#request.collection, this.#context.sync.machine, some)).length;
    }
  }

  /** How many. */
  async #forget(files: Missing[]): Promise<number> {
    let forgotten = 0;
    for (const some of slicesOf(files, writtenAtOnce)) {
      this.#request.signal.throwIfAborted();
      // One that has come back meanwhile is as good as new.
      const missing = (await mapLimited(some, 16, async (each) => (!each.isLeftOut && (await isThere(each.path)) ? undefined : each))).filter((each) => each !== undefined);
      const { files: count, items } = await this.#context.catalog.forgetSeen(this.#request.collection, this.#context.sync.machine, missing.map(({ path, stamp, item }) => ({ path, stamp, item })));
      forgotten += count;
      this.#counts.items_removed += items.length;
    }
    return forgotten;
  }
}

const isAsItWas = (file: string, stamp: string): Promise<boolean> => lstat(openable(file), { bigint: true }).then((now) => stampOf(now) === stamp, () => false);
const isThere = (file: string): Promise<boolean> => lstat(openable(file)).then((found) => found.isFile(), () => false);

function slicesOf<T>(values: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}
