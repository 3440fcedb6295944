import type { Input } from '../../contract/shared.js';
import { pictureIn } from './picture.js';

/** What an input holds. `field`: where in it, as errors name it; empty: the input itself. */
export type Held = { text: string; field: string } | { image: string; field: string };

/** `bare`: what a string stands for, unless it is a picture's data URI. */
export function heldBy(input: Input, bare: 'text' | 'image' = 'text'): Held {
  if (typeof input === 'string') return bare === 'text' && !pictureIn(input) ? { text: input, field: '' } : { image: input, field: '' };
  if ('text' in input) return { text: input.text, field: '.text' };
  if ('image' in input) return { image: input.image, field: '.image' };
  if ('bytes' in input) return { image: input.bytes, field: '.bytes' };
  if ('url' in input) return { image: input.url, field: '.url' };
  const { image_url: given } = input;
  return typeof given === 'string' ? { image: given, field: '.image_url' } : { image: given.url, field: '.image_url.url' };
}
