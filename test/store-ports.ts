import type { Catalog } from '../src/store/catalog.js';
import type { Store } from '../src/store/store.js';
import type { VectorIndex } from '../src/store/vector-index.js';

/** A store's two ports in one hand. */
export type BothPorts = Catalog & VectorIndex & Pick<Store, 'close'>;

export const bothPorts = ({ catalog, index, close }: Store): BothPorts => ({ ...catalog, ...index, close });
