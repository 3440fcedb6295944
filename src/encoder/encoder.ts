/**
 * The encoder's port: texts and pictures in, normalised embeddings out.
 *
 * Requests of all callers share one bounded queue, interactive before bulk; a free worker
 * pulls a batch of what waits. Errors are MixspaceErrors: `not_found` (no such model),
 * `unsupported_media`, `too_large`, `overloaded`, `not_ready`; one bad picture fails alone.
 */
export interface ModelDescription {
  id: string;
  modalities: ('text' | 'image')[];
  /** Of an embedding. */
  dimension: number;
  /** Tokens, special ones included. */
  contextLength: number;
  /** Side of the input picture, pixels. */
  imageSize: number;
  /** Of weights, preprocessing, tokenizer and dimension: two embeddings compare only when theirs are equal. */
  fingerprint: string;
  license?: string;
  description?: string;
  languages?: string[];
  loaded: boolean;
  /** Of the weights in use, and all that the package has, as the hub names them. */
  variant: string;
  variants: string[];
  /** `one_at_a_time` where a file takes one input at a time, or is dynamically quantised: then others in a batch would change what an input gives. */
  batching: 'any' | 'one_at_a_time';
  /** Similarity times this is the logit. */
  logitScale: number;
  /** Present where the model was trained with a sigmoid. */
  logitBias?: number;
  /** What the package wants `/v1/classify` to do; else sigmoid with a bias, softmax without. */
  activation?: 'softmax' | 'sigmoid';
  /** To which embeddings may be cut and normalised again, ascending; absent where the model was not trained for it. */
  matryoshkaDimensions?: number[];
  /** The package's own prompt ensemble, each with `{}` for the label. */
  templates?: string[];
  noMatch?: NoMatch;
  /** The package's golden vectors, when the service started. */
  selfTest: SelfTest;
}

/** What a package knows about searches for what is not there. */
export interface NoMatch {
  /** Below this cosine, the best picture for a name is most likely not of it. */
  min_score: number;
  /** Measured: the share of names of things that are there whose best picture stays above it ... */
  kept: number;
  /** ... and of those of things that are not there whose best picture falls below. */
  rejected: number;
}

/** How near a package's golden vectors were reached; `unverified` where it has none. */
export interface SelfTest {
  status: 'passed' | 'failed' | 'unverified';
  /** What every cosine must reach. */
  least_cosine?: number;
  image?: { count: number; lowest_cosine: number };
  /** `other_tokens`: texts that came to other tokens. */
  text?: { count: number; lowest_cosine: number; other_tokens: number };
}

export interface EncodeOptions {
  /** Bulk work waits behind interactive work. */
  priority: 'interactive' | 'bulk';
  /** Aborted when the caller hangs up: what still waits is dropped. */
  signal?: AbortSignal;
}

export interface TextEmbedding {
  /** Normalised. */
  embedding: Float32Array;
  tokens: number;
  truncated: boolean;
}

export interface ImageEmbedding {
  embedding: Float32Array;
  /** After EXIF orientation. */
  width: number;
  height: number;
  mediaType: string;
  takenAt?: string;
  thumbnail?: Uint8Array;
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: import('../errors.js').MixspaceError };

export interface Encoder {
  /** Every package found, the default one first. */
  models(): ModelDescription[];
  /** Description of one; `not_found` names those there are. */
  model(id?: string): ModelDescription;
  /** Runs a model's golden vectors, in a worker of its own. */
  selfTest(id: string): Promise<SelfTest>;
  /** In the order given; texts never fail one by one. */
  encodeTexts(model: string, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]>;
  /**
   * In the order given, each with its own outcome. Large pictures that own their whole buffer are moved to the worker:
   * the bytes must not be touched afterwards unless `keepBytes` is set (then they are copied).
   * With `thumbnail`, a WebP of at most 320 px comes with each.
   */
  encodeImages(model: string, images: Uint8Array[], options: EncodeOptions & { thumbnail?: boolean; keepBytes?: boolean }): Promise<Outcome<ImageEmbedding>[]>;
  /** Pictures and texts that wait for a worker. */
  waiting(): number;
  close(): Promise<void>;
}
