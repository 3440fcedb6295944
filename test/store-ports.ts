import type { Catalog } from '../src/store/catalog.js';
import type { FullText } from '../src/store/full-text.js';
import type { Store } from '../src/store/store.js';
import type { VectorIndex } from '../src/store/vector-index.js';

/** A store's ports in one hand. */
export type BothPorts = Catalog & VectorIndex & FullText & Pick<Store, 'close'>;

export const bothPorts = ({ catalog, index, words, close }: Store): BothPorts => ({ ...catalog, ...index, ...words, close });
