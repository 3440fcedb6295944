import { MixspaceError } from '../../errors.js';
import type { Context } from '../context.js';

/** @throws MixspaceError `too_large`, which names the limit. */
export function checkCount(field: string, count: number, limit: number): void {
  if (count > limit) throw new MixspaceError('too_large', `A request takes at most ${limit} ${field === 'input' ? 'inputs' : field}; this one has ${count}.`, { param: field });
}

/** @throws MixspaceError `too_large`. */
export function checkMetadata(context: Context, metadata: Record<string, unknown> | undefined): void {
  const limit = context.limits.metadata;
  if (metadata === undefined || (leastJsonBytes(metadata, limit) <= limit && Buffer.byteLength(JSON.stringify(metadata)) <= limit)) return;
  throw new MixspaceError('too_large', `Metadata is at most ${limit} bytes of JSON; this has more.`, { param: 'metadata' });
}

/** What a value's JSON has at least, counted until it is more than `enough`. */
function leastJsonBytes(value: unknown, enough: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && bytes <= enough; i++) bytes += 1 + leastJsonBytes(value[i], enough - bytes);
  } else {
    for (const key in value) {
      if (bytes > enough) break;
      bytes += key.length + 4 + leastJsonBytes((value as Record<string, unknown>)[key], enough - bytes);
    }
  }
  return bytes - 1;
}

/** @throws MixspaceError `too_large`. */
export function checkedText(context: Context, text: string): string {
  // A UTF-16 unit is 1 to 3 bytes of UTF-8: most texts need no counting.
  const limit = context.limits.text;
  if (text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit)) {
    throw new MixspaceError('too_large', `A text is at most ${limit} bytes of UTF-8.`);
  }
  return text;
}
