/** `mixspace serve PATH`: what lies there is taken in by the service itself. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { call, items } from './api.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

it('Pictures under the paths are taken in once, found in more places, and told where they cannot be; no request is made for it', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-served-'));
  const [inner, copy] = [path.join(folder, 'inner'), path.join(folder, 'copy.png')];
  await mkdir(inner);
  // More than one request may hold.
  for (let n = 0; n < 9; n++) await writeFile(path.join(inner, `${n}.png`), await drawn(n));
  await writeFile(path.join(folder, 'broken.jpg'), 'no picture');
  await writeFile(path.join(folder, 'notes.txt'), 'no picture either');
  const env = { MIXSPACE_API_KEYS: 'the-key', MIXSPACE_MAX_ITEMS: '4', MIXSPACE_WORKERS: '1' };
  const authorization = { authorization: 'Bearer the-key' };
  const told = async (server: RunningServer): Promise<any> => {
    await expect.poll(() => server.logs(), { timeout: 60_000 }).toContain('Pictures taken in.');
    return JSON.parse(server.logs().split('\n').find((line) => line.includes('Pictures taken in.'))!);
  };
  const first = await startServer({ args: [inner, folder], env });
  try {
    expect(await told(first)).toMatchObject({ found: 10, created: 9, updated: 0, known: 0, failures: 1, leftOut: { other: 1, links: 0, unreadable: [] } });
    await expect.poll(() => first.logs()).toMatch(/Not taken in: .*broken\.jpg/);
    const { body } = await call(first.url, 'GET', items(), undefined, authorization);
    expect(body.items.map((each: any) => each.sources).flat().sort()).toEqual(Array.from({ length: 9 }, (_, n) => path.join(inner, `${n}.png`)));
    expect((await call<string>(first.url, 'GET', '/metrics')).body).not.toMatch(/method="POST"/);
    expect(await first.stop()).toBe(0);

    await writeFile(copy, await drawn(3));
    const second = await startServer({ args: [folder], env, indexDir: first.indexDir });
    try {
      expect(await told(second)).toMatchObject({ found: 11, created: 0, updated: 1, known: 9, failures: 1 });
      const again = await call(second.url, 'GET', items(), undefined, authorization);
      expect([again.body.items.length, again.body.items.map((each: any) => each.sources).find((each: string[]) => each.length > 1)]).toEqual([9, [path.join(inner, '3.png'), copy]]);
    } finally {
      await second.remove();
    }
  } finally {
    await first.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
