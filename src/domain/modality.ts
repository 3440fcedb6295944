/** What an item can be and a model can embed. The one list: the wire's enum, the tables and every loop follow from it, in its order. */
export const modalities = ['image', 'text'] as const;
export type Modality = (typeof modalities)[number];

/** One of a kind for each modality. */
export function byModality<T>(make: (modality: Modality) => T): Record<Modality, T> {
  return Object.fromEntries(modalities.map((modality) => [modality, make(modality)])) as Record<Modality, T>;
}

/** All modalities together. */
export function total(counts: Record<Modality, number>): number {
  return modalities.reduce((sum, modality) => sum + counts[modality], 0);
}
