/** Both ports of the store, engine by engine. */
import { catalogContract } from './contracts/catalog-contract.js';
import { embedded } from './contracts/engine.js';
import { vectorIndexContract } from './contracts/vector-index-contract.js';

catalogContract(embedded('embedded'));
vectorIndexContract(embedded('embedded, comparing with everything'));
vectorIndexContract(embedded('embedded, through graphs', { graphThreshold: 50, snapshotAfterChanges: 100, snapshotAfterQuietMs: 50 }));
