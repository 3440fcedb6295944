import { sha256 } from '../../content-hash.js';
import type { Modality } from '../../domain/modality.js';
import type { EncodeOptions, Encoder, ImageEmbedding, ImageOptions, Models, ModelVersion, Outcome, TextEmbedding } from '../encoder.js';
import { EmbeddingCache } from './embedding-cache.js';

export interface CacheOptions {
  /** What may be kept: half of it for texts, half for pictures, so that neither drives out the other. */
  bytes: number;
  /** Told of each call's hits, what needed no encoding of its own, and misses. */
  onLookup?: (modality: Modality, hits: number, misses: number) => void;
}

/** Longer texts are known by their hash: as keys they would outweigh their embeddings. */
const longestKey = 512;

/**
 * An encoder that remembers what it was asked for last, by the model's fingerprint and the text or the picture's
 * SHA-256, and encodes once what several ask for at the same time. Calls that want thumbnails or tiles pass by: those are not
 * kept, and who asks for them takes in each picture once.
 */
export class CachedEncoder implements Encoder {
  readonly #models: Models;
  readonly #encoder: Encoder;
  readonly #texts: EmbeddingCache<TextEmbedding>;
  readonly #images: EmbeddingCache<ImageEmbedding>;

  constructor(models: Models, encoder: Encoder, { bytes, onLookup = () => undefined }: CacheOptions) {
    this.#models = models;
    this.#encoder = encoder;
    this.#texts = new EmbeddingCache(bytes / 2, (hits, misses) => onLookup('text', hits, misses));
    this.#images = new EmbeddingCache(bytes / 2, (hits, misses) => onLookup('image', hits, misses));
  }

  /** What is kept weighs so much, keys included. */
  get bytes(): number {
    return this.#texts.bytes + this.#images.bytes;
  }

  async encodeTexts(model: string | ModelVersion, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]> {
    const space = typeof model === 'string' ? await this.#models.model(model) : model;
    const { fingerprint } = space;
    const keys = await Promise.all(texts.map(async (text) => (text.length > longestKey ? contentKey(fingerprint, new TextEncoder().encode(text)) : `${fingerprint} ${text}`)));
    const outcomes = await this.#texts.outcomes(keys, options.priority, async (places) => {
      const embeddings = await this.#encoder.encodeTexts(space, places.map((place) => texts[place]!), options);
      return embeddings.map((value) => ({ ok: true, value }));
    });
    return outcomes.map((outcome) => {
      if (!outcome.ok) throw outcome.error;
      return outcome.value;
    });
  }

  async encodeImages(model: string | ModelVersion, images: Uint8Array[], options: ImageOptions): Promise<Outcome<ImageEmbedding>[]> {
    if (options.thumbnail === true || (options.tiles ?? 'none') !== 'none') return this.#encoder.encodeImages(model, images, options);
    const space = typeof model === 'string' ? await this.#models.model(model) : model;
    const { fingerprint } = space;
    const keys = await Promise.all(images.map((bytes) => contentKey(fingerprint, bytes)));
    return this.#images.outcomes(keys, options.priority, (places) => this.#encoder.encodeImages(space, places.map((place) => images[place]!), options));
  }
}

async function contentKey(fingerprint: string, bytes: Uint8Array): Promise<string> {
  return `${fingerprint}#${await sha256(bytes, 'base64')}`;
}
