/** Collections outlive their models. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { items } from './api.js';
import { readsTexts, startSmall, type Package } from './small-service.js';
import { textTower } from './small-towers.js';

it('A start without its model leaves the collection default all it holds, and makes it anew only where it is empty', async () => {
  const index = await mkdtemp(path.join(tmpdir(), 'mixspace-index-'));
  const withService = async <T>(packages: Record<string, Package>, work: (service: Awaited<ReturnType<typeof startSmall>>) => Promise<T>): Promise<T> => {
    const service = await startSmall(packages, { MIXSPACE_INDEX_DIR: index });
    try {
      return await work(service);
    } finally {
      await service.server.stop();
      await service.remove();
    }
  };
  const other: Record<string, Package> = { other: { ...readsTexts, 'onnx/text_model.onnx': textTower({ pool: 'mean', rows: 2600 }) } };
  try {
    await withService({ small: readsTexts }, async ({ get, collection }) => {
      expect((await get('/v1/collections/default')).body).toMatchObject({ model: 'small', counts: { total: 0 } });
      await collection('empty');
    });
    await withService(other, async ({ get }) => {
      expect((await get('/v1/collections/default')).body).toMatchObject({ model: 'other', model_available: true });
      expect((await get('/v1/collections/empty')).body).toMatchObject({ model: 'small', model_available: false });
    });
    await withService({ small: readsTexts }, async ({ get, add }) => {
      expect((await get('/v1/collections/default')).body).toMatchObject({ model: 'small', model_available: true });
      await add('default', [{ id: 'a', text: 'a river', metadata: { n: 1 } }]);
    });
    await withService(other, async ({ get, search }) => {
      expect((await get('/v1/collections/default')).body).toMatchObject({ model: 'small', model_available: false, counts: { text: 1, total: 1 } });
      expect((await get(`${items()}/a`)).body).toMatchObject({ text: 'a river', metadata: { n: 1 } });
      expect(await search('default', { query: { embedding: [1, 0, 0, 0] } })).toHaveLength(1);
    });
  } finally {
    await rm(index, { recursive: true, force: true });
  }
});
