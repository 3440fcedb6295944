import { backgroundNames, backgroundTemplate } from '../../domain/background.js';
import type { TextList } from '../text-lists.js';

/** What labels stand out against: embeddings of all names, in their order. */
export const labelBackground: TextList<readonly Float32Array[]> = {
  name: 'labels',
  texts: backgroundNames.map(backgroundTemplate),
  priority: 'bulk',
  atOnce: 128,
  keep: (embeddings) => embeddings,
};
