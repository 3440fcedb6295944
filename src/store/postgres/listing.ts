import type { Catalog } from '../catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function listingOf(_parts: Parts): Pick<Catalog, 'listItems' | 'countValues'> {
  return {
    listItems: notYet,
    countValues: notYet,
  };
}
