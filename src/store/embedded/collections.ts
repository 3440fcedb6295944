import { byModality, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { CollectionRow, CollectionTable } from './collection-table.js';
import { ModalityIndex, type IndexSurroundings } from './modality-index.js';

export interface OpenCollection {
  row: CollectionRow;
  indexes: Record<Modality, ModalityIndex>;
}

/** The collections that are there, by name, each with what makes it quick to search. */
export class Collections {
  readonly #around;
  readonly #byName = new Map<string, OpenCollection>();

  constructor(around: Pick<IndexSurroundings, 'items' | 'snapshots' | 'memory' | 'settings'> & { table: CollectionTable }) {
    this.#around = around;
  }

  /** In the place of the one of this name. `isNew`: nothing of its space can have been saved. */
  open(row: CollectionRow, isNew: boolean): OpenCollection {
    const { table, ...around } = this.#around;
    const open = (modality: Modality): ModalityIndex =>
      new ModalityIndex(
        { collection: row.key, name: row.name, modality, fingerprint: row.fingerprint, dimension: row.dimension, space: row.space, since: row.since },
        {
          ...around,
          seq: () => table.seq(row.key),
          count: () => (table.tallies(row.key).find((tally) => tally.modality === modality)?.items ?? 0) - around.items.unembedded(row.key, modality),
        },
        isNew,
      );
    const opened = { row, indexes: byModality(open) };
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
