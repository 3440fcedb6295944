/**
 * Items written per second, by 256 a call, into the embedded store and into PostgreSQL, turn by turn in one run.
 * MIXSPACE_TEST_POSTGRES=postgres://... npx tsx test/bench/postgres-writes.ts [calls]
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Catalog, ItemWrite } from '../../src/store/catalog.js';
import { openPostgresStore } from '../../src/store/postgres/open.js';
import { embedded } from '../port-contracts/engine.js';
import { sha256 } from '../port-contracts/oracle.js';
import { testServer } from '../port-contracts/postgres.js';
import { Random } from '../crash/random.js';

const [calls = 20] = process.argv.slice(2).map(Number);
const perCall = 256;
const dimension = 256;
const thumbnailBytes = 10_000;
const collection = { name: 'c', model: 'm', fingerprint: 'f', dimension, originals: 'thumbnail' as const };

function batch(call: number): ItemWrite[] {
  const random = Random.named(`batch ${call}`);
  return Array.from({ length: perCall }, (_, n) => {
    const values = Array.from({ length: dimension }, () => random.normal());
    const norm = Math.hypot(...values);
    const id = `item ${call} ${n}`;
    return {
      id,
      content: { modality: 'image', contentHash: sha256(id), embeddings: [Float32Array.from(values, (value) => value / norm)], thumbnail: randomBytes(thumbnailBytes), mediaType: 'image/jpeg', width: 4_000, height: 3_000 },
      metadata: { album: `album ${n % 20}`, rating: n % 5 },
      source: `/photos/${call}/${n}.jpg`,
    };
  });
}

const { begin } = embedded('embedded');
const life = await begin();
const server = await testServer();
const url = await server.newUrl();
const store = await openPostgresStore({ url, settings: { connections: server.connections }, log: () => undefined });
const catalogs: Record<string, Catalog> = { embedded: life.store.catalog, postgres: store.catalog };
const times: Record<string, number[]> = { embedded: [], postgres: [] };
const again: Record<string, number[]> = { embedded: [], postgres: [] };
for (const catalog of Object.values(catalogs)) await catalog.createCollection(collection);
for (let call = 0; call < calls; call++) {
  const writes = batch(call);
  for (const [name, catalog] of Object.entries(catalogs)) {
    for (const measured of [times[name]!, again[name]!]) {
      const began = performance.now();
      await catalog.write('c', writes);
      measured.push(performance.now() - began);
    }
  }
}
const perSecond = (measured: number[]): number => Math.round((1_000 * perCall) / measured.slice(2).sort((a, b) => a - b)[Math.floor((measured.length - 2) / 2)]!);
for (const [what, measured] of [['new', times], ['unchanged', again]] as const) {
  const [one, other] = [perSecond(measured.embedded!), perSecond(measured.postgres!)];
  console.log(`${what}: embedded ${one} items/s, PostgreSQL ${other} items/s (median call), ratio ${(other / one).toFixed(2)}`);
}
await store.close();
await server.drop(url);
await life.end();
