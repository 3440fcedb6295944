import sharp from 'sharp';
import { MixspaceClient } from '../../src/client/index.js';
import { embeddingOf } from './contents.js';

/** One write of each kind that an answer vouches for. */
export async function writesToTrace(url: string): Promise<{ title: string; request: () => Promise<unknown> }[]> {
  const client = new MixspaceClient({ url, retries: 0 });
  const { dimensions } = await client.collection('default');
  const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } }).png().toBuffer();
  return [
    { title: 'an item as an embedding', request: () => client.addItems('default', [{ id: 'a', embedding: embeddingOf('a', 1, dimensions), modality: 'image' }]) },
    { title: 'an item as a picture', request: () => client.addItems('default', [{ id: 'b', image: picture.toString('base64') }]) },
    { title: 'new metadata', request: () => client.setMetadata('default', 'a', { seen: true }) },
    { title: 'a deletion', request: () => client.deleteItem('default', 'a') },
  ];
}
