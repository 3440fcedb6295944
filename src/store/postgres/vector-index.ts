import type { VectorIndex } from '../vector-index.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function vectorIndexOf(_parts: Parts): VectorIndex {
  return { capabilities: { exact: true, filters: true, cursors: true }, nearest: notYet, sample: notYet };
}
