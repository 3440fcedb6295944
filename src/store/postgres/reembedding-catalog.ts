import type { ReembeddingCatalog } from '../reembedding-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function reembeddingCatalogOf(_parts: Parts): ReembeddingCatalog {
  return {
    planReembedding: notYet,
    startReembedding: notYet,
    nextToReembed: notYet,
    putReembedded: notYet,
    finishReembedding: notYet,
    stopReembedding: notYet,
    discardReembedding: notYet,
    listImpossible: notYet,
  };
}
