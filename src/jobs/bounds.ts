/** Jobs that may wait or run at once. */
export const mostUnderWay = 1_000;
/** Of those that have ended, the newest are kept, with so many failures together. */
export const keptJobs = { jobs: 1_000, failures: 100_000 };
export const retryAfterSeconds = 30;
/** Milliseconds between two looks at a job that runs elsewhere, and before a run goes on after the store was away. */
export const lookEveryMs = 250;
export const tryAgainMs = 2_000;
