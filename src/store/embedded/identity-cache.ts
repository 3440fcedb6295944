import type { Catalog, Collection } from '../catalog.js';

type Changing = Pick<Catalog, 'getCollection' | 'createCollection' | 'setTextFields' | 'setTiles' | 'deleteCollection' | 'finishReembedding'>;

/**
 * What collections are, kept where it is asked for, so that nobody crosses over to the store's thread for it. The answer
 * to a change comes before every answer that follows from it: who was told `conflict` finds the other space here.
 */
export function withIdentities(catalog: Changing): { catalog: Changing; forget: (name: string) => void } {
  const known = new Map<string, Collection>();
  async function changing<T>(name: string, change: Promise<T>): Promise<T> {
    try {
      return await change;
    } finally {
      known.delete(name);
    }
  }
  const cached: Changing = {
    getCollection: async (name) => {
      const found = known.get(name);
      if (found) return found;
      const collection = await catalog.getCollection(name);
      known.set(name, collection);
      return collection;
    },
    createCollection: (collection) => changing(collection.name, catalog.createCollection(collection)),
    setTextFields: (name, fields) => changing(name, catalog.setTextFields(name, fields)),
    setTiles: (name, tiles) => changing(name, catalog.setTiles(name, tiles)),
    deleteCollection: (name) => changing(name, catalog.deleteCollection(name)),
    finishReembedding: (name) => changing(name, catalog.finishReembedding(name)),
  };
  return { catalog: cached, forget: (name) => void known.delete(name) };
}
