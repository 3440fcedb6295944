/** clip-retrieval's backend, over collections: what clip-front and ClipClient ask of it. */
import { z } from 'zod';
import type { Item } from '../../contract/items.js';
import { limits } from '../../contract/limits.js';
import type { QueryPart } from '../../contract/search.js';
import { Embedding, Modality } from '../../contract/shared.js';
import { list, maybe } from '../../contract/zod-helpers.js';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import { listCollections } from '../../operations/collections.js';
import type { Context, JobContext } from '../../operations/context.js';
import { itemsWithKeys, keysOf } from '../../operations/item-keys.js';
import { itemImage } from '../../operations/items.js';
import { search } from '../../operations/search/search.js';
import { requireCollection, type Access } from '../access/access.js';
import { route, type Wire, type WireParts } from './wire.js';

const defaultImages = 40;
/** Thumbnails of one answer, 320 px each; matches behind them come without. */
const mostThumbnails = 100;
const readAtOnce = 8;

/** Numbers and names that choose no other answer here (aesthetic_score, use_mclip, use_safety_model, deduplicate, ...) are left out. */
const KnnRequest = z.object({
  text: maybe(z.string()),
  image: maybe(z.string()),
  image_url: maybe(z.string()),
  embedding_input: maybe(Embedding),
  modality: maybe(Modality),
  num_images: maybe(z.number().int().min(0)),
  num_result_ids: maybe(z.number().int().min(1)),
  indice_name: maybe(z.string().max(limits.nameLength)),
});
type KnnRequest = z.infer<typeof KnnRequest>;

const MetadataRequest = z.object({
  ids: list(z.number()).max(limits.page, `At most ${limits.page} ids.`),
  indice_name: maybe(z.string().max(limits.nameLength)),
});
type MetadataRequest = z.infer<typeof MetadataRequest>;

export const clipRetrieval: Wire = {
  name: 'clip-retrieval',
  errorBody: (error) => ({ message: error.message }),
  routes: ({ context }: WireParts) => [
    route({ method: 'get', path: '/indices-list', scope: 'read', answer: ({ access }) => indices(context, access) }),
    route<KnnRequest>({
      method: 'post',
      path: '/knn-service',
      scope: 'read',
      reads: 'any-type',
      body: KnnRequest,
      answer: async ({ body, access, caller }) => {
        const collection = await indexFor(context, access, body.indice_name);
        const { modality, num_images: images = defaultImages, num_result_ids: wanted = images } = body;
        const limit = Math.min(limits.page, Math.max(1, wanted));
        const { matches } = await search(context, collection, { query: queryOf(body), limit, ...(modality && { modality }), file: undefined }, caller);
        const keys = await keysOf(context, collection, matches.map(({ id }) => id));
        const told = await toldMetadata(context, collection, matches.slice(0, images));
        return matches.flatMap((match, i) => (keys[i] === 0 ? [] : [{ ...told[i], id: keys[i], similarity: match.score }]));
      },
    }),
    route<MetadataRequest>({
      method: 'post',
      path: '/metadata',
      scope: 'read',
      reads: 'any-type',
      body: MetadataRequest,
      answer: async ({ body: { ids, indice_name: name }, access }) => {
        const collection = await indexFor(context, access, name);
        const found = await itemsWithKeys(context, collection, ids);
        const told = await toldMetadata(context, collection, found.map(({ item }) => item));
        return found.map(({ key }, i) => ({ id: key, metadata: told[i] }));
      },
    }),
  ],
};

/** Names of the collections that the caller may see. */
async function indices(context: JobContext, { collections: own }: Access): Promise<string[]> {
  const { collections } = await listCollections(context);
  return collections.map(({ name }) => name).filter((name) => !own || own.has(name));
}

/** The first one, where none is named, as the backend itself does it. */
async function indexFor(context: JobContext, access: Access, named: string | undefined): Promise<string> {
  const name = named || (await indices(context, access))[0];
  if (name === undefined) throw new MixspaceError('not_found', 'There is no collection that this key may see.', { param: 'indice_name' });
  requireCollection(access, name);
  return name;
}

function queryOf({ text, image, image_url: url, embedding_input: embedding }: KnnRequest): QueryPart {
  if (text) return { text };
  if (image) return { image };
  if (url) return { image: url };
  if (embedding) return { embedding };
  throw new MixspaceError('invalid_request', 'Send text, image, image_url or embedding_input.');
}

type Shown = Pick<Item, 'id' | 'modality' | 'text' | 'metadata' | 'sources' | 'image_url'>;

/** `url`: where on the web it came from; `image`: its thumbnail in base64; `item`: its id here. */
function toldMetadata(context: Context, collection: string, items: Shown[]): Promise<object[]> {
  return mapLimited(items, readAtOnce, async ({ id, text, metadata, sources, image_url: hasImage }, i) => {
    const url = sources.find((source) => /^https?:\/\//i.test(source));
    const caption = typeof metadata['caption'] === 'string' ? metadata['caption'] : text;
    const image = hasImage === undefined || i >= mostThumbnails ? undefined : await thumbnail(context, collection, id);
    return { item: id, ...(url === undefined ? {} : { url }), ...(caption === undefined ? {} : { caption }), ...(image === undefined ? {} : { image }) };
  });
}

/** A picture that has gone or is damaged does not spoil an answer about others. */
async function thumbnail(context: Context, collection: string, id: string): Promise<string | undefined> {
  try {
    return Buffer.from((await itemImage(context, collection, id, 'thumbnail')).bytes).toString('base64');
  } catch (error) {
    if (error instanceof MixspaceError && error.code !== 'internal') return undefined;
    throw error;
  }
}
