/** What a failed call means for the calls after it. */
import { MixspaceApiError, MixspaceUnreachableError } from '../../client/index.js';
import { sentenceOf } from '../shell/errors.js';
import type { ToldError } from '../shell/service-sentences.js';
import { growingPause } from '../shell/growing-pause.js';

/** Why nothing is sent for now. */
export interface Pause {
  why: 'unreachable' | 'busy' | 'full' | 'key';
  /** Milliseconds since 1970 of the next try; undefined: it waits for a key. */
  until?: number;
}

/** Until somebody has made room. */
const fullForMs = 30_000;
/** Statuses of the service, and of a proxy in front of one that is gone. */
const pausing: Record<number, Pause['why']> = { 401: 'key', 429: 'busy', 502: 'unreachable', 503: 'busy', 504: 'unreachable', 507: 'full' };
/** It would be no better with other files: no such collection, or this key may not. */
const ending = [403, 404];

export type Verdict = { pause: Pause } | { ends: MixspaceApiError } | { refused: ToldError };

/** @param attempt How many calls in a row have failed before. */
export function judge(error: unknown, attempt: number): Verdict {
  const backoff = growingPause(attempt);
  if (error instanceof MixspaceUnreachableError) return { pause: { why: 'unreachable', until: Date.now() + backoff } };
  if (!(error instanceof MixspaceApiError)) return { refused: { code: 'unknown', message: sentenceOf(error) } };
  const why = pausing[error.status];
  if (why === 'key') return { pause: { why } };
  if (why === 'full') return { pause: { why, until: Date.now() + fullForMs } };
  if (why) return { pause: { why, until: Date.now() + (error.retryAfter === undefined ? backoff : 1000 * error.retryAfter) } };
  return ending.includes(error.status) ? { ends: error } : { refused: error };
}
