import type { FullText } from '../full-text.js';
import type { Parts } from './parts.js';

const notYet = (): never => {
  throw new Error('Not yet.');
};

export function fullTextOf(_parts: Parts): FullText {
  return {
    countWords: notYet,
    withWords: notYet,
    foldersNamed: notYet,
  };
}
