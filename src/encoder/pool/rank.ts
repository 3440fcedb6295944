import type { Modality } from '../../domain/modality.js';
import type { Priority } from '../../domain/priority.js';

/** What goes first, first: the probe, one text, a few, one picture, a few, bulk. None fills the room of those before it. */
export const ranks = ['probe', 'text', 'texts', 'picture', 'pictures', 'bulk'] as const;
export type Rank = (typeof ranks)[number];

/** Of a request's inputs of one modality. */
export function rankOf(priority: Priority, modality: Modality, count: number): Rank {
  if (priority !== 'interactive') return priority;
  if (modality === 'text') return count === 1 ? 'text' : 'texts';
  return count === 1 ? 'picture' : 'pictures';
}

/**
 * How many batches of these ranks a worker has at once before a further one of the rank has to wait. One batch of pictures
 * infers while the next one decodes, a third place is kept for who waits for one picture; texts, which take milliseconds,
 * go in between whatever is there.
 */
const places: Record<Rank, { most: number; among: readonly Rank[] }> = {
  probe: { most: 1, among: ['probe'] },
  text: { most: 2, among: ['text', 'texts'] },
  texts: { most: 1, among: ['text', 'texts'] },
  picture: { most: 3, among: ['picture', 'pictures', 'bulk'] },
  pictures: { most: 2, among: ['picture', 'pictures', 'bulk'] },
  bulk: { most: 2, among: ['picture', 'pictures', 'bulk'] },
};

export function hasPlace(rank: Rank, underWay: (rank: Rank) => number): boolean {
  const { most, among } = places[rank];
  return among.reduce((sum, each) => sum + underWay(each), 0) < most;
}
