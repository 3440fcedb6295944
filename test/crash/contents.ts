/** What an item holds follows from its id and state alone, so nothing needs to be remembered to check it. */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { NewItem } from '../../src/contract/items.js';
import { base64 } from '../api.js';
import { drawMetadata, type Json } from '../model-based/metadata.js';
import { pngChunk } from '../pictures.js';
import type { Presence } from './ledger.js';
import { normal, Random } from './random.js';

/** Embeddings of real pictures fill a few dozen directions; in more, an approximate search would miss more by its nature. */
const directions = 24;
const bases = new Map<number, Float64Array[]>();

export const isText = (id: string): boolean => id.startsWith('text_');
/** Those that came as embeddings. */
export const isGiven = (id: string): boolean => id.startsWith('embedding_');
export const isPicture = (id: string): boolean => id.startsWith('picture_');
export const modalityOf = (id: string): 'text' | 'image' => (isText(id) ? 'text' : 'image');
/** Items that were created together. */
export const groupOf = (id: string): string => id.split('_')[1]!;
export const idsOf = (group: string, texts: number, embeddings: number, pictures = 0): string[] =>
  Array.from({ length: texts + embeddings + pictures }, (_, i) => `${i < texts ? 'text' : i < texts + embeddings ? 'embedding' : 'picture'}_${group}_${i}`);

export const sourcesOf = (id: string): string[] => (Number(id.at(-1)) % 3 === 0 ? ['a.jpg'] : []);

export function itemOf(id: string, state: Presence, dimension: number): NewItem {
  const [source] = sourcesOf(id);
  const common = { id, metadata: metadataOf(id, state), ...(source === undefined ? {} : { source }) };
  if (isText(id)) return { ...common, text: textOf(id, state.version) };
  if (isPicture(id)) return { ...common, image: base64(pictureOf(id, state.version)) };
  return { ...common, modality: 'image', embedding: embeddingOf(id, state.version, dimension) };
}

/** Some of it is what filters are drawn for, the rest what few people think of. */
export function metadataOf(id: string, { version, note }: Presence): Json {
  const random = Random.named(`${id} ${version} ${note}`);
  const day = new Date(Date.UTC(2024, 0, random.between(1, 366))).toISOString().slice(0, 10);
  return { ...drawMetadata(random), version, note, group: groupOf(id), rank: random.next(), bucket: random.between(0, 9), day };
}

/** How much longer than its spread the way to a cluster is: so that searches need not look at all. */
const apart = 6;

/** A tokenizer that reads digit by digit must not take two for one. */
export const textOf = (id: string, version: number): string => `Description ${version} of ${id.replaceAll('_', ', number ')}.`;

export function embeddingOf(id: string, version: number, dimension: number): number[] {
  // As long as a digest is: among 100,000 items, seeds of 32 bits would give some two the same embedding.
  const bits = createHash('shake256', { outputLength: directions * 8 }).update(`${id}#${version}`).digest();
  const embedding = new Float64Array(dimension);
  const cluster = bits[0]! % directions;
  for (const [at, direction] of basisOf(dimension).entries()) {
    const weight = normal(bits.readUInt32LE(at * 8) / 2 ** 32, bits.readUInt32LE(at * 8 + 4) / 2 ** 32) + (at === cluster ? apart : 0);
    for (let i = 0; i < dimension; i++) embedding[i]! += weight * direction[i]!;
  }
  const length = Math.hypot(...embedding);
  return Array.from(embedding, (value) => Number((value / length).toFixed(5)));
}

const width = 24;
const height = 16;

/** A PNG of noise. */
export function pictureOf(id: string, version: number): Buffer {
  const pixels = createHash('shake256', { outputLength: width * height * 3 }).update(`${id}#${version}`).digest();
  const rows = Array.from({ length: height }, (_, y) => Buffer.concat([Buffer.of(0), pixels.subarray(y * width * 3, (y + 1) * width * 3)]));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(Buffer.concat(rows))), pngChunk('IEND', Buffer.alloc(0))]);
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
