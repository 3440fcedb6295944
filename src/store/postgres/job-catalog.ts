import type { JobCatalog } from '../job-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function jobCatalogOf(_parts: Parts): JobCatalog {
  return {
    putJob: notYet,
    getJob: notYet,
    listJobs: notYet,
    listJobFailures: notYet,
    pruneJobs: notYet,
  };
}
