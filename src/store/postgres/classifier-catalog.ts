import type { ClassifierCatalog } from '../classifier-catalog.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function classifierCatalogOf(_parts: Parts): ClassifierCatalog {
  return {
    putClassifier: notYet,
    getClassifier: notYet,
    listClassifiers: notYet,
    deleteClassifier: notYet,
    listExamples: notYet,
    addExamples: notYet,
    removeExamples: notYet,
  };
}
