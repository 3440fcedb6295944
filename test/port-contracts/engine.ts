/** What a contract suite needs of an engine; a further one gets a function like `embedded` and runs the same suites. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach } from 'vitest';
import type { NewCollection } from '../../src/store/catalog.js';
import type { EmbeddedStoreSettings } from '../../src/store/embedded/open.js';
import type { Store } from '../../src/store/store.js';
import { repository } from '../server.js';

export interface Engine {
  name: string;
  /** An empty store. */
  begin(): Promise<Life>;
}

export interface Life {
  store: Store;
  /** A folder of the test's own. */
  folder: string;
  /** Closes the store and opens it again. */
  again(): Promise<Store>;
  end(): Promise<void>;
}

/** The stores that the tests of a suite begin, each with an empty collection; ended after each test. */
export function livesOf(engine: Engine, collection: NewCollection): () => Promise<Life> {
  const lives: Life[] = [];
  afterEach(async () => {
    for (const life of lives.splice(0)) await life.end();
  });
  return async () => {
    const life = await engine.begin();
    lives.push(life);
    await life.store.catalog.createCollection(collection);
    return life;
  };
}

// The store runs in a thread of its own, which starts from compiled code.
const { openEmbeddedStore } = (await import(pathToFileURL(path.join(repository, 'dist/store/embedded/open.js')).href)) as typeof import('../../src/store/embedded/open.js');

export function embedded(name: string, settings: Partial<EmbeddedStoreSettings> = {}): Engine {
  return {
    name,
    begin: async () => {
      const root = await mkdtemp(path.join(tmpdir(), 'mixspace-contract-'));
      const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-contract-files-'));
      const open = (): Promise<Store> => openEmbeddedStore({ directory: root, settings, log: () => undefined });
      const life: Life = {
        store: await open(),
        folder,
        again: async () => {
          await life.store.close();
          return (life.store = await open());
        },
        end: async () => {
          await life.store.close();
          for (const each of [root, folder]) await rm(each, { recursive: true, force: true });
        },
      };
      return life;
    },
  };
}
