/** The service's answers beside the model's. */
import { diverges, expectSame, expectThat } from './divergence.js';
import { byteOrder } from './filter-oracle.js';
import { cosine } from './inputs.js';
import type { Json } from './metadata.js';
import type { Item, Modality, Shelf } from './shelf.js';

/** Of scores: embeddings are stored as float32. */
const roundedBy = 1e-6;
/** Where the encoder made one of the two: texts of a batch are rounded otherwise than alone. */
const encodedBy = 5e-6;

/** What listings and matches tell alike. */
function toldOf(shelf: Shelf, item: Item): Json {
  const { content, id } = item;
  const picture = content.kind === 'picture' ? shelf.inputs.pictures[content.picture]! : undefined;
  return {
    id,
    modality: shelf.modalityOf(item),
    ...(content.kind === 'text' ? { text: shelf.inputs.texts[content.text] } : {}),
    metadata: item.metadata,
    sources: item.sources,
    ...(picture ? { width: picture.width, height: picture.height, image_url: imageUrl(shelf, id) } : {}),
    ...(picture?.takenAt === undefined ? {} : { taken_at: picture.takenAt }),
    ...(picture?.exif === undefined ? {} : { exif: picture.exif }),
  };
}

const imageUrl = (shelf: Shelf, id: string): string => `/v1/collections/${shelf.name}/items/${encodeURIComponent(id)}/image`;

/** Remembers what only the service can know: times, and hashes of embeddings. */
export function expectItem(what: string, shelf: Shelf, item: Item, seen: any): void {
  const { created_at, updated_at, content_hash, not_embedded, ...told } = seen;
  expectSame(`${what}: item ${item.id}`, told, toldOf(shelf, item));
  if (!shelf.isOnItsWay) {
    const isUnembedded = item.space !== shelf.space.fingerprint;
    expectThat(`${what}: item ${item.id} ${isUnembedded ? 'has no' : 'has an'} embedding of the collection's space`, isUnembedded === (typeof not_embedded === 'string'), seen);
  }
  expectHash(what, shelf, item, content_hash);
  for (const [at, known] of [[created_at, item.createdAt], [updated_at, item.updatedAt]]) expectThat(`${what}: item ${item.id} keeps its times (${known})`, !Number.isNaN(Date.parse(at)) && (known === undefined || known === at), seen);
  expectThat(`${what}: item ${item.id} was not updated before it was created`, created_at <= updated_at, seen);
  item.createdAt = created_at;
  item.updatedAt = updated_at;
}

function expectHash(what: string, shelf: Shelf, { id, content }: Item, seen: unknown): void {
  const known = shelf.hashOf(content);
  if (known !== undefined) return expectSame(`${what}: content_hash of ${id}`, seen, known);
  learnHash(what, shelf, content as { values: number[] }, seen);
}

export function learnHash(what: string, { hashes }: Shelf, { values }: { values: number[] }, seen: unknown): void {
  expectThat(`${what}: a content hash is 64 hex digits`, /^[0-9a-f]{64}$/.test(String(seen)), seen);
  const known = hashes.get(String(values));
  if (known !== undefined) return expectSame(`${what}: the same numbers have the same hash`, seen, known);
  hashes.set(String(values), String(seen));
}

export interface Query {
  vector: Float64Array;
  /** The encoder made some of it. */
  isEncoded: boolean;
  excluded: Set<string>;
  modality?: Modality;
  filter?: Json;
  minScore?: number;
  limit: number;
}

interface Scored {
  item: Item;
  score: number;
  by: number;
}

/** One search, page by page. */
export class SearchCheck {
  readonly #what: string;
  readonly #shelf: Shelf;
  readonly #query: Query;
  readonly #unsure: ReadonlySet<string>;
  readonly #eligible = new Map<string, Scored>();
  /** Not yet answered, best first. */
  #rest: Scored[];
  readonly #seen = new Set<string>();
  #last: { id: string; score: number } | undefined;

  /** `unsure`: items that may be as they are or otherwise. */
  constructor(what: string, shelf: Shelf, query: Query, unsure: ReadonlySet<string> = new Set()) {
    this.#what = what;
    this.#shelf = shelf;
    this.#query = query;
    this.#unsure = unsure;
    for (const item of shelf.items.values()) {
      const vector = shelf.vectorOf(item);
      if (!vector || query.excluded.has(item.id) || unsure.has(item.id)) continue;
      if (query.modality !== undefined && shelf.modalityOf(item) !== query.modality) continue;
      if (query.filter !== undefined && !shelf.matches(query.filter, item)) continue;
      this.#eligible.set(item.id, { item, score: cosine(query.vector, vector), by: query.isEncoded || item.content.kind !== 'given' ? encodedBy : roundedBy });
    }
    this.#rest = [...this.#eligible.values()].sort((a, b) => b.score - a.score || byteOrder(a.item.id, b.item.id));
  }

  /** What share of the best was found; undefined of an answer that was exact, and then was all of it. */
  page({ matches: found, next_cursor: cursor, exact }: any): number | undefined {
    const { limit, minScore } = this.#query;
    expectThat(`${this.#what}: at most ${limit} matches`, found.length <= limit, found.length);
    expectThat(`${this.#what}: more can only come after something`, cursor === undefined || found.length > 0, cursor);
    for (const match of found) this.#match(match);
    const before = this.#rest;
    this.#rest = before.filter(({ item }) => !this.#seen.has(item.id));
    if (exact) return this.#nothingMissing(cursor !== undefined, found.length);
    // What was in no cell that was looked at stays behind.
    this.#rest = this.#rest.filter(({ item, score, by }) => !this.#last || score < this.#last.score - by || (score < this.#last.score + by && byteOrder(item.id, this.#last.id) > 0));
    const best = before.filter(({ score, by }) => minScore === undefined || score >= minScore + by).slice(0, limit);
    if (minScore === undefined && this.#unsure.size === 0 && before.length === this.#eligible.size) {
      expectSame(`${this.#what}: matches and whether there are more`, [found.length, cursor !== undefined], [best.length, before.length > limit]);
    }
    if (best.length === 0) return 1;
    const least = best.at(-1)!;
    return Math.min(1, found.filter(({ score }: any) => score >= least.score - least.by).length / best.length);
  }

  #match(match: any): void {
    const { id, score, ...told } = match;
    if (this.#seen.has(id)) diverges(`${this.#what}: ${id} comes once`, 'no second time', match);
    this.#seen.add(id);
    const last = this.#last;
    if (last) expectThat(`${this.#what}: by score, then id`, last.score > score || (last.score === score && byteOrder(last.id, id) < 0), [last, { id, score }]);
    this.#last = { id, score };
    if (this.#unsure.has(id)) return;
    const expected = this.#eligible.get(id);
    if (!expected) return diverges(`${this.#what}: ${id} is not among what is asked for`, this.#shelf.items.get(id), match);
    if (!(Math.abs(expected.score - score) <= expected.by)) diverges(`${this.#what}: the score of ${id}`, expected.score, score);
    if (this.#query.minScore !== undefined) expectThat(`${this.#what}: ${id} scores at least ${this.#query.minScore}`, score >= this.#query.minScore, score);
    expectSame(`${this.#what}: match ${id}`, { id, ...told }, toldOf(this.#shelf, expected.item));
  }

  #nothingMissing(isMore: boolean, found: number): undefined {
    const { minScore, limit } = this.#query;
    const best = this.#rest[0];
    const floor = minScore ?? -Infinity;
    if (!isMore) {
      if (best && best.score >= floor + best.by) diverges(`${this.#what}: nothing is left out`, { id: best.item.id, score: best.score }, { last: this.#last, found });
      return;
    }
    expectSame(`${this.#what}: a page that is not the last is full`, found, limit);
    const last = this.#last!;
    const lastOne = this.#eligible.get(last.id);
    // What was encoded twice may differ in its last digits: of equals, those alone stand in order that were given.
    const isEqual = (each: Scored): boolean => each.score === lastOne?.score && [each, lastOne].every(({ item }) => item.content.kind === 'given');
    const isBefore = (each: Scored): boolean => each.score > last.score + each.by || (isEqual(each) && byteOrder(each.item.id, last.id) < 0);
    const missing = this.#rest.find(isBefore);
    if (missing) diverges(`${this.#what}: nothing before the last is left out`, { id: missing.item.id, score: missing.score }, last);
    const isSomethingLeft = this.#unsure.size > 0 || (best !== undefined && best.score >= floor - best.by);
    expectThat(`${this.#what}: there is more where a cursor says so`, isSomethingLeft, last);
  }
}
