import { setTimeout as sleep } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { groupOf, idsOf, isText, itemOf } from './contents.js';
import type { ItemState, Ledger, Presence } from './ledger.js';
import { Random } from './random.js';

export interface LoadPlan {
  url: string;
  collection: string;
  dimension: number;
  ledger: Ledger;
  /** Names the new items' groups, and seeds the choices. */
  name: string;
  lanes: number;
  /** Fewer embeddings than that are not left by deletions. */
  atLeast: number;
  /** With more than that, groups are deleted instead of added: rounds stay as long as they are. */
  atMost: number;
  /** Milliseconds a lane waits between two requests. */
  pause: () => number;
}

/** Clients that add, change and delete side by side, each the groups of its own, until `stop`. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #client: MixspaceClient;
  #stopped = false;
  /** There now, as far as sent. */
  embeddings = 0;
  /** Items created, replaced or deleted, as far as answered. */
  written = 0;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#client = new MixspaceClient({ url: plan.url, retries: 0 });
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Rejects for what goes wrong before `stop`; what fails after it was cut off. */
  async run(): Promise<void> {
    const { lanes, ledger } = this.#plan;
    const groups = new Map<string, string[]>();
    for (const id of ledger.ids()) groups.set(groupOf(id), [...(groups.get(groupOf(id)) ?? []), id]);
    this.embeddings = ledger.ids().filter((id) => !isText(id) && ledger.present(id)).length;
    const owned: string[][][] = Array.from({ length: lanes }, () => []);
    [...groups.values()].forEach((group, i) => owned[i % lanes]!.push(group));
    await Promise.all(owned.map((own, lane) => this.#lane(`${this.#plan.name}-${lane}`, own)));
  }

  async #lane(name: string, groups: string[][]): Promise<void> {
    const random = Random.named(name);
    for (let step = 0; !this.#stopped; step++) {
      try {
        await this.#step(random, `${name}-${step}`, groups);
      } catch (error) {
        if (this.#stopped) return;
        throw error;
      }
      await sleep(this.#plan.pause());
    }
  }

  async #step(random: Random, newGroup: string, groups: string[][]): Promise<void> {
    const choice = random.next();
    const { atLeast, atMost } = this.#plan;
    if ((choice < 0.4 && this.embeddings <= atMost) || groups.length < 5 || this.embeddings < atLeast) {
      const group = idsOf(newGroup, random.next() < 0.2 ? random.between(1, 3) : 0, random.between(1, 60));
      groups.push(group);
      return this.#put(new Map(group.map((id) => [id, { version: 1, note: 0 }])));
    }
    const group = random.pick(groups);
    const there = group.filter((id) => this.#plan.ledger.present(id));
    if (there.length === 0) return;
    const id = random.pick(there);
    if (choice < 0.4) return this.#deleteGroup(group, there);
    if (choice < 0.6) return this.#replace(random.shuffle(there).slice(0, random.between(1, 20)));
    if (choice < 0.75) return this.#annotate(id);
    if (choice < 0.92) return this.#delete(id);
    return this.#deleteGroup(group, there);
  }

  async #replace(ids: string[]): Promise<void> {
    const next = ({ version, note }: Presence): Presence => ({ version: version + 1, note });
    await this.#put(new Map(ids.map((id) => [id, next(this.#plan.ledger.present(id)!)])));
  }

  async #put(states: Map<string, Presence>): Promise<void> {
    const { collection, dimension } = this.#plan;
    await this.#write(states, async () => {
      const outcomes = await this.#client.addItems(collection, [...states].map(([id, state]) => itemOf(id, state, dimension)));
      const failed = outcomes.find(({ status }) => status === 'failed');
      if (failed) throw new Error(`Item ${failed.id} was refused: ${JSON.stringify(failed.error)}`);
    });
  }

  async #annotate(id: string): Promise<void> {
    const { version, note } = this.#plan.ledger.present(id)!;
    const state = { version, note: note + 1 };
    await this.#write(new Map([[id, state]]), () => this.#client.setMetadata(this.#plan.collection, id, { ...state, group: groupOf(id) }));
  }

  async #delete(id: string): Promise<void> {
    await this.#write(new Map([[id, undefined]]), () => this.#client.deleteItem(this.#plan.collection, id));
  }

  async #deleteGroup(group: string[], there: string[]): Promise<void> {
    const filter = JSON.stringify({ group: groupOf(group[0]!) });
    await this.#write(new Map(there.map((id) => [id, undefined])), async () => {
      const { deleted } = await this.#client.call('deleteItems', { params: { name: this.#plan.collection }, query: { filter } });
      if (deleted !== there.length) throw new Error(`Deleting where ${filter} took ${deleted} items, not ${there.length}.`);
    });
  }

  async #write(states: Map<string, ItemState>, request: () => Promise<unknown>): Promise<void> {
    const { ledger } = this.#plan;
    for (const [id, state] of states) {
      if (!isText(id)) this.embeddings += Number(state !== undefined) - Number(ledger.present(id) !== undefined);
      ledger.sent(id, state);
    }
    await request();
    for (const [id, state] of states) ledger.acknowledged(id, state);
    this.written += states.size;
  }
}
