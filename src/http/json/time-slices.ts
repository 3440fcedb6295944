import { setImmediate as afterThisTurn } from 'node:timers/promises';

/** Bodies that are read at the same time hold the event loop together for so many milliseconds at most, before it turns. */
const turnMs = 5;
let spentMs = 0;
let next: Promise<void> | undefined;

/** Does the work now or, where that time has been spent, after the loop has turned, in the order of asking. Rejects with what it throws. */
export async function inTurn(work: () => void): Promise<void> {
  while (spentMs >= turnMs) {
    await (next ??= afterThisTurn().then(() => {
      spentMs = 0;
      next = undefined;
    }));
  }
  const began = performance.now();
  try {
    work();
  } finally {
    spentMs += performance.now() - began;
  }
}
