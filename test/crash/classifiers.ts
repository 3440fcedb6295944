/** A few saved classifiers that are put, taught and deleted, and what may be seen of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import { base64 } from '../api.js';
import { pictureOf } from './contents.js';
import { count, type Counts } from './counts.js';
import type { Random } from './random.js';

const names = ['first', 'second', 'third'];
const mostExamples = 12;

/** `undefined`: it is not there. */
type State = { version: number; examples: number } | undefined;

const labelsOf = (version: number): string[] => [`a thing of version ${version}`, 'noise'];

export class Classifiers {
  readonly #possible = new Map<string, State[]>(names.map((name) => [name, [undefined]]));
  #pictures = 0;

  /** Whatever is told of them that cannot be, a sentence each; they are settled by it. */
  async observe(url: string): Promise<string[]> {
    const told = new Map((await new MixspaceClient({ url }).classifiers()).map((classifier) => [classifier.name, classifier]));
    return names.flatMap((name) => {
      const classifier = told.get(name);
      const before = this.#possible.get(name)!;
      const right = before.find((state) => isDeepStrictEqual(state && { labels: labelsOf(state.version), examples: state.examples }, classifier && { labels: classifier.labels, examples: classifier.examples.reduce((sum, { count }) => sum + count, 0) }));
      const isRight = right !== undefined || (classifier === undefined && before.includes(undefined));
      this.#possible.set(name, [right]);
      return isRight ? [] : [`The classifier ${name} is ${JSON.stringify(classifier)}, though owed as ${JSON.stringify(before)}.`];
    });
  }

  /** Steps until `isStopped`. */
  async run(plan: { url: string; random: Random; counts: Counts; fault: (sentence: string) => void; isStopped: () => boolean }): Promise<void> {
    const { random, counts, isStopped } = plan;
    const client = new MixspaceClient({ url: plan.url, retries: 0 });
    while (!isStopped()) {
      try {
        await this.#step(client, random);
        count(counts, 'classifiers written');
      } catch (error) {
        if (isStopped()) return;
        if (!(error instanceof MixspaceApiError)) throw error;
        plan.fault(`A classifier was answered ${error.status}: ${error.message}`);
      }
      await sleep(random.between(20, 150));
    }
  }

  async #step(client: MixspaceClient, random: Random): Promise<void> {
    const name = random.pick(names);
    const [now] = this.#possible.get(name)!;
    const choice = random.next();
    if (now === undefined || choice < 0.3) {
      const version = (now?.version ?? 0) + 1;
      // The label that changes has no examples; those of the other stay.
      return this.#write(name, { version, examples: now?.examples ?? 0 }, () => client.putClassifier(name, { labels: labelsOf(version) }));
    }
    if (choice < 0.45) return this.#write(name, undefined, () => client.deleteClassifier(name));
    if (choice < 0.55 || now.examples >= mostExamples) return this.#write(name, { ...now, examples: 0 }, () => client.removeExamples(name, {}));
    const inputs = Array.from({ length: random.between(1, 3) }, () => ({ image: base64(pictureOf('example', this.#pictures++)) }));
    return this.#write(name, { ...now, examples: now.examples + inputs.length }, () => client.addExamples(name, { label: 'noise', inputs }));
  }

  async #write(name: string, next: State, request: () => Promise<unknown>): Promise<void> {
    this.#possible.set(name, [...this.#possible.get(name)!, next]);
    await request();
    this.#possible.set(name, [next]);
  }
}
