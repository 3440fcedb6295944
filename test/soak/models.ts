import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '../api.js';
import { drawn } from '../pictures.js';
import { repository, startServer } from '../server.js';
import { residentBytes } from './process-tree.js';

const bound = 1.05;
const settled = 5;

/** Two models at once, one loaded and unloaded again and again. Sentences: which bounds were passed. */
export async function models(cycles: number, source: string, say: (line: string) => void): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mixspace-models-'));
  const bundled = path.join(repository, 'models/mixspace-graft-0.3');
  await symlink(bundled, path.join(directory, 'kept'));
  await symlink(path.resolve(source), path.join(directory, 'other'));
  const server = await startServer({ env: { LOG_LEVEL: 'error', MIXSPACE_MODELS_DIR: directory, MIXSPACE_MODEL: 'kept', MIXSPACE_MODEL_IDLE: '1', MIXSPACE_CACHE: '0' } });
  const image = (await drawn(1)).toString('base64');
  const embed = async (model: string): Promise<void> => {
    const { status, body } = await call(server.url, 'POST', '/v1/embeddings', { model, input: ['a dog', 'two dogs in the snow', { image }] });
    if (status !== 200) throw new Error(`${model} was answered ${status}: ${JSON.stringify(body)}`);
  };
  const other = async (): Promise<any> => (await call(server.url, 'GET', '/v1/models')).body.data.find(({ id }: { id: string }) => id === 'other');
  try {
    const unloaded: number[] = [];
    let loaded = 0;
    for (let cycle = 1; cycle <= cycles; cycle++) {
      await Promise.all(Array.from({ length: 4 }, () => [embed('other'), embed('kept')]).flat());
      loaded = await residentBytes(server.process.pid!);
      while ((await other()).loaded as boolean) await delay(100);
      // The worker's answer that it is done comes after the listing.
      await delay(300);
      unloaded.push(await residentBytes(server.process.pid!));
      if (cycle % 5 === 0 || cycle === 1) say(`${String(cycle).padStart(3)}: loaded ${(loaded / 1e6).toFixed(0)} MB, unloaded ${(unloaded.at(-1)! / 1e6).toFixed(0)} MB`);
    }
    const growth = unloaded.at(-1)! / unloaded[settled - 1]!;
    say(`resident memory after unload ${cycles} / after unload ${settled}: ${growth.toFixed(3)} (at most ${bound})`);
    return growth > bound ? [`Memory grew by ${growth.toFixed(3)}.`] : [];
  } finally {
    await server.remove();
    await rm(directory, { recursive: true });
  }
}
