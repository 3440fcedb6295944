import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import { groupOf, itemOf, metadataOf } from './contents.js';
import { count, type Counts, type What } from './counts.js';
import type { ItemState, Ledger, Presence } from './ledger.js';
import { matching, owedOf, type Owed } from './oracle.js';
import { drawQuestion } from './questions.js';
import { Random } from './random.js';
import { Reads, type Field } from './reads.js';

export interface LoadPlan {
  url: string;
  collection: string;
  dimension: number;
  ledger: Ledger;
  /** Names the new items' groups, and seeds the choices. */
  name: string;
  lanes: number;
  newGroup: (random: Random, name: string) => string[];
  /** Whether an item is one of those that there are to be so many of. */
  isCounted: (id: string) => boolean;
  /** Fewer than that are not left by deletions. */
  atLeast: number;
  /** With more than that, groups are deleted instead of added: rounds stay as long as they are. */
  atMost: number;
  counts: Counts;
  fault: (sentence: string) => void;
}

const groupsAskedAnyway = 3;
const mostGroupsAsked = 20;

/** Clients that add, change, delete and ask side by side, each the groups of its own, until `stop`. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #client: MixspaceClient;
  readonly #reads: Reads;
  #stopped = false;
  /** There now, as far as sent. */
  counted = 0;
  /** Items created, replaced or deleted, as far as answered. */
  written = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#client = new MixspaceClient({ url: plan.url, retries: 0 });
    // What comes after `stop` may have been cut off.
    this.#reads = new Reads({ client: this.#client, ...plan, fault: (sentence) => void (this.#stopped || plan.fault(`While written to: ${sentence}`)) });
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Rejects for a service that is gone before `stop`; what fails after it was cut off. */
  async run(): Promise<void> {
    const { lanes, ledger, isCounted } = this.#plan;
    const groups = new Map<string, string[]>();
    for (const id of ledger.ids()) groups.set(groupOf(id), [...(groups.get(groupOf(id)) ?? []), id]);
    const living = [...groups.values()].filter((group) => group.some((id) => ledger.present(id)));
    this.counted = living.flat().filter((id) => isCounted(id) && ledger.present(id)).length;
    const owned: string[][][] = Array.from({ length: lanes }, () => []);
    living.forEach((group, i) => owned[i % lanes]!.push(group));
    await Promise.all(owned.map((own, lane) => this.#lane(`${this.#plan.name}-${lane}`, own)));
  }

  async #lane(name: string, groups: string[][]): Promise<void> {
    const random = Random.named(name);
    for (let step = 0; !this.#stopped; step++) {
      try {
        await this.#step(random, `${name}-${step}`, groups);
      } catch (error) {
        if (this.#stopped) return;
        if (!(error instanceof MixspaceApiError)) throw error;
        this.#plan.fault(`A request to ${this.#plan.collection} was answered ${error.status}: ${error.message}`);
      }
    }
  }

  async #step(random: Random, newGroup: string, groups: string[][]): Promise<void> {
    const { atLeast, atMost, ledger } = this.#plan;
    const isFew = groups.length < 5 || this.counted < atLeast;
    if (!isFew && random.next() < 0.3) return this.#reads.draw(random, this.#field(random, groups));
    const choice = random.next();
    if (isFew || (choice < 0.35 && this.counted <= atMost)) {
      const group = this.#plan.newGroup(random, newGroup);
      groups.push(group);
      return this.#put('added', new Map(group.map((id) => [id, { version: 1, note: 0 }])));
    }
    const [group] = groups.splice(random.between(0, groups.length - 1), 1) as [string[]];
    if (!group.every((id) => ledger.isCertain(id))) return;
    const there = group.filter((id) => ledger.present(id));
    if (there.length === 0) return;
    groups.push(group);
    if (choice < 0.35) return this.#deleteWhere(group, there, {});
    const some = random.shuffle(there).slice(0, random.between(1, 20));
    if (choice < 0.5) return this.#put('replaced', this.#next(some, ({ version, note }) => ({ version: version + 1, note })));
    if (choice < 0.58) return this.#put('given metadata', this.#next(some, ({ version, note }) => ({ version, note: note + 1 })));
    if (choice < 0.64) return this.#addAgain(group.filter((id) => !ledger.present(id)).slice(0, random.between(1, 10)));
    if (choice < 0.78) return this.#patch(some[0]!);
    if (choice < 0.88) return this.#delete(some[0]!);
    return this.#deleteWhere(group, there, random.next() < 0.3 ? {} : drawQuestion(random));
  }

  /** Some groups of the lane's own, where nobody else writes, those that were written to last among them. */
  #field(random: Random, groups: string[][]): Field {
    const certain = groups.filter((group) => group.every((id) => this.#plan.ledger.isCertain(id)));
    const chosen = [...certain.slice(-groupsAskedAnyway), ...random.shuffle(certain.slice(0, -groupsAskedAnyway)).slice(0, random.between(0, mostGroupsAsked))];
    return { items: this.#owed(chosen.flat()), filter: { group: { $in: chosen.map(([id]) => groupOf(id!)) } } };
  }

  #owed(ids: string[]): Owed[] {
    return ids.flatMap((id) => {
      const state = this.#plan.ledger.present(id);
      return state ? [owedOf(id, state)] : [];
    });
  }

  #next(ids: string[], change: (state: Presence) => Presence): Map<string, Presence> {
    return new Map(ids.map((id) => [id, change(this.#plan.ledger.present(id)!)]));
  }

  async #addAgain(ids: string[]): Promise<void> {
    if (ids.length > 0) await this.#put('added again', new Map(ids.map((id) => [id, { version: this.#plan.ledger.lastVersion(id) + 1, note: 0 }])));
  }

  async #put(what: What, states: Map<string, Presence>): Promise<void> {
    const { collection, dimension } = this.#plan;
    await this.#write(what, states, async () => {
      const outcomes = await this.#client.addItems(collection, [...states].map(([id, state]) => itemOf(id, state, dimension)));
      const failed = outcomes.find(({ status }) => status === 'failed');
      if (failed) throw new Error(`Item ${failed.id} was refused: ${JSON.stringify(failed.error)}`);
    });
  }

  async #patch(id: string): Promise<void> {
    const { version, note } = this.#plan.ledger.present(id)!;
    const state = { version, note: note + 1 };
    await this.#write('patched', new Map([[id, state]]), () => this.#client.setMetadata(this.#plan.collection, id, metadataOf(id, state)));
  }

  async #delete(id: string): Promise<void> {
    await this.#write('deleted by id', new Map([[id, undefined]]), () => this.#client.deleteItem(this.#plan.collection, id));
  }

  async #deleteWhere(group: string[], there: string[], where: object): Promise<void> {
    const filter = { group: groupOf(group[0]!), ...(Object.keys(where).length > 0 ? { $and: [where] } : {}) };
    const ids = matching(this.#owed(there), filter).map(({ id }) => id);
    await this.#write('deleted by filter', new Map(ids.map((id) => [id, undefined])), async () => {
      const { deleted } = await this.#client.call('deleteItems', { params: { name: this.#plan.collection }, query: { filter: JSON.stringify(filter) } });
      if (deleted !== ids.length) this.#plan.fault(`Deleting from ${this.#plan.collection} where ${JSON.stringify(filter)} took ${deleted} items, not ${ids.length}.`);
    });
  }

  async #write(what: What, states: Map<string, ItemState>, request: () => Promise<unknown>): Promise<void> {
    const { ledger, isCounted, counts } = this.#plan;
    for (const [id, state] of states) {
      if (isCounted(id)) this.counted += Number(state !== undefined) - Number(ledger.present(id) !== undefined);
      ledger.sent(id, state);
    }
    await request();
    for (const [id, state] of states) ledger.acknowledged(id, state);
    this.written += states.size;
    count(counts, what, states.size);
  }
}
