/** When a service is killed. */
import type { ChildProcess } from 'node:child_process';
import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from './graph.js';
import type { Random } from './random.js';

/** `anytime`: whatever the service is doing. `snapshot`: an ingest has made one due. `closing`: SIGTERM has. `backup` and `reembedding`: one runs. */
export type Moment = 'anytime' | 'snapshot' | 'closing' | 'backup' | 'reembedding';

export function drawMoment(random: Random): Moment {
  const choice = random.next();
  if (choice < 0.1) return 'snapshot';
  if (choice < 0.3) return 'closing';
  if (choice < 0.45) return 'backup';
  return choice < 0.6 ? 'reembedding' : 'anytime';
}

export async function comesTrue(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} has not come in time.`);
    await sleep(5);
  }
}

/** Or the service ends: a graph that is being built anew is not saved. */
export async function snapshotBegins(directory: string, service: ChildProcess, state: () => string): Promise<void> {
  const watcher = watch(directory);
  try {
    await new Promise<void>((resolve, reject) => {
      service.once('exit', () => resolve());
      watcher.on('change', (_, name) => String(name).endsWith('.tmp') && resolve());
      setTimeout(() => reject(new Error(`No snapshot was begun in time (${state()}).`)), patienceMs).unref();
    });
  } finally {
    watcher.close();
  }
}
