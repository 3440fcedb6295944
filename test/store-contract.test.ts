/** The ports of the store, engine by engine. */
import { catalogContract } from './port-contracts/catalog-contract.js';
import { embedded } from './port-contracts/engine.js';
import { fullTextContract } from './port-contracts/full-text-contract.js';
import { syncContract } from './port-contracts/sync-contract.js';
import { vectorIndexContract } from './port-contracts/vector-index-contract.js';

catalogContract(embedded('embedded'));
catalogContract(embedded('embedded, holding few fields in memory', { columnBytes: 20_000 }));
vectorIndexContract(embedded('embedded, comparing with everything'));
vectorIndexContract(embedded('embedded, holding no field in memory', { columnBytes: 0 }));
vectorIndexContract(embedded('embedded, through cells', { cellsFrom: 50 }));
fullTextContract(embedded('embedded'));
fullTextContract(embedded('embedded, through cells', { cellsFrom: 50 }));
syncContract(embedded('embedded'));
