import type { Catalog } from '../catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function itemCatalogOf(_parts: Parts): Pick<Catalog, 'write' | 'present' | 'getItem' | 'getEmbedding' | 'getEmbeddings' | 'setMetadata' | 'changeSources' | 'addMetadata' | 'deleteItem' | 'deleteItems' | 'getPicture'> {
  return {
    write: notYet,
    present: notYet,
    getItem: notYet,
    getEmbedding: notYet,
    getEmbeddings: notYet,
    setMetadata: notYet,
    changeSources: notYet,
    addMetadata: notYet,
    deleteItem: notYet,
    deleteItems: notYet,
    getPicture: notYet,
  };
}
