import type { QueryPart, SearchRequest, WeightedQuery } from '../../contract/search.js';
import type { QueryKind } from '../../domain/recall.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import { checkedEmbedding } from '../input/embedding.js';
import { requireModel } from '../collection-model.js';
import type { Caller, Context } from '../context.js';
import { encodeInputs, resolveInputs } from '../input/encode.js';
import { heldBy } from '../input/forms.js';
import { pictureIn } from '../input/picture.js';
import { normalizedSum } from '../weighted-sum.js';

/** What is searched for: parts to be added up, and the file that some of them mean. */
export interface Query {
  parts: Part[];
  file: Uint8Array | undefined;
  /** What its texts say is not to be there, once that has been read out of them. */
  negated: string[];
}

/** `field`: what errors call it. */
export type Part = WeightedQuery & { weight: number; field: string };

/** Rocchio's, for a query of weight 1, with the usual weights (Manning et al. 2008, Introduction to Information Retrieval, 9.1.1). */
const likedWeight = 0.75;
const dislikedWeight = 0.15;

export interface Asked {
  request: Omit<SearchRequest, 'query'>;
  query: Query;
}

/** @throws MixspaceError `invalid_request`: there is none, or it does not fit whether a file was sent. */
export function queryOf(request: SearchRequest, file: Uint8Array | undefined): Query {
  const { likes = [], dislikes = [] } = request;
  const examples = [...examplesOf('likes', likes, likedWeight), ...examplesOf('dislikes', dislikes, -dislikedWeight)];
  const query = request.query ?? (file ? ({ file: true } as const) : undefined);
  if (query === undefined && (likes.length > 0 || request.understand)) return { parts: examples, file, negated: [] };
  return { parts: [...partsOf(query, file), ...examples], file, negated: [] };
}

function partsOf(query: SearchRequest['query'], file: Uint8Array | undefined): Part[] {
  if (query === undefined) throw new MixspaceError('invalid_request', 'query is missing.', { param: 'query' });
  const parts = (Array.isArray(query) ? query : [{ input: query }]).map((part) => ({ ...part, input: typeof part.input === 'string' ? (pictureIn(part.input) ?? part.input) : part.input }));
  const wantsFile = parts.findIndex(({ input }) => typeof input === 'object' && 'file' in input);
  if (wantsFile >= 0 && !file) {
    throw new MixspaceError('invalid_request', '{"file": true} needs a multipart request with a part named file.', { param: Array.isArray(query) ? `query[${wantsFile}].input` : 'query' });
  }
  if (wantsFile < 0 && file) throw new MixspaceError('invalid_request', 'A file was sent, but the query does not use it: leave query out, or say {"file": true}.', { param: 'query' });
  return parts.map(({ input, weight = 1 }, index) => ({ input, weight, field: fieldOf(input, Array.isArray(query) ? `query[${index}].input` : 'query') }));
}

const fieldOf = (input: QueryPart, field: string): string => (typeof input === 'object' && 'id' in input ? `${field}.id` : field);

/** Together they weigh as much as one. */
function examplesOf(name: 'likes' | 'dislikes', ids: string[], weight: number): Part[] {
  return ids.map((id, index) => ({ input: { id }, weight: weight / ids.length, field: `${name}[${index}]` }));
}

/** Whether it holds an embedding that came without its fingerprint: nobody knows whether that is of another space too. */
export function isOfOneSpace({ parts }: Query): boolean {
  return parts.some(({ input }) => typeof input === 'object' && 'embedding' in input && input.fingerprint === undefined);
}

/** The items it names: they are left out of the answer. */
export function itemsNamedBy({ parts }: Query): string[] {
  return parts.flatMap(({ input }) => (typeof input === 'object' && 'id' in input ? [input.id] : []));
}

/** Its texts. */
export function textsOf({ parts }: Query): string[] {
  return parts.flatMap(({ input }) => (typeof input === 'string' ? [input] : 'text' in input ? [input.text] : []));
}

/** What it is made of. */
export function kindOf({ parts, negated }: Query): QueryKind {
  if (negated.length > 0) return 'mixed';
  const kinds = new Set(parts.map(({ input }) => (typeof input === 'string' || 'text' in input ? 'text' : 'id' in input || 'embedding' in input ? 'embedding' : 'image')));
  return kinds.size === 1 ? [...kinds][0]! : 'mixed';
}

/** Its parts' embeddings. @throws MixspaceError what embedding a part may throw, told by its place. */
export async function partEmbeddings(context: Context, collection: Collection, { parts, file }: Query, caller: Caller): Promise<Float32Array[]> {
  const embedder = new PartEmbedder(context, collection, caller);
  return Promise.all(parts.map(({ input, field }) => (isFile(input) ? embedder.file(file!) : embedder.part(input, field))));
}

/** The weighted sum of its parts' embeddings, normalised. @throws MixspaceError `unprocessable`: the sum is zero. */
export function queryEmbedding({ parts }: Query, embeddings: Float32Array[]): Float32Array {
  const sum = normalizedSum(embeddings.map((embedding, index) => ({ embedding, weight: parts[index]!.weight })));
  if (!sum) throw new MixspaceError('unprocessable', 'The weighted queries add up to zero: there is no direction to search in.', { param: 'query' });
  return sum;
}

type FilePart = Extract<QueryPart, { file: true }>;
const isFile = (part: QueryPart): part is FilePart => typeof part === 'object' && 'file' in part;

class PartEmbedder {
  readonly #context: Context;
  readonly #collection: Collection;
  readonly #caller: Caller;

  constructor(context: Context, collection: Collection, caller: Caller) {
    this.#context = context;
    this.#collection = collection;
    this.#caller = caller;
  }

  async file(file: Uint8Array): Promise<Float32Array> {
    const model = await requireModel(this.#context, this.#collection);
    const [outcome] = await this.#context.encoder.encodeImages(model, [file], { priority: 'interactive', signal: this.#caller.signal });
    if (!outcome!.ok) throw outcome!.error.at('file');
    return outcome!.value.embedding;
  }

  /** `field`: what errors call it. */
  async part(part: Exclude<QueryPart, FilePart>, field: string): Promise<Float32Array> {
    if (typeof part === 'object' && 'id' in part) return this.#item(part.id, field);
    if (typeof part === 'object' && 'embedding' in part) return checkedEmbedding(part.embedding, part.fingerprint, this.#collection, field);
    const context = this.#context;
    const caller = this.#caller;
    const model = await requireModel(context, this.#collection);
    const encoding = performance.now();
    const resolved = await resolveInputs(context, [heldBy(part)], caller, () => field);
    const [encoded] = await encodeInputs(context, model, resolved, { priority: 'interactive', caller, field: () => field });
    context.stage('encode_query', (performance.now() - encoding) / 1000);
    return encoded!.embedding;
  }

  async #item(id: string, field: string): Promise<Float32Array> {
    try {
      return await this.#context.catalog.getEmbedding(this.#collection.name, id);
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(field) : error;
    }
  }
}
