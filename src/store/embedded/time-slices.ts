import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work after which others get their turn. */
export const sliceMs = 4;

/** Lets every message that waits be handled first. */
export const nextTurn = (): Promise<void> => setImmediate();

/** Milliseconds on a clock that never jumps. */
export const now = (): number => performance.now();
