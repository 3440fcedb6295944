import { setImmediate as afterThisTurn } from 'node:timers/promises';

/** Bodies that are read at the same time hold the event loop together for so many milliseconds a turn. */
const turnMs = 5;
let spentMs = 0;
let next: Promise<void> | undefined;

/** Does the work now or, where this turn has been spent, in a later one, in the order of asking. Rejects with what it throws. */
export async function inTurn(work: () => void): Promise<void> {
  while (spentMs >= turnMs) await next;
  const began = performance.now();
  try {
    work();
  } finally {
    spentMs += performance.now() - began;
    next ??= afterThisTurn().then(() => {
      spentMs = 0;
      next = undefined;
    });
  }
}
