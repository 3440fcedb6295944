/** What an item holds follows from its id and version alone, so nothing needs to be remembered to check it. */
import { createHash } from 'node:crypto';
import type { NewItem } from '../../src/contract/items.js';
import type { Presence } from './ledger.js';
import { normal, Random } from './random.js';

/** Embeddings of real pictures fill a few dozen directions; in more, an approximate search would miss more by its nature. */
const directions = 24;
const bases = new Map<number, Float64Array[]>();

export const isText = (id: string): boolean => id.startsWith('text_');
/** Items that were created together. */
export const groupOf = (id: string): string => id.split('_')[1]!;
export const idsOf = (group: string, texts: number, embeddings: number): string[] =>
  Array.from({ length: texts + embeddings }, (_, i) => `${i < texts ? 'text' : 'embedding'}_${group}_${i}`);

export function itemOf(id: string, { version, note }: Presence, dimension: number): NewItem {
  const metadata = { version, note, group: groupOf(id) };
  return isText(id) ? { id, metadata, text: textOf(id, version) } : { id, metadata, modality: 'image', embedding: embeddingOf(id, version, dimension) };
}

export const textOf = (id: string, version: number): string => `Description ${version} of ${id.replaceAll('_', ' ')}.`;

export function embeddingOf(id: string, version: number, dimension: number): number[] {
  // As long as a digest is: among 100,000 items, seeds of 32 bits would give some two the same embedding.
  const bits = createHash('shake256', { outputLength: directions * 8 }).update(`${id}#${version}`).digest();
  const embedding = new Float64Array(dimension);
  for (const [at, direction] of basisOf(dimension).entries()) {
    const weight = normal(bits.readUInt32LE(at * 8) / 2 ** 32, bits.readUInt32LE(at * 8 + 4) / 2 ** 32);
    for (let i = 0; i < dimension; i++) embedding[i]! += weight * direction[i]!;
  }
  const length = Math.hypot(...embedding);
  return Array.from(embedding, (value) => Number((value / length).toFixed(5)));
}

function basisOf(dimension: number): Float64Array[] {
  let basis = bases.get(dimension);
  if (!basis) {
    const random = new Random(dimension);
    basis = Array.from({ length: directions }, () => Float64Array.from({ length: dimension }, () => random.normal()));
    bases.set(dimension, basis);
  }
  return basis;
}
