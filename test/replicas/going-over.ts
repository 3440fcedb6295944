/** One collection that goes over from one model to the other and back, and searches that must be of one of the two spaces. */
import { setTimeout as sleep } from 'node:timers/promises';
import { items, searchIn } from '../api.js';
import { itemOf } from '../crash/contents.js';
import type { Ledger } from '../crash/ledger.js';
import { models } from '../crash/reembeddings.js';
import { Random } from '../crash/random.js';
import { count, type Door } from './door.js';
import type { Gate } from './lane.js';

type Match = [string, number];
const anchors = Array.from({ length: 24 }, (_, i) => `text_anchor_${i}`);
const query = { query: 'Description of anchor, number 7', filter: { group: 'anchor' }, modality: 'text', limit: anchors.length, exact: true };
/** Scores of one text in one space, embedded in one batch or another. */
const roundedBy = 1e-5;

export interface GoingOverPlan {
  door: Door;
  collection: string;
  ledger: Ledger;
  done: Record<string, number>;
  fault: (sentence: string) => void;
}

export class GoingOver {
  readonly #plan: GoingOverPlan;
  /** What searches answer in the space of each model. */
  readonly #right = new Map<string, Match[]>();
  /** The model it is in, and where it may go over to. */
  #at: string = models[0];
  #to: string | undefined;
  /** When the first answer of the other space had come. */
  #wentOver = Infinity;
  /** Ids of jobs that were begun. */
  readonly jobs: string[] = [];
  isRunning = false;

  constructor(plan: GoingOverPlan) {
    this.#plan = plan;
  }

  /** Items that stay as they are, in the collection and in one of each model. */
  async prepare(): Promise<void> {
    const { door, collection, ledger } = this.#plan;
    const random = Random.named('prepare');
    const state = { version: 1, note: 0 };
    const body = { items: anchors.map((id) => itemOf(id, state, 0)) };
    for (const id of anchors) ledger.sent(id, state);
    await door.send(random, { method: 'POST', path: items(collection), body });
    for (const id of anchors) ledger.acknowledged(id, state);
    for (const model of models) {
      await door.send(random, { method: 'POST', path: '/v1/collections', body: { name: `in-${model}`, model }, may: [409] });
      await door.send(random, { method: 'POST', path: items(`in-${model}`), body });
      this.#right.set(model, (await this.#ask(random, `in-${model}`)).matches);
    }
    const [first, second] = models.map((model) => this.#right.get(model)!) as [Match[], Match[]];
    if (areSame(first, second)) throw new Error('The two models answer alike: no mixture could be told.');
  }

  /** Begins one, follows it to its end, and begins the next. */
  async reembed(gate: Gate): Promise<void> {
    const { door, collection, fault, done } = this.#plan;
    const random = Random.named('reembed');
    while (!gate.isOver) {
      await gate.passed();
      if (gate.isOver) return;
      const to = this.#at === models[0] ? models[1] : models[0];
      this.#to = to;
      this.isRunning = true;
      const { status, body, times } = await door.send(random, { method: 'POST', path: `/v1/collections/${collection}/reembed`, body: { model: to }, may: [409] });
      // Sent again, it may find that all has been done.
      if (status === 409 && times === 1) fault(`The reembedding was answered 409: ${JSON.stringify(body)}`);
      const id = status === 409 ? await this.#latest(random) : (body.job as string);
      this.jobs.push(id);
      count(done, 'reembeddings begun');
      for (;;) {
        const { body: job } = await door.send(random, { method: 'GET', path: `/v1/jobs/${id}` });
        if (job.state === 'done') break;
        if (job.state !== 'running' && job.state !== 'waiting') {
          fault(`Reembedding ${id} is ${job.state}: ${job.problem}`);
          return;
        }
        await sleep(250);
      }
      const { body: after } = await door.send(random, { method: 'GET', path: `/v1/collections/${collection}` });
      if (after.model !== to || after.reembedding !== undefined || after.not_embedded !== 0) fault(`Reembedding ${id} is done, but the collection is ${JSON.stringify({ model: after.model, reembedding: after.reembedding, not_embedded: after.not_embedded })}.`);
      this.#at = to;
      this.#to = undefined;
      this.#wentOver = Infinity;
      this.isRunning = false;
      count(done, 'gone over');
      await sleep(random.between(200, 1_500));
    }
  }

  /** Searches, again and again: of one space as a whole, and of the other once any replica has answered so. */
  async probe(gate: Gate, name: string): Promise<void> {
    const { collection, fault, done } = this.#plan;
    const random = Random.named(name);
    while (!gate.isOver) {
      await gate.passed();
      if (gate.isOver) return;
      const [at, to, wentOver, began] = [this.#at, this.#to, this.#wentOver, this.jobs.length];
      const { matches, left, came } = await this.#ask(random, collection);
      count(done, 'searches during reembeddings', Number(to !== undefined));
      const answered = models.find((model) => areSame(matches, this.#right.get(model)!));
      if (answered === undefined) fault(`A search answers neither as in ${models.join(' nor as in ')}: ${JSON.stringify(matches.slice(0, 4))}.`);
      // What was known when it left; only as long as no other reembedding has begun since.
      else if (this.jobs.length <= began + 1 && to !== undefined && to === this.#to) {
        if (answered === to) this.#wentOver = Math.min(this.#wentOver, came);
        else if (left > wentOver) fault(`A search answers as in ${at}, though another replica has answered as in ${to} before it left.`);
      } else if (to === undefined && this.#to === undefined && answered !== at) fault(`A search answers as in ${answered}, though the collection is in ${at}.`);
      await sleep(random.between(10, 60));
    }
  }

  async #latest(random: Random): Promise<string> {
    const { body } = await this.#plan.door.send(random, { method: 'GET', path: `/v1/jobs?kind=reembed&collection=${this.#plan.collection}&limit=1` });
    return body.jobs[0].id as string;
  }

  async #ask(random: Random, collection: string): Promise<{ matches: Match[]; left: number; came: number }> {
    const { body, left, came } = await this.#plan.door.send(random, { method: 'POST', path: searchIn(collection), body: query });
    return { matches: body.matches.map(({ id, score }: { id: string; score: number }): Match => [id, score]), left, came };
  }
}

/** By ids with their scores, whichever of two nearly equal ones stands first. */
function areSame(found: Match[], right: Match[]): boolean {
  const scores = new Map(right);
  return found.length === right.length && found.every(([id, score]) => Math.abs(score - (scores.get(id) ?? Infinity)) <= roundedBy);
}
