import { setTimeout as delay } from 'node:timers/promises';
import { call, items, searchIn } from '../api.js';
import { startServer, type RunningServer } from '../server.js';
import { defaultModel, settingsFor } from './bench-model.js';
import { embeddingRequests, readyMade, requestEmbeddings } from './embedding-requests.js';
import { withPhotoFolder } from './photo-folder.js';
import { memoryOfTree, total } from './process-tree.js';
import { seconds } from './timing.js';

const workers = 2;

/** Longer than it takes until workers that nobody needs are ended. */
const idleMs = 90_000;

/** Memory of the service with the bundled model: ready, saturated with pictures, idle; and how long the first search takes then. Linux alone tells it. */
export async function memory(quick: boolean): Promise<void> {
  const model = await defaultModel();
  await withPhotoFolder(quick ? 100 : 500, async (_, files) => {
    const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: String(workers), ...settingsFor(model) }, patience: 120_000 });
    try {
      await call(server.url, 'POST', items(), { items: [{ id: 'one', text: 'a boat on a lake' }] });
      console.log(`memory, ready: ${told(server)}`);
      const requests = await readyMade(embeddingRequests(model.id, files, 50, 0));
      let over = false;
      let highest = 0;
      const watching = (async () => {
        for (; !over; await delay(100)) highest = Math.max(highest, total(memoryOfTree(server.process.pid!), 'resident'));
      })();
      for (let round = 0; round < (quick ? 1 : 3); round++) await requestEmbeddings(server.url, requests);
      console.log(`memory, saturated: ${told(server)}`);
      over = true;
      await watching;
      console.log(`memory, the most while saturated: ${highest} MB resident`);
      await delay(idleMs);
      console.log(`memory, idle: ${told(server)}`);
      const first = await seconds(() => call(server.url, 'POST', searchIn(), { query: 'a ship' }));
      console.log(`memory, first search after that: ${(1000 * first).toFixed(0)} ms`);
    } finally {
      await server.remove();
    }
  });
}

function told(server: RunningServer): string {
  const all = memoryOfTree(server.process.pid!);
  return `${total(all, 'resident')} MB resident, ${total(all, 'proportional')} MB where shared pages count once (${all.map(({ name, resident }) => `${name} ${resident}`).join(', ')})`;
}
