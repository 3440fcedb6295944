import { setTimeout as sleep } from 'node:timers/promises';
import type { MixspaceClient } from '../../src/client/index.js';

export const patienceMs = 60_000;

export async function cellsAreReady(client: MixspaceClient, collection: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while ((await client.collection(collection)).graph.state === 'building') {
    if (Date.now() > deadline) throw new Error('The cells were not made in time.');
    await sleep(100);
  }
}
