/** Listings, facets and searches beside the oracle. */
import { isDeepStrictEqual } from 'node:util';
import type { MixspaceClient } from '../../src/client/index.js';
import { limits } from '../../src/contract/limits.js';
import type { SearchMatch } from '../../src/contract/search.js';
import { byteOrder } from '../model-based/filter-oracle.js';
import type { Json } from '../model-based/metadata.js';
import { isGiven, isText, metadataOf, modalityOf, sourcesOf } from './contents.js';
import { count, type Counts } from './counts.js';
import { byId, inOneOrder, isInOrder, matching, scores, unitEmbeddingOf, valueCounts, type Owed } from './oracle.js';
import { drawQuestion, drawSort, facetFields } from './questions.js';
import type { Random } from './random.js';

const roundedBy = 1e-5;

interface Scope {
  client: MixspaceClient;
  collection: string;
  dimension: number;
  counts: Counts;
  fault: (sentence: string) => void;
}

/** All items that a scope's filter lets through, each as it must be. */
export interface Field {
  items: Owed[];
  /** Left out: all of the collection. */
  filter?: Json;
  /** The items' own times are known. */
  times?: boolean;
}

export class Reads {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** One of them, or all. */
  async draw(random: Random, field: Field): Promise<void> {
    const kind = random.next();
    if (kind < 0.45) await this.list(random, field);
    else if (kind < 0.65) await this.facets(random, field);
    else if (kind < 0.75) await this.words(random, field);
    else await this.search(random, field);
  }

  async list(random: Random, { items, filter, times = false }: Field): Promise<void> {
    const asked = within(filter, drawQuestion(random));
    const sort = random.next() < 0.6 ? drawSort(random, { times }) : undefined;
    const pageSize = random.pick([100, 500, 1000]);
    const { client, collection, counts } = this.#scope;
    const expected = matching(items, asked);
    const ids: string[] = [];
    for await (const item of client.listItems(collection, { filter: asked, pageSize, ...(sort === undefined ? {} : { sort }) })) ids.push(item.id);
    count(counts, sort === undefined ? 'filtered listings' : 'sorted listings');
    const what = `Listing ${JSON.stringify(asked)}${sort === undefined ? '' : ` by ${sort}`}`;
    if (!isDeepStrictEqual([...ids].sort(), byId(expected).sort())) return this.#differ(what, ids, byId(expected));
    const isRight = sort === undefined ? isDeepStrictEqual(ids, byId(expected)) : isInOrder(expected, sort, ids);
    if (!isRight) this.#scope.fault(`${what} of ${collection} tells the ${ids.length} right items in a wrong order: ${ids.slice(0, 5).join()}...`);
  }

  async facets(random: Random, { items, filter }: Field): Promise<void> {
    const asked = within(filter, random.next() < 0.3 ? {} : drawQuestion(random));
    const fields = random.shuffle(facetFields).slice(0, 3);
    const { client, collection, counts } = this.#scope;
    const told = await client.facets(collection, fields, { filter: asked, limit: 1000 });
    count(counts, 'facets', fields.length);
    const expected = matching(items, asked);
    for (const field of fields) {
      const [seen, right] = [{ ...told[field]!, values: told[field]!.values.toSorted(inOneOrder) }, valueCounts(expected, field)];
      if (!isDeepStrictEqual(seen, right)) this.#scope.fault(`Facets of ${field} where ${JSON.stringify(asked)} in ${collection} are ${brief(seen)}, not ${brief(right)}.`);
    }
  }

  /** By an embedding of its own where embeddings are known, else by words. */
  async search(random: Random, { items, filter }: Field): Promise<void> {
    const asked = within(filter, drawQuestion(random));
    const limit = random.pick([1, 10, 50]);
    const wantsExact = random.next() < 0.6;
    const modality = items.some(({ id }) => isGiven(id)) ? 'image' : random.pick(['image', 'text'] as const);
    const { client, collection, dimension, counts } = this.#scope;
    const query = unitEmbeddingOf(`query ${random.next()}`, 0, dimension);
    const isKnown = items.some(({ id }) => isGiven(id));
    const expected = matching(items, asked).filter(({ id }) => modalityOf(id) === modality);
    const { matches, exact } = await client.search(collection, isKnown ? { embedding: [...query] } : `a query ${random.next()}`, { modality, filter: asked, limit, ...(wantsExact ? { exact: true } : {}) });
    count(counts, exact ? 'exact searches' : 'approximate searches');
    const what = `Searching where ${JSON.stringify(asked)}`;
    if (wantsExact && !exact) this.#scope.fault(`${what} in ${collection} is not exact, though asked to be.`);
    const ids = matches.map(({ id }) => id);
    const owed = new Map(expected.map((item) => [item.id, item]));
    const stray = ids.find((id) => !owed.has(id));
    if (stray !== undefined || ids.length !== Math.min(limit, expected.length)) return this.#differ(what, ids, byId(expected));
    for (const { id, metadata } of matches) {
      if (!isDeepStrictEqual(metadata, metadataOf(id, owed.get(id)!.state))) this.#scope.fault(`${what} in ${collection} shows ${id} with other metadata than it has.`);
    }
    if (isKnown) this.#judge(`${what} in ${collection}`, matches, { isExact: exact, right: scores(expected, query) });
  }

  /** All whose text or file name says something, against a scan. */
  async words(random: Random, { items, filter }: Field): Promise<void> {
    const asked = within(filter, random.next() < 0.3 ? {} : drawQuestion(random));
    const version = random.between(1, 3);
    const [said, says] = random.next() < 0.3 ? ['a.jpg', ({ id }: Owed) => sourcesOf(id).includes('a.jpg')] as const : [`description ${version} of`, ({ id, state }: Owed) => isText(id) && state.version === version] as const;
    const { client, collection, counts } = this.#scope;
    const expected = byId(matching(items, asked).filter(says));
    const { matches } = await client.search(collection, `"${said}"`, { lexical: 'auto', filter: asked, limit: limits.page });
    count(counts, 'searches by words');
    const ids = matches.map(({ id }) => id).sort(byteOrder);
    const isRight = expected.length <= limits.page ? isDeepStrictEqual(ids, expected) : ids.length === limits.page && ids.every((id) => expected.includes(id));
    if (!isRight) this.#differ(`Searching "${said}" where ${JSON.stringify(asked)}`, ids, expected);
  }

  #judge(what: string, matches: SearchMatch[], { isExact, right }: { isExact: boolean; right: Map<string, number> }): void {
    const best = [...right.values()].sort((a, b) => b - a);
    for (const [place, { id, score }] of matches.entries()) {
      if (!(Math.abs(right.get(id)! - score!) <= roundedBy)) return this.#scope.fault(`${what} scores ${id} ${score}, not ${right.get(id)}.`);
      if (isExact && !(Math.abs(best[place]! - score!) <= roundedBy)) return this.#scope.fault(`${what} has ${id} (${score}) as number ${place + 1}, where one of ${best[place]} should be.`);
    }
  }

  #differ(what: string, seen: string[], right: string[]): void {
    const lacking = right.filter((id) => !seen.includes(id));
    const stray = seen.filter((id) => !right.includes(id));
    this.#scope.fault(`${what} in ${this.#scope.collection} gives ${seen.length} items of ${right.length}; lacking ${lacking.slice(0, 3).join() || 'none'}; too many ${stray.slice(0, 3).join() || 'none'}.`);
  }
}

const within = (scope: Json | undefined, filter: Json): Json => (scope ? { $and: [scope, filter] } : filter);
const brief = (value: unknown): string => JSON.stringify(value).slice(0, 300);
