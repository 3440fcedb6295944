import { isDeepStrictEqual } from 'node:util';
import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import type { Item } from '../../src/contract/items.js';
import { limits } from '../../src/contract/limits.js';
import type { SearchMatch } from '../../src/contract/search.js';
import { base64 } from '../api.js';
import type { Json } from '../model-based/metadata.js';
import { embeddingOf, isGiven, isPicture, isText, metadataOf, modalityOf, pictureOf, sourcesOf, textOf } from './contents.js';
import { count, type Counts } from './counts.js';
import { sameState, type ItemState, type Ledger, type Presence } from './ledger.js';
import { ownFieldsOf, owedOf, unitEmbeddingOf, type Owed } from './oracle.js';
import type { Random } from './random.js';
import { Reads } from './reads.js';

const requestsAtOnce = 8;
/** Embeddings are stored as float32. */
const roundedBy = 1e-5;

/** Compares a collection of a service with a ledger. Each fault is a sentence, and a broken promise. */
export class Audit {
  readonly #client: MixspaceClient;
  readonly #collection: string;
  readonly #dimension: number;
  readonly #ledger: Ledger;
  readonly #counts: Counts;
  readonly #owed: Owed[] = [];
  readonly faults: string[] = [];

  constructor(options: { url: string; collection: string; dimension: number; ledger: Ledger; counts: Counts }) {
    this.#client = new MixspaceClient({ url: options.url });
    this.#collection = options.collection;
    this.#dimension = options.dimension;
    this.#ledger = options.ledger;
    this.#counts = options.counts;
  }

  /** Every item of the ledger against the listing; outstanding answers are settled by it. */
  async listing(): Promise<void> {
    const listed = new Map<string, Item>();
    for await (const item of this.#client.listItems(this.#collection, { pageSize: 1000 })) listed.set(item.id, item);
    for (const id of this.#ledger.ids()) {
      const item = listed.get(id);
      const state = this.#stateOf(item);
      count(this.#counts, 'items compared');
      const possible = this.#ledger.possible(id);
      if (!possible.some((each) => sameState(each, state))) {
        this.#fault(`${id} is listed as ${told(state)}, though owed as ${possible.map(told).join(' or ')}.`);
      }
      this.#ledger.seen(id, state);
      if (item && state) this.#owed.push(owedOf(id, state, ownFieldsOf(item)));
      listed.delete(id);
    }
    for (const id of listed.keys()) this.#fault(`${id} was never sent.`);
  }

  /** What came as embeddings is told again, after `listing`. */
  async embeddings(): Promise<void> {
    const given = this.#owed.filter(({ id }) => isGiven(id));
    for (let from = 0; from < given.length; from += limits.embeddings) {
      const batch = given.slice(from, from + limits.embeddings);
      const told = new Map((await this.#client.itemEmbeddings(this.#collection, batch.map(({ id }) => id))).map(({ id, embedding }) => [id, embedding]));
      for (const { id, state } of batch) {
        const [seen, unit] = [told.get(id), unitEmbeddingOf(id, state.version, this.#dimension)];
        count(this.#counts, 'embeddings compared');
        if (!seen || !seen.every((value, i) => Math.abs(value - unit[i]!) <= roundedBy)) this.#fault(`The embedding of ${id} is ${seen ? 'another than was sent' : 'missing'}.`);
      }
    }
  }

  /** Each item has an embedding, and each picture as many more as it has tiles, after `listing`. */
  async parts(tiles: number): Promise<void> {
    const { parts } = await this.#client.collection(this.#collection);
    const right = this.#owed.reduce((sum, { id }) => sum + 1 + (isPicture(id) ? tiles : 0), 0);
    count(this.#counts, 'parts counted', parts);
    if (parts !== right) this.#fault(`It has ${parts} embeddings, though ${right} are owed.`);
  }

  /** So many questions, after `listing`. */
  async questions(random: Random, times: number): Promise<void> {
    const reads = new Reads({ client: this.#client, collection: this.#collection, dimension: this.#dimension, counts: this.#counts, fault: (sentence) => this.#fault(sentence) });
    const field = { items: this.#owed, times: true };
    for (let n = 0; n < times; n++) await Promise.all([reads.list(random, field), reads.facets(random, field), reads.search(random, field), reads.words(random, field)]);
  }

  /** Each of the ids by GET and by search, after `listing`. */
  async lookUp(ids: Iterable<string>): Promise<void> {
    const waiting = ids[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (let next = waiting.next(); !next.done; next = waiting.next()) await this.#lookUpOne(next.value);
    };
    await Promise.all(Array.from({ length: requestsAtOnce }, worker));
  }

  async #lookUpOne(id: string): Promise<void> {
    const owed = this.#ledger.present(id);
    const got = this.#stateOf(await this.#client.getItem(this.#collection, id).catch(missing));
    if (!sameState(got, owed)) this.#fault(`GET ${id} gives ${told(got)}, though owed as ${told(owed)}.`);
    count(this.#counts, 'looked up by id and search');
    if (owed && isPicture(id)) await this.#mustHavePicture(id, owed);
    if (isText(id)) await this.#mustBeSaid(id, owed);
    await (owed ? this.#mustBeFound(id, owed) : this.#mustNotBeFound(id));
  }

  async #mustHavePicture(id: string, { version }: Presence): Promise<void> {
    const bytes = await this.#client.image(this.#collection, id, 'original').catch(missing);
    if (!bytes || !Buffer.from(await bytes.arrayBuffer()).equals(pictureOf(id, version))) this.#fault(`The picture kept of ${id} is ${bytes ? 'another than was sent' : 'missing'}.`);
  }

  async #mustBeFound(id: string, owed: Presence): Promise<void> {
    const [best] = await this.#nearest(id, owed.version);
    if (best?.id !== id) this.#fault(`Searched by its own content, ${id} is not the best match but ${best?.id ?? 'nothing'} is.`);
    else if (!(Math.abs(best.score! - 1) < 1e-3)) this.#fault(`Searched by its own content, ${id} scores ${best.score}.`);
    else if (!sameState(this.#stateOf(best), owed)) this.#fault(`Searched by its own content, ${id} shows ${told(this.#stateOf(best))}, though owed as ${told(owed)}.`);
  }

  async #mustNotBeFound(id: string): Promise<void> {
    const matches = await this.#nearest(id, this.#ledger.lastVersion(id));
    if (matches.some((match) => match.id === id)) this.#fault(`${id} was deleted and is found by search.`);
  }

  /** By its words, as it is now and as it was. */
  async #mustBeSaid(id: string, owed: ItemState): Promise<void> {
    for (const version of new Set([owed?.version ?? this.#ledger.lastVersion(id), Math.max(1, (owed?.version ?? 2) - 1)])) {
      const { matches } = await this.#client.search(this.#collection, `"${textOf(id, version)}"`, { lexical: 'auto', limit: 3 });
      const found = matches.map((match) => match.id).join(', ');
      const right = version === owed?.version ? id : '';
      if (found !== right) this.#fault(`Searched by the words of its version ${version}, ${id}, which is ${told(owed)}, gives ${found || 'nothing'}.`);
    }
  }

  async #nearest(id: string, version: number): Promise<SearchMatch[]> {
    const query = isText(id) ? { text: textOf(id, version) } : isPicture(id) ? { image: base64(pictureOf(id, version)) } : { embedding: embeddingOf(id, version, this.#dimension) };
    const { matches, exact } = await this.#client.search(this.#collection, query, { modality: modalityOf(id), limit: 3 });
    if (!exact) count(this.#counts, 'of these in cells');
    return matches;
  }

  /** What else it tells must go with it. */
  #stateOf(item: Pick<Item, 'id' | 'metadata' | 'text' | 'sources' | 'modality'> | undefined): ItemState {
    if (!item) return undefined;
    const { id, metadata, text, sources, modality } = item;
    const { version, note } = metadata as unknown as Presence;
    const seen: Json = { metadata, text, sources, modality };
    const right: Json = { metadata: metadataOf(id, { version, note }), text: isText(id) ? textOf(id, version) : undefined, sources: sourcesOf(id), modality: modalityOf(id) };
    for (const [what, value] of Object.entries(right)) {
      if (!isDeepStrictEqual(seen[what], value)) this.#fault(`${id} has the version ${version}.${note}, but not its ${what}: ${JSON.stringify(seen[what])}, not ${JSON.stringify(value)}.`);
    }
    return { version, note };
  }

  #fault(sentence: string): void {
    this.faults.push(`${this.#collection}: ${sentence}`);
  }
}

const told = (state: ItemState): string => (state ? `${state.version}.${state.note}` : 'missing');

function missing(error: unknown): undefined {
  if (error instanceof MixspaceApiError && error.status === 404) return undefined;
  throw error;
}
