import type { ContentBlock } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { collection, itemId } from '../arguments.js';
import { imageContent, smallPicture } from '../thumbnails.js';
import { tool, type CallContext } from '../tool.js';
import { lineOf, linkTo, ToldItem } from '../told-items.js';

/** What models take, as far as they do. */
const shownTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif'];
const mostBytes = 2_000_000;

export const getItem = tool({
  name: 'get_item',
  title: 'Get an item',
  description: 'Shows one item: its picture or text, all of its metadata, where it was found, when and with what it was taken.',
  input: z.strictObject({
    collection,
    id: itemId.describe('As a search tells it.'),
    picture: z.enum(['thumbnail', 'original', 'none']).default('thumbnail').describe('thumbnail: at most 320 pixels. original: to look closely; at most 2 MB.'),
  }),
  output: ToldItem,
  run: async ({ collection: name, id, picture }, context) => {
    const item = await context.client.getItem(name, id, { signal: context.signal });
    const shown = item.modality === 'image' && picture !== 'none' ? await pictureOf(name, id, picture, context) : [];
    return { content: [{ type: 'text', text: lineOf(item) }, ...shown, linkTo(name, item)], structuredContent: item };
  },
});

async function pictureOf(name: string, id: string, size: 'thumbnail' | 'original', { client, signal }: CallContext): Promise<ContentBlock[]> {
  const problem = (text: string): ContentBlock => ({ type: 'text', text });
  const notes: ContentBlock[] = [];
  if (size === 'original') {
    const blob = await client.image(name, id, 'original', { signal });
    const mimeType = blob.type.split(';')[0]!;
    if (shownTypes.includes(mimeType) && blob.size <= mostBytes) return [imageContent({ bytes: new Uint8Array(await blob.arrayBuffer()), mimeType }, id)];
    notes.push(problem(`The original is ${mimeType} of ${Math.ceil(blob.size / 1000)} kB, which is not shown here; this is its thumbnail.`));
  }
  const small = await smallPicture(client, name, id, signal);
  return [...notes, small === undefined ? problem('Its picture is not there any more.') : imageContent(small, id)];
}
