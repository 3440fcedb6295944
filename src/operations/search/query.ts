import type { QueryPart, SearchRequest, WeightedQuery } from '../../contract/search.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import { requireModel, type Caller, type Context } from '../context.js';
import { checkedEmbedding, normalizedSum } from '../embedding.js';
import { encodeInputs, resolveInputs } from '../inputs.js';

/** What is searched for: parts to be added up, and the file that some of them mean. */
export interface Query {
  parts: WeightedQuery[];
  file: Uint8Array | undefined;
}

/** @throws MixspaceError `invalid_request`: there is none, or it does not fit whether a file was sent. */
export function queryOf(request: SearchRequest, file: Uint8Array | undefined): Query {
  const query = request.query ?? (file ? ({ file: true } as const) : undefined);
  if (query === undefined) throw new MixspaceError('invalid_request', 'query is missing.', { param: 'query' });
  const parts = Array.isArray(query) ? query : [{ input: query }];
  const wantsFile = parts.findIndex(({ input }) => typeof input === 'object' && 'file' in input);
  if (wantsFile >= 0 && !file) {
    throw new MixspaceError('invalid_request', '{"file": true} needs a multipart request with a part named file.', { param: Array.isArray(query) ? `query[${wantsFile}].input` : 'query' });
  }
  if (wantsFile < 0 && file) throw new MixspaceError('invalid_request', 'A file was sent, but the query does not use it: leave query out, or say {"file": true}.', { param: 'query' });
  return { parts, file };
}

/** Whether it holds an embedding that came without its fingerprint: nobody knows whether that is of another space too. */
export function isOfOneSpace({ parts }: Query): boolean {
  return parts.some(({ input }) => typeof input === 'object' && 'embedding' in input && input.fingerprint === undefined);
}

/** The items it names: they are left out of the answer. */
export function itemsNamedBy({ parts }: Query): string[] {
  return parts.flatMap(({ input }) => (typeof input === 'object' && 'id' in input ? [input.id] : []));
}

/** The weighted sum of its parts' embeddings, normalised. @throws MixspaceError `unprocessable`: the sum is zero; and what embedding a part may throw, told by its place. */
export async function queryEmbedding(context: Context, collection: Collection, { parts, file }: Query, caller: Caller): Promise<Float32Array> {
  const single = parts.length === 1 && parts[0]!.weight === undefined;
  const field = (index: number): string => (single ? 'query' : `query[${index}].input`);
  const embedded = await Promise.all(
    parts.map(({ input }, index) => (isFile(input) ? fileEmbedding(context, collection, file!, caller) : partEmbedding(context, collection, input, caller, field(index)))),
  );
  const sum = normalizedSum(embedded.map((embedding, index) => ({ embedding, weight: parts[index]!.weight ?? 1 })));
  if (!sum) throw new MixspaceError('unprocessable', 'The weighted queries add up to zero: there is no direction to search in.', { param: 'query' });
  return sum;
}

type FilePart = Extract<QueryPart, { file: true }>;
const isFile = (part: QueryPart): part is FilePart => typeof part === 'object' && 'file' in part;

async function fileEmbedding(context: Context, collection: Collection, file: Uint8Array, caller: Caller): Promise<Float32Array> {
  const model = await requireModel(context, collection);
  const [outcome] = await context.encoder.encodeImages(model, [file], { priority: 'interactive', signal: caller.signal });
  if (!outcome!.ok) throw outcome!.error.at('file');
  return outcome!.value.embedding;
}

async function partEmbedding(context: Context, collection: Collection, part: Exclude<QueryPart, FilePart>, caller: Caller, field: string): Promise<Float32Array> {
  if (typeof part === 'object' && 'id' in part) {
    try {
      return await context.catalog.getEmbedding(collection.name, part.id);
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(`${field}.id`) : error;
    }
  }
  if (typeof part === 'object' && 'embedding' in part) return checkedEmbedding(part.embedding, part.fingerprint, collection, field);
  const model = await requireModel(context, collection);
  const encoding = performance.now();
  const resolved = await resolveInputs(context, [part], caller, () => field);
  const [encoded] = await encodeInputs(context, model, resolved, 'interactive', caller, () => field);
  context.stage('encode_query', (performance.now() - encoding) / 1000);
  return encoded!.embedding;
}
