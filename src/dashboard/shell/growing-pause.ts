const longestMs = 15_000;

/** Milliseconds to wait before what failed for the `attempt`-th time in a row, counted from 0, is tried again. */
export const growingPause = (attempt: number): number => Math.min(1000 * 2 ** attempt, longestMs);
