/** What a transaction adds to what is counted of a collection and its spaces: added up in memory, and written at its end. */
import type { Modality } from '../../domain/modality.js';
import type { Session } from './database.js';

interface OfSpace {
  items: number;
  embeddings: number;
  unembedded: number;
}

export class Tallies {
  readonly #collections = new Map<string, { collection: number; modality: Modality; items: number; bytes: number }>();
  readonly #spaces = new Map<string, { space: number; modality: Modality } & OfSpace>();

  /** Negative where something goes. */
  addItems(collection: number, modality: Modality, { items, bytes }: { items: number; bytes: number }): void {
    const name = `${collection} ${modality}`;
    const before = this.#collections.get(name);
    this.#collections.set(name, { collection, modality, items: (before?.items ?? 0) + items, bytes: (before?.bytes ?? 0) + bytes });
  }

  /** Negative where something goes. */
  addEmbeddings(space: number, modality: Modality, { items = 0, embeddings = 0, unembedded = 0 }: Partial<OfSpace>): void {
    const name = `${space} ${modality}`;
    const before = this.#spaces.get(name);
    this.#spaces.set(name, { space, modality, items: (before?.items ?? 0) + items, embeddings: (before?.embeddings ?? 0) + embeddings, unembedded: (before?.unembedded ?? 0) + unembedded });
  }

  async write(session: Session): Promise<void> {
    for (const { collection, modality, items, bytes } of this.#collections.values()) {
      if (items !== 0 || bytes !== 0) await session.write('UPDATE tallies SET items = items + $3, bytes = bytes + $4 WHERE collection = $1 AND modality = $2', [collection, modality, items, bytes]);
    }
    for (const { space, modality, items, embeddings, unembedded } of this.#spaces.values()) {
      if (items === 0 && embeddings === 0 && unembedded === 0) continue;
      await session.write('UPDATE space_tallies SET items = items + $3, embeddings = embeddings + $4, unembedded = unembedded + $5 WHERE space = $1 AND modality = $2', [space, modality, items, embeddings, unembedded]);
    }
  }
}
