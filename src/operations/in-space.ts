import { MixspaceError } from '../errors.js';
import type { Collection } from '../store/store.js';
import type { Context } from './context.js';

const attempts = 3;

/** Runs `work` with the collection as it is, and again when a conflict comes of its having gone over to another space meanwhile. */
export async function inItsSpace<T>(context: Context, name: string, work: (collection: Collection) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const collection = await context.store.getCollection(name);
    try {
      return await work(collection);
    } catch (error) {
      const isConflict = error instanceof MixspaceError && error.code === 'conflict';
      if (!isConflict || attempt === attempts || (await context.store.getCollection(name)).fingerprint === collection.fingerprint) throw error;
    }
  }
}
