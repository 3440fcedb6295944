import { setTimeout as sleep } from 'node:timers/promises';
import type { MixspaceClient } from '../../src/client/index.js';

export const patienceMs = 60_000;

export async function graphIsReady(client: MixspaceClient, collection: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while ((await client.collection(collection)).graph.state !== 'ready') {
    if (Date.now() > deadline) throw new Error('The graph was not built in time.');
    await sleep(100);
  }
}
