/** Weaviate's multi2vec-clip: what its server asks of the container that embeds. */
import { z } from 'zod';
import { list, maybe } from '../../contract/zod-helpers.js';
import type { Input } from '../../contract/shared.js';
import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../../operations/context.js';
import { embed } from '../../operations/embed/embed.js';
import { getModel } from '../../operations/models.js';
import { requireReady } from './ready.js';
import { route, type Wire, type WireParts } from './wire.js';

const VectorizeRequest = z.object({ texts: maybe(list(z.string())), images: maybe(list(z.string())) });
type VectorizeRequest = z.infer<typeof VectorizeRequest>;

export const weaviate: Wire = {
  name: 'weaviate',
  errorBody: (error) => ({ error: error.message }),
  routes: ({ context, readiness }: WireParts) => [
    route({ method: 'get', path: '/.well-known/ready', scope: 'read', answer: () => requireReady(readiness) }),
    route({ method: 'get', path: '/.well-known/live', scope: 'read', answer: () => '' }),
    route({ method: 'get', path: '/meta', scope: 'read', answer: () => getModel(context, context.models.defaultModel.id) }),
    route<VectorizeRequest>({
      method: 'post',
      path: '/vectorize',
      scope: 'read',
      body: VectorizeRequest,
      answer: async ({ body: { texts = [], images = [] }, caller }) => ({
        textVectors: await vectors(context, 'texts', texts.map((text) => ({ text })), caller),
        imageVectors: await vectors(context, 'images', images.map((image) => ({ image })), caller),
      }),
    }),
  ],
};

async function vectors(context: Context, field: string, input: Input[], caller: Caller): Promise<unknown[]> {
  if (input.length === 0) return [];
  try {
    return (await embed(context, { input }, caller)).data.map(({ embedding }) => embedding);
  } catch (error) {
    const place = error instanceof MixspaceError ? /\[\d+\]/.exec(error.param ?? '')?.[0] : undefined;
    if (!(error instanceof MixspaceError) || place === undefined) throw error;
    // The field stands in the sentence: there is no other place for it.
    throw new MixspaceError(error.code, `${field}${place}: ${error.message}`, { param: field + place, cause: error.cause });
  }
}
