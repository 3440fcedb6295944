/** Immich's machine learning, as far as smart search needs it. */
import { z } from 'zod';
import type { Request } from 'express';
import { limits as contractLimits } from '../../contract/limits.js';
import { maybe } from '../../contract/zod-helpers.js';
import { MixspaceError } from '../../errors.js';
import type { Context } from '../../operations/context.js';
import { embed } from '../../operations/embed/embed.js';
import { embedPicture } from '../../operations/embed/embed-picture.js';
import type { BodyLimits } from '../bodies.js';
import { readJson } from '../json/read.js';
import { decoded } from '../multipart-parser.js';
import { readMultipart } from '../multipart.js';
import { parse } from '../parse.js';
import { requireReady } from './ready.js';
import { route, type Wire, type WireParts } from './wire.js';

/**
 * Models of Immich's list of which packages are known: their names, and the dimensions of the column in which Immich keeps
 * their embeddings. From Immich's server/src/constants.ts.
 */
const knownNames = new Map<string, { id: string; dimensions: number }>([
  ['ViT-B-32__openai', { id: 'clip-vit-base-patch32', dimensions: 512 }],
  ['ViT-B-16__openai', { id: 'clip-vit-base-patch16', dimensions: 512 }],
  ['ViT-L-14__openai', { id: 'clip-vit-large-patch14', dimensions: 768 }],
  ['ViT-L-14-336__openai', { id: 'clip-vit-large-patch14-336', dimensions: 768 }],
  ['ViT-B-16-SigLIP__webli', { id: 'siglip-base-patch16-224', dimensions: 768 }],
  ['ViT-B-16-SigLIP-256__webli', { id: 'siglip-base-patch16-256', dimensions: 768 }],
  ['ViT-B-16-SigLIP-384__webli', { id: 'siglip-base-patch16-384', dimensions: 768 }],
  ['ViT-B-16-SigLIP-512__webli', { id: 'siglip-base-patch16-512', dimensions: 768 }],
  ['ViT-SO400M-14-SigLIP-384__webli', { id: 'siglip-so400m-patch14-384', dimensions: 1152 }],
  ['ViT-B-16-SigLIP2__webli', { id: 'siglip2-base-patch16-224-ONNX', dimensions: 768 }],
]);

/** Options, such as the language of a text, are of models that need to be told. */
const Tower = z.object({ modelName: z.string().max(contractLimits.modelLength) });
const Entries = z.looseObject({ clip: maybe(z.object({ visual: maybe(Tower), textual: maybe(Tower) })) });
type Entries = z.infer<typeof Entries>;

interface Prediction {
  entries: Entries;
  /** Bytes, as they came. */
  image?: Uint8Array;
  text?: string;
}

export const immich: Wire = {
  name: 'immich',
  errorBody: (error) => ({ detail: error.message }),
  routes: ({ context, readiness, limits }: WireParts) => [
    route({ method: 'get', path: '/ping', scope: 'read', answer: () => requireReady(readiness, 'pong') }),
    route({
      method: 'post',
      path: '/predict',
      scope: 'read',
      reads: 'own',
      answer: async ({ request, caller }) => {
        const { entries, image, text } = await predictionIn(request, limits, context.limits.text);
        const { visual, textual } = clipOf(entries);
        if (visual) {
          if (!image) throw new MixspaceError('invalid_request', 'The part image is missing: the visual tower needs a picture.', { param: 'image' });
          const { embedding, height, width } = await embedPicture(context, { model: await modelFor(context, visual.modelName), bytes: image }, caller);
          return { clip: JSON.stringify([...embedding]), imageHeight: height, imageWidth: width };
        }
        if (text === undefined) throw new MixspaceError('invalid_request', 'The part text is missing: the textual tower needs one.', { param: 'text' });
        const { data } = await embed(context, { model: await modelFor(context, textual!.modelName), input: { text } }, caller);
        return { clip: JSON.stringify(data[0]!.embedding) };
      },
    }),
  ],
};

/** `mostText`: bytes. */
async function predictionIn(request: Request, limits: BodyLimits, mostText: number): Promise<Prediction> {
  const { files, texts } = await readMultipart(request, { files: 'image', texts: ['entries', 'text'] }, { ...limits, files: 1 });
  const entries = texts.get('entries');
  if (!entries) throw new MixspaceError('invalid_request', 'The part entries is missing.', { param: 'entries' });
  const image = files[0]?.bytes;
  if (image instanceof MixspaceError) throw image;
  const sent = texts.get('text');
  if (sent && sent.length > mostText) throw new MixspaceError('too_large', `A text is at most ${mostText} bytes.`, { param: 'text' });
  const text = sent && decoded(sent);
  if (sent && text === undefined) throw new MixspaceError('invalid_request', 'Send the part text as UTF-8.', { param: 'text' });
  return {
    entries: parse(Entries, await readJson(entries, limits.json, { text: 'The part entries', root: 'entries' }), 'entries'),
    ...(image === undefined ? {} : { image }),
    ...(text === undefined ? {} : { text }),
  };
}

/** Whoever is refused goes on to the next of its machine-learning servers. */
function clipOf({ clip, ...others }: Entries): NonNullable<Entries['clip']> {
  const [other] = Object.keys(others);
  if (other !== undefined) throw new MixspaceError('unprocessable', `Of Immich's tasks, clip is done here, not "${other.slice(0, 100)}".`, { param: 'entries' });
  if (!clip || Boolean(clip.visual) === Boolean(clip.textual)) throw new MixspaceError('invalid_request', 'entries: clip has visual or textual, one of them.', { param: 'entries.clip' });
  return clip;
}

/** An id or another name of a model here; else the package that is known to be the model of that name. */
async function modelFor({ models }: Context, name: string): Promise<string> {
  const all = models.list();
  const known = knownNames.get(name);
  const found = all.find(({ id, aliases }) => id === name || aliases.includes(name)) ?? all.find(({ id }) => id === known?.id);
  if (!found) {
    const way = known ? `pull ${known.id}, or name another model with` : 'name one with';
    throw new MixspaceError('not_found', `There is no model for Immich's "${name}" here: ${way} MIXSPACE_ALIASES=${name}=MODEL.`, { param: 'entries.clip' });
  }
  const { id, dimension } = await models.model(found.id);
  if (known && dimension !== known.dimensions) {
    throw new MixspaceError('unprocessable', `Immich keeps ${known.dimensions} dimensions of "${name}"; model "${id}" gives ${dimension}.`, { param: 'entries.clip' });
  }
  return id;
}
