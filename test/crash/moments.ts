/** When a service is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from './cells.js';
import type { Random } from './random.js';

/** `anytime`: whatever the service is doing. `early`: soon after the start, while what makes searches quick is made. `closing`: after SIGTERM. `backup` and `reembedding`: one runs. */
export type Moment = 'anytime' | 'early' | 'closing' | 'backup' | 'reembedding';

export function drawMoment(random: Random): Moment {
  const choice = random.next();
  if (choice < 0.1) return 'early';
  if (choice < 0.3) return 'closing';
  if (choice < 0.45) return 'backup';
  return choice < 0.6 ? 'reembedding' : 'anytime';
}

/** Waits until it is true; an error where nothing has moved in the meantime, as `progress` tells it, on however slow a machine. */
export async function comesTrue(what: string, condition: () => boolean, progress: () => number = () => 0): Promise<void> {
  let [seen, deadline] = [progress(), Date.now() + patienceMs];
  while (!condition()) {
    if (progress() !== seen) [seen, deadline] = [progress(), Date.now() + patienceMs];
    if (Date.now() > deadline) throw new Error(`${what} has not come in time.`);
    await sleep(5);
  }
}
