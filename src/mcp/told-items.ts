/** Items as a model is told them: of what may be long, the beginning. */
import type { ContentBlock } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Metadata } from '../domain/metadata.js';
import { uriOf } from './item-uri.js';

/** Characters. */
const longestText = 2_000;
const longestMetadata = 4_000;
const longestLine = 300;

interface Tellable {
  id: string;
  modality: string;
  text?: string | undefined;
  metadata: Metadata;
  sources: string[];
}

export const ToldItem = z
  .looseObject({
    id: z.string(),
    modality: z.string(),
    text: z.string().optional(),
    metadata: z.looseObject({}),
    sources: z.array(z.string()),
    clipped: z.array(z.string()).optional().describe('Fields of which only the beginning is told; get_item tells all of them.'),
  })
  .describe('width, height, taken_at and exif too, where they are known.');

/** As the API has it, but for long texts and metadata. */
export function toldItem<T extends Tellable>(item: T): T & { clipped?: string[] } {
  const text = item.text !== undefined && item.text.length > longestText ? `${wholeCharacters(item.text, longestText)}…` : item.text;
  const metadata = JSON.stringify(item.metadata).length > longestMetadata ? firstFields(item.metadata) : item.metadata;
  const clipped = [text === item.text ? [] : ['text'], metadata === item.metadata ? [] : ['metadata']].flat();
  return clipped.length === 0 ? item : { ...item, ...(text === undefined ? {} : { text }), metadata, clipped };
}

/** Those that fit, in their order. */
function firstFields(metadata: Metadata): Metadata {
  let left = longestMetadata;
  return Object.fromEntries(
    Object.entries(metadata).filter(([key, value]) => {
      const length = key.length + JSON.stringify(value).length;
      if (length > left) return false;
      left -= length;
      return true;
    }),
  );
}

/** Without half a character at its end. */
const wholeCharacters = (text: string, most: number): string => text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '');

/** One line of text: where it is from or what it says, and its metadata. */
export function lineOf({ id, text, metadata, sources }: Tellable): string {
  const what = text ?? sources[0];
  const fields = Object.keys(metadata).length === 0 ? '' : ` ${JSON.stringify(metadata)}`;
  const line = `${id}${what === undefined || what === id ? '' : `: ${what}`}${fields}`.replace(/\s+/g, ' ');
  return line.length > longestLine ? `${wholeCharacters(line, longestLine)}…` : line;
}

export function linkTo(collection: string, { id, modality, sources, text }: Tellable): ContentBlock {
  const name = sources[0]?.split(/[/\\]/).at(-1) || text?.slice(0, 80) || id;
  return { type: 'resource_link', uri: uriOf({ collection, id }), name: wholeCharacters(name, 200), mimeType: modality === 'image' ? 'image/webp' : 'text/plain' };
}
