import type { TileCatalog } from '../tile-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function tileCatalogOf(_parts: Parts): TileCatalog {
  return {
    listTiled: notYet,
    readTileSources: notYet,
    putTiles: notYet,
  };
}
