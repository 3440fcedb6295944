import { byModality, modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { queryKinds, recallDepth } from '../../domain/recall.js';
import type { CollectionDescription } from '../catalog.js';
import type { ColumnMemory } from './columns/column-memory.js';
import { ItemColumns } from './columns/item-columns.js';
import type { ItemTable } from './item-table.js';
import { identityOf, type CollectionRow, type CollectionTable } from './collection-table.js';
import { ModalityIndex, type IndexSurroundings } from './modality-index.js';

export interface OpenCollection {
  row: CollectionRow;
  indexes: Record<Modality, ModalityIndex>;
  columns: Record<Modality, ItemColumns>;
}

/** The collections that are there, by name, each with what makes it quick to search. */
export class Collections {
  readonly #around;
  readonly #byName = new Map<string, OpenCollection>();

  constructor(around: Pick<IndexSurroundings, 'embeddings' | 'cells' | 'memory' | 'settings' | 'log'> & { items: ItemTable; columnMemory: ColumnMemory }) {
    this.#around = around;
  }

  /** In the place of the one of this name. */
  open(row: CollectionRow): OpenCollection {
    const { items, columnMemory, ...around } = this.#around;
    // Another space is of the same items.
    const before = this.#byName.get(row.name);
    const columns = before?.row.key === row.key ? before.columns : byModality((modality) => new ItemColumns(items, { collection: row.key, modality, memory: columnMemory }));
    const open = (modality: Modality): ModalityIndex => {
      const tally = () => around.embeddings.tallies(row.space).find((each) => each.modality === modality);
      return new ModalityIndex(
        { collection: row.key, name: row.name, modality, dimension: row.dimension, space: row.space },
        {
          ...around,
          columns: columns[modality],
          count: () => tally()?.embeddings ?? 0,
          items: () => tally()?.items ?? 0,
        },
      );
    };
    const opened = { row, indexes: byModality(open), columns };
    this.#byName.set(row.name, opened);
    return opened;
  }

  /** `fingerprint`: of the space that it must be in. */
  find(name: string, fingerprint?: string): OpenCollection {
    const found = this.#byName.get(name);
    if (!found) throw new MixspaceError('not_found', `There is no collection "${name}".`);
    if (fingerprint === undefined || fingerprint === found.row.fingerprint) return found;
    throw new MixspaceError('conflict', `Collection "${name}" is in space ${found.row.fingerprint} of model "${found.row.model}", and the embedding in ${fingerprint}: they cannot be compared.`);
  }

  delete(name: string): void {
    this.#byName.delete(name);
  }

  all(): Iterable<OpenCollection> {
    return this.#byName.values();
  }

  rows(): CollectionRow[] {
    return [...this.#byName.values()].map(({ row }) => row);
  }

  *indexes(): Iterable<ModalityIndex> {
    for (const { indexes } of this.#byName.values()) yield* Object.values(indexes);
  }
}

/** What it is, what it holds and how its searches do. */
export function describe({ row, indexes }: OpenCollection, table: CollectionTable): Omit<CollectionDescription, 'unembedded' | 'parts' | 'reembedding' | 'unread'> {
  const counts = byModality(() => 0);
  let bytes = table.bytesOfEmbeddings(row.key);
  for (const tally of table.tallies(row.key)) {
    counts[tally.modality] = tally.items;
    bytes += tally.bytes;
  }
  const states = Object.values(indexes).map((index) => index.state);
  const state = states.includes('building') ? 'building' : states.includes('ready') ? 'ready' : 'none';
  const indexed = Object.values(indexes).reduce((sum, { state, vectors }) => sum + (state === 'none' ? 0 : vectors.held), 0);
  return { ...identityOf(row), counts, bytes, graph: { state, indexed }, recall: recallOf(indexes) };
}

function recallOf(indexes: OpenCollection['indexes']): CollectionDescription['recall'] {
  return modalities.map((modality) => {
    const { isDivided, recall } = indexes[modality];
    if (!isDivided) return { modality, state: 'exact', bands: [] };
    const share = Math.max(...queryKinds.filter((kind) => recall.shares[kind]).map((kind) => recall.share(kind, recallDepth) ?? 1));
    return { modality, state: recall.bands.length > 0 ? 'measured' : 'unknown', bands: recall.bands, ...(Number.isFinite(share) ? { share } : {}) };
  });
}
