/** All of a store's collections and classifiers into another store, which may hold some of them from an earlier time. */
import { isDeepStrictEqual } from 'node:util';
import { compareCodePoints } from '../domain/code-point-order.js';
import { total } from '../domain/modality.js';
import { MixspaceError } from '../errors.js';
import type { Catalog, Collection } from './catalog.js';
import type { StoredClassifier } from './classifier-catalog.js';
import type { ItemCopy } from './copy-catalog.js';

const itemsAtOnce = 256;

export interface CopyRequest {
  from: Pick<Catalog, CopiedBy>;
  to: Pick<Catalog, CopiedBy>;
  /** Names; left out: all, and the classifiers. */
  collections?: string[];
  /** Of pictures that were taken in by path, what lies there goes along. */
  files: boolean;
  signal: AbortSignal;
  onProgress: (collection: string, done: number, total: number) => void;
}

type CopiedBy = 'listCollections' | 'createCollection' | 'describeCollection' | 'readCopies' | 'putCopies' | 'listClassifiers' | 'getClassifier' | 'putClassifier' | 'listExamples' | 'addExamples';

export interface CopyOutcome {
  collections: CollectionOutcome[];
  /** Those that were copied, now or before, and those of whose name there was another one, which stays as it is. */
  classifiers: { copied: string[]; kept: string[] };
}

export interface CollectionOutcome {
  name: string;
  /** That were copied now, and that were there already, the same. */
  copied: number;
  same: number;
  /** Items that stay behind, and why. */
  left: { id: string; problem: string }[];
  /** Compared one by one at the end: those that are not in both alike. */
  different: string[];
}

/**
 * What is the same there already is passed over, so that a copy that was broken off goes on; what is there otherwise is
 * replaced. Items that only the other store has stay, and are told as different.
 *
 * Errors: `not_found`: there is no collection of the name; `conflict`: the one there is in another space, or one of the two
 * goes over to another space meanwhile.
 */
export async function copyAll({ from, to, collections, files, signal, onProgress }: CopyRequest): Promise<CopyOutcome> {
  const there = await from.listCollections();
  const missing = collections?.find((name) => !there.some((each) => each.name === name));
  if (missing !== undefined) throw new MixspaceError('not_found', `There is no collection "${missing}".`);
  const chosen = there.filter(({ name }) => collections === undefined || collections.includes(name));
  const outcome: CopyOutcome = { collections: [], classifiers: { copied: [], kept: [] } };
  for (const collection of chosen) {
    await settle(to, collection);
    const copied = await copyItems({ from, to, files, signal, name: collection.name, onDone: (done) => onProgress(collection.name, done, total(collection.counts)) });
    outcome.collections.push({ name: collection.name, ...copied, different: await differences({ from, to, files, signal, name: collection.name }) });
  }
  if (collections === undefined) outcome.classifiers = await copyClassifiers(from, to);
  return outcome;
}

/** It is there, and in the same space. */
async function settle(to: CopyRequest['to'], { name, model, fingerprint, dimension, description, originals, textFields, tiles }: Collection): Promise<void> {
  const other = (await to.listCollections()).find((each) => each.name === name);
  if (!other) {
    await to.createCollection({ name, model, fingerprint, dimension, originals, textFields, tiles, ...(description === undefined ? {} : { description }) });
  } else if (other.fingerprint !== fingerprint) {
    throw new MixspaceError('conflict', `Collection "${name}" is there already, in space ${other.fingerprint} of model "${other.model}", and not in ${fingerprint} of "${model}".`);
  }
}

interface Between extends Pick<CopyRequest, 'from' | 'to' | 'files' | 'signal'> {
  name: string;
}

async function copyItems({ from, to, files, signal, name, onDone }: Between & { onDone: (done: number) => void }): Promise<Omit<CollectionOutcome, 'name' | 'different'>> {
  const outcome: Omit<CollectionOutcome, 'name' | 'different'> = { copied: 0, same: 0, left: [] };
  const others = new Walk(to, { name, files, signal });
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted();
    const page = await from.readCopies(name, { limit: itemsAtOnce, files, ...(after === undefined ? {} : { after }) });
    const copies: ItemCopy[] = [];
    for (const item of page.items) {
      if ('problem' in item) outcome.left.push(item);
      else if (areAlike(item, await others.find(item.id))) outcome.same++;
      else copies.push(item);
    }
    if (copies.length > 0) await to.putCopies(name, page.fingerprint, copies);
    outcome.copied += copies.length;
    onDone(outcome.copied + outcome.same + outcome.left.length);
    if (page.next === undefined) return outcome;
    after = page.next;
  }
}

/** Ids of items that are not in both, or not alike. */
async function differences({ from, to, files, signal, name }: Between): Promise<string[]> {
  const different: string[] = [];
  const others = new Walk(to, { name, files, signal });
  for (let after: string | undefined; ; ) {
    const page = await from.readCopies(name, { limit: itemsAtOnce, files, ...(after === undefined ? {} : { after }) });
    for (const item of page.items) {
      different.push(...(await others.before(item.id)));
      const other = await others.find(item.id);
      if (!('problem' in item) && !areAlike(item, other)) different.push(item.id);
    }
    if (page.next === undefined) return [...different, ...(await others.rest())];
    after = page.next;
  }
}

/** Goes along the items of a collection by id, as far as somebody else has come. */
class Walk {
  readonly #catalog: CopyRequest['to'];
  readonly #of: { name: string; files: boolean; signal: AbortSignal };
  #page: (ItemCopy | { id: string; problem: string })[] = [];
  #next: string | undefined = '';

  constructor(catalog: CopyRequest['to'], of: { name: string; files: boolean; signal: AbortSignal }) {
    this.#catalog = catalog;
    this.#of = of;
  }

  /** The one of this id, where there is one; ids must rise. */
  async find(id: string): Promise<ItemCopy | undefined> {
    await this.before(id);
    const [first] = this.#page;
    if (first?.id !== id) return undefined;
    this.#page.shift();
    return 'problem' in first ? undefined : first;
  }

  /** Ids before this one that nobody asked for. */
  async before(id: string): Promise<string[]> {
    const passed: string[] = [];
    for (;;) {
      const [first] = this.#page;
      if (first && compareCodePoints(first.id, id) >= 0) return passed;
      if (first) passed.push(this.#page.shift()!.id);
      else if (!(await this.#more())) return passed;
    }
  }

  async rest(): Promise<string[]> {
    const passed: string[] = [];
    do passed.push(...this.#page.splice(0).map(({ id }) => id));
    while (await this.#more());
    return passed;
  }

  async #more(): Promise<boolean> {
    if (this.#next === undefined) return false;
    this.#of.signal.throwIfAborted();
    const { name, files } = this.#of;
    const page = await this.#catalog.readCopies(name, { limit: itemsAtOnce, files, ...(this.#next === '' ? {} : { after: this.#next }) });
    this.#page = page.items;
    this.#next = page.next;
    return page.items.length > 0;
  }
}

function areAlike(one: ItemCopy, other: ItemCopy | undefined): boolean {
  if (!other) return false;
  const bytes = ({ content: { thumbnail, original, embeddings, ...content }, ...rest }: ItemCopy): object => ({
    ...rest,
    content,
    pictures: [thumbnail, original].map((each) => each && Buffer.from(each.buffer, each.byteOffset, each.byteLength)),
    embeddings: embeddings.map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength)),
  });
  return isDeepStrictEqual(bytes(one), bytes(other));
}

async function copyClassifiers(from: CopyRequest['from'], to: CopyRequest['to']): Promise<CopyOutcome['classifiers']> {
  const outcome: CopyOutcome['classifiers'] = { copied: [], kept: [] };
  const there = new Map((await to.listClassifiers()).map((classifier) => [classifier.name, classifier]));
  for (const { examples, ...classifier } of await from.listClassifiers()) {
    const { name, fingerprint, updatedAt } = classifier;
    const other = there.get(name);
    if (other && !isSameOne(classifier, other)) {
      outcome.kept.push(name);
      continue;
    }
    if (!other) await to.putClassifier(classifier, examples.map(({ label }) => label));
    const all = await from.listExamples(name);
    // One that was broken off has none of them.
    if (all.length > 0 && (await to.listExamples(name)).length === 0) await to.addExamples(name, { fingerprint, examples: all, most: all.length, updatedAt });
    outcome.copied.push(name);
  }
  return outcome;
}

/** What an earlier copy made of it. */
const isSameOne = (one: StoredClassifier, other: StoredClassifier): boolean => isDeepStrictEqual(definitionOf(one), definitionOf(other));
const definitionOf = ({ name, model, fingerprint, labels, templates, createdAt }: StoredClassifier): unknown => [name, model, fingerprint, labels, templates, createdAt];
