/** Items by their URIs, and the gallery. */
import { ResourceNotFoundError, type ReadResourceResult, type Server } from '@modelcontextprotocol/server';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import { gallery, galleryType, galleryUri } from './gallery.js';
import { addressOf, itemTemplate } from './item-uri.js';
import { told } from './tasks.js';
import { smallPicture } from './thumbnails.js';

/** The page is the same until the program is another one. */
const galleryTtlMs = 3_600_000;
const mostCompletions = 100;
const galleryMeta = { ui: { prefersBorder: false } };

export function serveResources(server: Server, client: MixspaceClient): void {
  server.setRequestHandler('resources/list', () => ({
    resources: [{ uri: galleryUri, name: 'gallery', title: 'Gallery', description: 'Shows the matches of a search as pictures.', mimeType: galleryType, _meta: galleryMeta }],
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: itemTemplate, name: 'item', title: 'An item of a collection', description: 'A thumbnail or the text, and as JSON all that is known of it. Both parts of the address are percent-encoded.' }],
  }));
  server.setRequestHandler('resources/read', async ({ params: { uri } }, { mcpReq: { signal } }) => {
    if (uri === galleryUri) return { contents: [{ uri, mimeType: galleryType, text: gallery, _meta: galleryMeta }], ttlMs: galleryTtlMs, cacheScope: 'public' };
    const address = addressOf(uri);
    if (address === undefined) throw new ResourceNotFoundError(uri);
    return readItem(client, { uri, ...address, signal });
  });
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }, { mcpReq: { signal } }) => {
    const isName = ref.type === 'ref/resource' && ref.uri === itemTemplate && argument.name === 'name';
    const names = isName ? (await told(client.collections({ signal }))).map(({ name }) => name).filter((name) => name.startsWith(argument.value)) : [];
    return { completion: { values: names.slice(0, mostCompletions), total: names.length, hasMore: names.length > mostCompletions } };
  });
}

async function readItem(client: MixspaceClient, { uri, collection, id, signal }: { uri: string; collection: string; id: string; signal: AbortSignal }): Promise<ReadResourceResult> {
  const item = await told(
    client.getItem(collection, id, { signal }).catch((error: unknown) => {
      throw error instanceof MixspaceApiError && (error.status === 404 || error.status === 400) ? new ResourceNotFoundError(uri) : error;
    }),
  );
  const facts = { uri, mimeType: 'application/json', text: JSON.stringify(item) };
  if (item.text !== undefined) return { contents: [{ uri, mimeType: 'text/plain', text: item.text }, facts] };
  const picture = item.modality === 'image' ? await told(smallPicture(client, collection, id, signal)) : undefined;
  return { contents: [...(picture === undefined ? [] : [{ uri, mimeType: picture.mimeType, blob: Buffer.from(picture.bytes).toString('base64') }]), facts] };
}
