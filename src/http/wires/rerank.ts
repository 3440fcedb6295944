/** Reranking as Jina's, Voyage's and Cohere's clients ask for it: one path, one answer in which each finds its own. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Input, ModelId } from '../../contract/shared.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { rerank } from '../../operations/rerank.js';
import { errorBody } from '../errors.js';
import { route, type Wire, type WireCall, type WireParts } from './wire.js';

const Count = maybe(z.number().int().min(1));

const RerankRequest = z.object({
  model: maybe(ModelId),
  query: Input,
  documents: list(Input).min(1, 'documents has at least one.'),
  top_n: Count,
  top_k: Count,
  return_documents: maybe(z.boolean()),
  // Known, and of no effect.
  truncation: z.unknown().optional(),
  max_tokens_per_doc: z.unknown().optional(),
  max_chunks_per_doc: z.unknown().optional(),
  rank_fields: z.unknown().optional(),
  priority: z.unknown().optional(),
});
type RerankRequest = z.infer<typeof RerankRequest>;

/** The text, where it is one: a picture is not sent back. */
function textOf(document: Input): string | undefined {
  if (typeof document === 'string') return document.startsWith('data:image/') ? undefined : document;
  return 'text' in document ? document.text : undefined;
}

export const rerankWire: Wire = {
  name: 'rerank',
  errorBody: (error) => ({ ...errorBody(error), message: error.message }),
  routes: ({ context }: WireParts) => {
    const answer = async ({ body: { model: asked, query, documents, top_n: topN, top_k: topK, return_documents: isEchoed }, caller }: WireCall<RerankRequest>): Promise<unknown> => {
      const { model, results, tokens } = await rerank(context, { model: asked, query, documents, top: topN ?? topK }, caller);
      const texts = results.map(({ index }) => (isEchoed === false ? undefined : textOf(documents[index]!)));
      const ranked = results.map(({ index, relevance }) => ({ index, relevance_score: relevance }));
      return {
        id: randomUUID(),
        object: 'list',
        model,
        // Jina's and Cohere's ...
        results: ranked.map((each, i) => ({ ...each, ...(texts[i] === undefined ? {} : { document: { text: texts[i] } }) })),
        // ... and Voyage's.
        data: ranked.map((each, i) => ({ ...each, ...(isEchoed === true && texts[i] !== undefined ? { document: texts[i] } : {}) })),
        usage: { total_tokens: tokens, prompt_tokens: tokens },
        meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
      };
    };
    return ['/v1/rerank', '/v2/rerank', '/rerank'].map((path) => route<RerankRequest>({ method: 'post', path, scope: 'read', body: RerankRequest, answer }));
  },
};
