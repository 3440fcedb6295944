import type { Input, OneInput } from '../../contract/shared.js';
import { pictureIn } from './picture.js';

/** One text or picture. `field`: where in its input it stands, as errors name it; empty: it is the input itself. */
export type HeldOne = { text: string; field: string } | { image: string; field: string };
/** What an input holds; several parts are one input together. */
export type Held = HeldOne | { parts: HeldOne[] };

/** `bare`: what a string stands for, unless it is a picture's data URI. */
export function heldBy(input: Input, bare: 'text' | 'image' = 'text'): Held {
  if (typeof input === 'string' || !('content' in input)) return heldByOne(input, bare);
  return {
    parts: input.content.map((part, index) => {
      const held = heldByOne(part, 'text');
      return { ...held, field: `.content[${index}]${held.field}` };
    }),
  };
}

function heldByOne(input: OneInput, bare: 'text' | 'image'): HeldOne {
  if (typeof input === 'string') return bare === 'text' && !pictureIn(input) ? { text: input, field: '' } : { image: input, field: '' };
  if ('text' in input) return { text: input.text, field: '.text' };
  if ('image' in input) return { image: input.image, field: '.image' };
  if ('bytes' in input) return { image: input.bytes, field: '.bytes' };
  if ('url' in input) return { image: input.url, field: '.url' };
  const { image_url: given } = input;
  return typeof given === 'string' ? { image: given, field: '.image_url' } : { image: given.url, field: '.image_url.url' };
}
