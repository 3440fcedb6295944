import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import type { Item } from '../../src/contract/items.js';
import type { SearchMatch } from '../../src/contract/search.js';
import { embeddingOf, isText, textOf } from './contents.js';
import { sameState, type ItemState, type Ledger, type Presence } from './ledger.js';

export interface Findings {
  /** Comparisons of an item with what is owed. */
  checked: number;
  /** Items looked up by their id and by search. */
  searched: number;
  /** Of those searches, the ones a graph answered. */
  throughGraph: number;
  /** Sentences; each is a broken promise. */
  losses: string[];
}

const requestsAtOnce = 8;

/** Compares a service with a ledger. */
export class Audit {
  readonly #client: MixspaceClient;
  readonly #collection: string;
  readonly #dimension: number;
  readonly #ledger: Ledger;
  readonly findings: Findings = { checked: 0, searched: 0, throughGraph: 0, losses: [] };

  constructor(options: { url: string; collection: string; dimension: number; ledger: Ledger }) {
    this.#client = new MixspaceClient({ url: options.url });
    this.#collection = options.collection;
    this.#dimension = options.dimension;
    this.#ledger = options.ledger;
  }

  /** Every item of the ledger against the listing; outstanding answers are settled by it. */
  async listing(): Promise<void> {
    const listed = new Map<string, Item>();
    for await (const item of this.#client.listItems(this.#collection, { pageSize: 1000 })) listed.set(item.id, item);
    for (const id of this.#ledger.ids()) {
      const state = stateOf(listed.get(id));
      this.findings.checked++;
      const possible = this.#ledger.possible(id);
      if (!possible.some((each) => sameState(each, state))) {
        this.#loss(`${id} is listed as ${JSON.stringify(state) ?? 'missing'}, though owed as ${possible.map((each) => JSON.stringify(each) ?? 'missing').join(' or ')}.`);
      }
      this.#ledger.seen(id, state);
      listed.delete(id);
    }
    for (const id of listed.keys()) this.#loss(`${id} was never sent.`);
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
    const got = stateOf(await this.#client.getItem(this.#collection, id).catch(missing));
    if (!sameState(got, owed)) this.#loss(`GET ${id} gives ${JSON.stringify(got) ?? '404'}, though owed as ${JSON.stringify(owed) ?? 'missing'}.`);
    this.findings.searched++;
    await (owed ? this.#mustBeFound(id, owed) : this.#mustNotBeFound(id));
  }

  async #mustBeFound(id: string, owed: Presence): Promise<void> {
    const [best] = await this.#nearest(id, owed.version);
    if (best?.id !== id) this.#loss(`Searched by its own content, ${id} is not the best match but ${best?.id ?? 'nothing'} is.`);
    else if (!(Math.abs(best.score - 1) < 1e-3)) this.#loss(`Searched by its own content, ${id} scores ${best.score}.`);
    else if (!sameState(stateOf(best), owed)) this.#loss(`Searched by its own content, ${id} shows ${JSON.stringify(stateOf(best))}, though owed as ${JSON.stringify(owed)}.`);
  }

  async #mustNotBeFound(id: string): Promise<void> {
    const matches = await this.#nearest(id, this.#ledger.lastVersion(id));
    if (matches.some((match) => match.id === id)) this.#loss(`${id} was deleted and is found by search.`);
  }

  async #nearest(id: string, version: number): Promise<SearchMatch[]> {
    const query = isText(id) ? { text: textOf(id, version) } : { embedding: embeddingOf(id, version, this.#dimension) };
    const { matches, exact } = await this.#client.search(this.#collection, query, { modality: isText(id) ? 'text' : 'image', limit: 3 });
    if (!exact) this.findings.throughGraph++;
    return matches;
  }

  #loss(sentence: string): void {
    this.findings.losses.push(sentence);
  }
}

function stateOf(item: { metadata: Item['metadata'] } | undefined): ItemState {
  if (!item) return undefined;
  const { version, note } = item.metadata as unknown as Presence;
  return { version, note };
}

function missing(error: unknown): undefined {
  if (error instanceof MixspaceApiError && error.status === 404) return undefined;
  throw error;
}
