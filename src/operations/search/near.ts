import { limits } from '../../contract/limits.js';
import type { Filter } from '../../domain/filter.js';
import type { Phrase } from '../../domain/words.js';
import type { Collection } from '../../store/catalog.js';
import type { Neighbors } from '../../store/vector-index.js';
import type { Context } from '../context.js';
import type { Note } from './going.js';
import { pageOf, planOf, type Match, type Page, type Place, type Plan } from './plan.js';
import { itemsNamedBy, kindOf, type Asked } from './query.js';
import { cutList, cutOfNote, cutsOf, noteOf, type Cut } from './relevance/cut.js';
import { deviationOf } from './relevance/relevance.js';
import type { KnownWords } from './relevance/unknown-words.js';

export interface NearRequest extends Asked {
  embedding: Float32Array;
  filter?: Filter;
  /** That must stand in every match. */
  required: Phrase[];
  /** Where no word of the query is, nothing is relevant. */
  known: KnownWords;
}

export interface NearPage extends Page {
  /** Matches that would stand there without the cut. */
  leftOut: number;
}

/** Where a score stands among others. */
export interface ScorePlace {
  /** Among the query's scores against the list: less their mean, over their deviation. */
  list: number;
  /** Among those of background texts with the query's nearest; absent where no text was asked. */
  texts?: number;
  /** Embeddings in the list. */
  count: number;
  /** The score from which on a match is relevant; absent where none is. */
  least_score?: number;
}

/** What is near to a query, best first, without what is not relevant where that is asked for. */
export class NearList {
  readonly #context: Context;
  readonly #collection: Collection;
  readonly #asked: NearRequest;
  readonly #isCut: boolean;
  /** By leaf. */
  #cuts: Cut[] | undefined;
  #bestLeftOut: Match | undefined;

  /** `note`: of an earlier page. */
  constructor(context: Context, collection: Collection, asked: NearRequest, note: Note | undefined) {
    this.#context = context;
    this.#collection = collection;
    this.#asked = asked;
    this.#isCut = asked.request.cutoff === 'auto';
    this.#cuts = note?.cuts?.map(cutOfNote);
  }

  /** For later pages. */
  get note(): Note {
    return this.#cuts ? { cuts: this.#cuts.map(noteOf) } : {};
  }

  /** Where relevance was asked for. */
  relevanceOf(leaf: number, score: number): { relevance?: number } {
    const cut = this.#cuts?.[leaf];
    return cut ? { relevance: cut.relevance.of(score) } : {};
  }

  /** The first that the cut left out. */
  get bestLeftOut(): Match | undefined {
    return this.#bestLeftOut;
  }

  /** What a match's relevance was told from. */
  judged(leaf: number, score: number): ScorePlace | undefined {
    const cut = this.#cuts?.[leaf];
    if (!cut) return undefined;
    const { list, texts, count } = cut.evidence;
    return { list: standardOf(list, score), ...(texts ? { texts: standardOf(texts, score) } : {}), count, ...(Number.isFinite(cut.from) ? { least_score: cut.from } : {}) };
  }

  /** `without`: items that stand elsewhere. `counted`: of how many it is told what is left out. */
  async page({ limit, after, without = [], counted = limit }: { limit: number; after?: Place; without?: string[]; counted?: number }): Promise<NearPage> {
    const plan = this.#plan({ limit, ...(after ? { after } : {}) });
    const lists = await this.#nearest(plan, without);
    const uncut = pageOf(plan, lists);
    if (!this.#isCut) return { ...uncut, leftOut: 0 };
    const { embedding, query, known } = this.#asked;
    const cuts = (this.#cuts ??= await cutsOf(this.#context, this.#collection, { embedding, kind: kindOf(query), known }, lists));
    const leftOut = uncut.matches.slice(0, counted).filter(({ score, leaf }) => score < cuts[leaf]!.from);
    this.#bestLeftOut ??= leftOut[0];
    return { ...pageOf(plan, lists.map((list, i) => cutList(list, cuts[i]!))), leftOut: leftOut.length };
  }

  /** All that are relevant, the nearest of them where there are many. `counted`: as a page. */
  async relevant(counted: number): Promise<NearPage> {
    const { leftOut } = await this.page({ limit: counted });
    const cuts = this.#cuts!;
    if (cuts.every(({ from }) => from === Infinity)) return { matches: [], exact: true, leftOut };
    const plan = this.#plan({ limit: limits.page, fusion: 'raw' });
    const leaves = plan.leaves.map((leaf, i) => ({ ...leaf, minScore: Math.max(leaf.minScore ?? -1, Math.min(1, cuts[i]!.from)) }));
    const lists = await this.#nearest({ ...plan, leaves }, []);
    return { ...pageOf(plan, lists.map((list, i) => cutList(list, cuts[i]!))), leftOut };
  }

  #plan({ limit, after, fusion = this.#asked.request.fusion }: { limit: number; after?: Place; fusion?: 'raw' | 'centered' | undefined }): Plan {
    const { modality, min_score: minScore } = this.#asked.request;
    return planOf({
      limit,
      ...(modality === undefined ? {} : { modality }),
      ...(minScore === undefined ? {} : { minScore }),
      ...(fusion === undefined ? {} : { fusion }),
      ...(after === undefined ? {} : { after }),
    });
  }

  #nearest({ leaves, fusion, limit }: Plan, without: string[]): Promise<Neighbors[]> {
    const { request, query, embedding, filter, required } = this.#asked;
    return this.#context.index.nearest(this.#collection.name, {
      embedding,
      kind: kindOf(query),
      fingerprint: this.#collection.fingerprint,
      leaves,
      // What may be cut off leaves no list out.
      ...(this.#isCut ? {} : { most: limit }),
      ...(fusion === 'raw' ? (this.#isCut ? { spread: 'told' as const } : {}) : { spread: Array.isArray(fusion) ? fusion : 'standard' }),
      excludeIds: [...itemsNamedBy(query), ...without],
      required,
      ...(filter === undefined ? {} : { filter }),
      ...(request.exact === undefined ? {} : { exact: request.exact }),
    });
  }
}

const standardOf = (scores: { mean: number; deviation: number }, score: number): number => (score - scores.mean) / deviationOf(scores);
