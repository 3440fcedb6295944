import type { SurveyCatalog } from '../survey-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function surveyOf(_parts: Parts): SurveyCatalog {
  return {
    changesOf: notYet,
    matchingKeys: notYet,
    wholeEmbeddings: notYet,
    readEmbeddings: notYet,
    keysOfIds: notYet,
    idsOfKeys: notYet,
    valuesOfKeys: notYet,
  };
}
