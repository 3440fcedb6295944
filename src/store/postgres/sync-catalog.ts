import type { SyncCatalog } from '../sync-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function syncCatalogOf(_parts: Parts): SyncCatalog {
  return {
    listSeen: notYet,
    countSeen: notYet,
    noteSeen: notYet,
    settleSeen: notYet,
    forgetSeen: notYet,
    listMounts: notYet,
    putMounts: notYet,
  };
}
