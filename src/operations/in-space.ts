import type { ModelDescription } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Collection } from '../store/catalog.js';
import type { Context } from './context.js';

const attempts = 3;

/** Runs `work` with the collection as it is, and again when a conflict comes of its having gone over to another space meanwhile, or to other tiles. */
export function inItsSpace<T>(context: Context, name: string, work: (collection: Collection) => Promise<T>): Promise<T> {
  return whileItStays(() => context.catalog.getCollection(name), work);
}

/** Likewise with a model, the default one unless named, whose files may be replaced meanwhile. */
export function withModel<T>(context: Context, id: string | undefined, work: (model: ModelDescription) => Promise<T>): Promise<T> {
  return whileItStays(() => context.models.model(id), work);
}

async function whileItStays<State extends { fingerprint: string; tiles?: string }, T>(read: () => Promise<State>, work: (state: State) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const state = await read();
    try {
      return await work(state);
    } catch (error) {
      const isConflict = error instanceof MixspaceError && error.code === 'conflict';
      if (!isConflict || attempt === attempts) throw error;
      const { fingerprint, tiles } = await read();
      if (fingerprint === state.fingerprint && tiles === state.tiles) throw error;
    }
  }
}
