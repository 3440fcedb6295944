import { createHash } from 'node:crypto';
import { call, items } from './api.js';

/** All that a service tells of a collection: each item, its embedding, its pictures' bytes. */
export async function everything(url: string, collection: string): Promise<Map<string, unknown>> {
  const told = new Map<string, unknown>();
  for (let cursor = ''; ; ) {
    const { body } = await call(url, 'GET', `${items(collection)}?limit=100${cursor}`);
    const ids = body.items.map(({ id }: { id: string }) => id);
    const { data } = (await call(url, 'POST', `${items(collection)}/embeddings`, { ids, encoding_format: 'base64' })).body;
    for (const [i, item] of body.items.entries()) {
      const image = async (size: string): Promise<string> => createHash('sha256').update(Buffer.from(await (await fetch(`${url}${item.image_url}?size=${size}`)).arrayBuffer())).digest('hex');
      told.set(item.id, [item, data[i], item.image_url ? [await image('thumbnail'), await image('original')] : []]);
    }
    if (!body.next_cursor) return told;
    cursor = `&cursor=${body.next_cursor}`;
  }
}
