/** `waiting` for another of its kind, or for its turn; the last three have ended, and one that failed can be resumed. */
export const jobStates = ['waiting', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** It runs, or will by itself. */
export const isUnderWay = (state: JobState): boolean => state === 'waiting' || state === 'running';

export const hasEnded = (state: JobState): boolean => state === 'done' || state === 'failed' || state === 'cancelled';
