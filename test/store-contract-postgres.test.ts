/** The same ports over PostgreSQL. */
import { catalogContract } from './port-contracts/catalog-contract.js';
import { fullTextContract } from './port-contracts/full-text-contract.js';
import { postgres } from './port-contracts/postgres.js';
import { syncContract } from './port-contracts/sync-contract.js';
import { vectorIndexContract } from './port-contracts/vector-index-contract.js';

catalogContract(postgres('PostgreSQL'));
vectorIndexContract(postgres('PostgreSQL, comparing with everything'));
syncContract(postgres('PostgreSQL'));
vectorIndexContract(postgres('PostgreSQL, through its graph', { graphFrom: 50, lookEveryMs: 100 }));
fullTextContract(postgres('PostgreSQL', { lookEveryMs: 100 }));
