import { setTimeout as sleep } from 'node:timers/promises';
import { items, searchIn } from '../api.js';
import { embeddingOf, groupOf, itemOf, metadataOf } from '../crash/contents.js';
import type { ItemState, Ledger, Presence } from '../crash/ledger.js';
import { Random } from '../crash/random.js';
import { count, type Door, type Sent } from './door.js';

export interface LanePlan {
  door: Door;
  collection: string;
  dimension: number;
  ledger: Ledger;
  /** Names its items, and seeds its choices. */
  name: string;
  newGroup: (random: Random, name: string) => string[];
  /** With more groups than that, some are deleted. */
  atMost: number;
  done: Record<string, number>;
  fault: (sentence: string) => void;
}

/** Who writes here waits until it may go on. */
export class Gate {
  #open: Promise<void> = Promise.resolve();
  #let: () => void = () => undefined;
  isOver = false;

  close(): void {
    this.#open = new Promise((resolve) => (this.#let = resolve));
  }

  open(): void {
    this.#let();
  }

  passed(): Promise<void> {
    return this.#open;
  }
}

/** One writer, whose items nobody else changes: each change is sent until it is acknowledged, and must then be seen at every replica. */
export class Lane {
  readonly #plan: LanePlan;
  readonly #random: Random;
  readonly #groups: string[][] = [];
  /** Nothing is on its way. */
  isResting = false;

  constructor(plan: LanePlan) {
    this.#plan = plan;
    this.#random = Random.named(plan.name);
  }

  async run(gate: Gate): Promise<void> {
    for (let step = 0; !gate.isOver; step++) {
      this.isResting = true;
      await gate.passed();
      if (gate.isOver) return;
      this.isResting = false;
      await this.#step(step);
      // Many are to be under way at any moment, not as many as can be.
      await sleep(this.#random.between(5, 40));
    }
  }

  async #step(step: number): Promise<void> {
    const random = this.#random;
    const choice = random.next();
    if (this.#groups.length < 3 || (choice < 0.2 && this.#groups.length < this.#plan.atMost)) {
      const group = this.#plan.newGroup(random, `${this.#plan.name}-${step}`);
      this.#groups.push(group);
      return this.#put('added', new Map(group.map((id) => [id, { version: 1, note: 0 }])));
    }
    const group = random.pick(this.#groups);
    const there = group.filter((id) => this.#plan.ledger.present(id));
    if (choice < 0.3) return this.#seen(group, there);
    if (choice < 0.4 && there.length > 0) return this.#found(random.pick(there));
    if (choice < 0.5 || there.length === 0) return this.#deleteGroup(group, there);
    const some = random.shuffle(there).slice(0, random.between(1, 4));
    if (choice < 0.65) return this.#put('replaced', new Map(some.map((id) => [id, this.#next(id, { version: 1 })])));
    if (choice < 0.85) return this.#patch(some[0]!);
    return this.#delete(some[0]!);
  }

  #next(id: string, by: Partial<Presence>): Presence {
    const { version, note } = this.#plan.ledger.present(id)!;
    return { version: version + (by.version ?? 0), note: note + (by.note ?? 0) };
  }

  async #put(what: string, states: Map<string, Presence>): Promise<void> {
    const { collection, dimension } = this.#plan;
    await this.#write(what, states, { method: 'POST', path: items(collection), body: { items: [...states].map(([id, state]) => itemOf(id, state, dimension)) } }, ({ body }) => {
      const failed = body.items.filter(({ status }: { status: string }) => status === 'failed');
      if (failed.length > 0) this.#plan.fault(`${collection}: items were refused: ${JSON.stringify(failed).slice(0, 400)}`);
    });
  }

  async #patch(id: string): Promise<void> {
    const state = this.#next(id, { note: 1 });
    await this.#write('patched', new Map([[id, state]]), { method: 'PATCH', path: `${items(this.#plan.collection)}/${id}`, body: { metadata: metadataOf(id, state) } });
  }

  async #delete(id: string): Promise<void> {
    await this.#write('deleted by id', new Map([[id, undefined]]), { method: 'DELETE', path: `${items(this.#plan.collection)}/${id}`, may: [404] }, ({ status, times }) => {
      if (status === 404 && times === 1) this.#plan.fault(`${this.#plan.collection}: ${id} was to be deleted, and is not there.`);
    });
  }

  async #deleteGroup(group: string[], there: string[]): Promise<void> {
    this.#groups.splice(this.#groups.indexOf(group), 1);
    const { collection, fault } = this.#plan;
    const filter = encodeURIComponent(JSON.stringify({ group: groupOf(group[0]!) }));
    await this.#write('deleted by filter', new Map(there.map((id) => [id, undefined])), { method: 'DELETE', path: `${items(collection)}?filter=${filter}` }, ({ body, times }) => {
      if (times === 1 && body.deleted !== there.length) fault(`${collection}: deleting ${groupOf(group[0]!)} took ${body.deleted} items, not ${there.length}.`);
    });
  }

  async #write(what: string, states: Map<string, ItemState>, request: Parameters<Door['send']>[1], check: (sent: Sent) => void = () => undefined): Promise<void> {
    const { door, ledger, done } = this.#plan;
    for (const [id, state] of states) ledger.sent(id, state);
    const sent = await door.send(this.#random, request);
    check(sent);
    for (const [id, state] of states) ledger.acknowledged(id, state);
    count(done, what, states.size);
    if (sent.times > 1) count(done, 'sent again', 1);
  }

  /** A group as any replica lists it. */
  async #seen(group: string[], there: string[]): Promise<void> {
    const { door, collection, ledger, fault, done } = this.#plan;
    const filter = encodeURIComponent(JSON.stringify({ group: groupOf(group[0]!) }));
    const { body } = await door.send(this.#random, { method: 'GET', path: `${items(collection)}?filter=${filter}&limit=1000` });
    const seen = new Map<string, Presence>(body.items.map(({ id, metadata }: any) => [id, metadata]));
    for (const id of there) {
      const [is, owed] = [seen.get(id), ledger.present(id)!];
      if (is?.version !== owed.version || is.note !== owed.note) fault(`${collection}: ${id} is listed as ${is ? `${is.version}.${is.note}` : 'missing'}, though ${owed.version}.${owed.note} was acknowledged.`);
    }
    if (seen.size !== there.length) fault(`${collection}: ${groupOf(group[0]!)} has ${seen.size} items, not ${there.length}.`);
    count(done, 'listings');
  }

  /** An item by its own content, at any replica. */
  async #found(id: string): Promise<void> {
    const { door, collection, ledger, dimension, fault, done } = this.#plan;
    const { version, note } = ledger.present(id)!;
    const item = itemOf(id, { version, note }, dimension);
    const query = item.text !== undefined ? { text: item.text } : item.image !== undefined ? { image: item.image } : { embedding: embeddingOf(id, version, dimension) };
    const { body } = await door.send(this.#random, { method: 'POST', path: searchIn(collection), body: { query, modality: item.text !== undefined ? 'text' : 'image', limit: 3 } });
    const found = body.matches.find((match: any) => match.id === id);
    if (!found) fault(`${collection}: ${id} is not found by its own content, but ${JSON.stringify(body.matches.map((match: any) => match.id))}.`);
    else if (found.metadata.version !== version || found.metadata.note !== note) fault(`${collection}: ${id} is found as ${found.metadata.version}.${found.metadata.note}, though ${version}.${note} was acknowledged.`);
    count(done, 'searches');
  }
}
