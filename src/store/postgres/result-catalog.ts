import type { ResultCatalog } from '../result-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function resultCatalogOf(_parts: Parts): ResultCatalog {
  return {
    putResultEntries: notYet,
    listResultEntries: notYet,
    publishResult: notYet,
    getResult: notYet,
    listResults: notYet,
    discardResult: notYet,
  };
}
