/**
 * The encoder's port: the models there are, and texts and pictures in, normalised embeddings out.
 *
 * What callers ask waits in one queue, ranked by how long a person would wait for it, each rank with a bound of its own;
 * a free worker pulls a batch of what waits. Errors are MixspaceErrors: `not_found` (no such model), `conflict` (the model is another by now),
 * `unsupported_media`, `damaged_media`, `too_large`, `unprocessable` (it ends or holds up whatever encodes it), `overloaded`, `not_ready`;
 * one bad picture fails alone.
 */
import type { Calibration } from '../domain/calibration.js';
import type { Tells } from '../domain/exif.js';
import type { Modality } from '../domain/modality.js';
import type { Priority } from '../domain/priority.js';
import type { Box, Tiles } from '../domain/tiles.js';

export interface ModelDescription {
  id: string;
  modalities: Modality[];
  /** Of an embedding. */
  dimension: number;
  /** Tokens, special ones included; left out where it embeds no texts. */
  contextLength?: number;
  /** Side of the input picture, pixels; left out where it embeds none. */
  imageSize?: number;
  /** Of weights, preprocessing, tokenizer and dimension: two embeddings compare only when theirs are equal. */
  fingerprint: string;
  license?: string;
  description?: string;
  languages?: string[];
  /** What its towers run on, as ONNX Runtime names it. */
  executionProvider: string;
  /** Of the weights in use, and all that the package has, as the hub names them. */
  variant: string;
  variants: string[];
  /** `fast`: large pictures go through the decoder's own resize. */
  preprocessSpeed: 'exact' | 'fast';
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
  /** Of pictures' similarities to names. */
  calibration?: Calibration;
  /** The package's golden vectors, when the package was checked. */
  selfTest: SelfTest;
}

/** Of a model's description: what was made with it compares with what is made with it, as long as its files are the same. */
export type ModelVersion = Pick<ModelDescription, 'id' | 'fingerprint'>;

/** A package as far as it is known: each is checked (files hashed, loaded, self-tested) before it is first used. */
export interface ListedModel {
  id: string;
  /** Other names that calls may use for it. */
  aliases: string[];
  /** When its folder was last changed, in seconds since 1970. */
  changedAt: number;
  /** Once it is checked and can be used. */
  description?: ModelDescription;
  /** Why it cannot be used. Neither this nor a description: its check is still to come. */
  problem?: string;
  /** Its files are others by now than those in use: they are being checked, or cannot be used for this reason. */
  replacement?: 'checking' | { problem: string };
  /** Workers that hold it. */
  loadedIn: number;
  /** What it holds in all of them: what one worker grew by when the package was checked, times their number. */
  memoryBytes: number;
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
  priority: Priority;
  /** Aborted when the caller hangs up: what still waits is dropped. */
  signal?: AbortSignal;
}

export interface TextEmbedding {
  /** Normalised. */
  embedding: Float32Array;
  /** Length of what the tower gave: `embedding` times this is that, to the rounding of a float32. */
  norm: number;
  tokens: number;
  truncated: boolean;
}

export interface ImageEmbedding extends Tells {
  embedding: Float32Array;
  norm: number;
  /** After EXIF orientation. */
  width: number;
  height: number;
  mediaType: string;
  thumbnail?: Uint8Array;
  /** Where they were asked for and there are any: row by row. */
  tiles?: Tile[];
}

/** A part of a picture, as the tower sees it cut out of the upright picture in its full size. */
export interface Tile {
  box: Box;
  /** Normalised. */
  embedding: Float32Array;
}

export interface ImageOptions extends EncodeOptions {
  thumbnail?: boolean;
  /** What all are cut into, or the boxes of each; left out: not cut. */
  tiles?: Tiles | readonly (readonly Box[])[];
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: import('../errors.js').MixspaceError };

/** The models there are. */
export interface Models {
  /** Of calls that name none. */
  readonly defaultModel: ModelDescription;
  /** Every package found, the default one first. */
  list(): ListedModel[];
  /** Looks for packages again: a new one is listed, one that changed is checked and, where it can be used, taken instead; one that has gone is forgotten. */
  look(): Promise<void>;
  /** Description of one, after its check. `not_found` names those there are, `not_ready` says why it cannot be used. */
  model(id?: string): Promise<ModelDescription>;
  /** Runs a model's golden vectors, in a worker of its own, after it was looked for again. */
  selfTest(id: string): Promise<SelfTest>;
}

export interface Encoder {
  /** In the order given; texts never fail one by one. With a version, `conflict` where the model's is another by now; so with pictures. */
  encodeTexts(model: string | ModelVersion, texts: string[], options: EncodeOptions): Promise<TextEmbedding[]>;
  /**
   * In the order given, each with its own outcome; the bytes must not change until then. With `thumbnail`, a WebP of at
   * most 320 px comes with each; with `tiles`, embeddings of its parts.
   */
  encodeImages(model: string | ModelVersion, images: Uint8Array[], options: ImageOptions): Promise<Outcome<ImageEmbedding>[]>;
}

/** One of the workers' processes that run now. */
export interface WorkerMemory {
  /** Its place among the workers. */
  worker: number;
  /** What it keeps loaded: every tower, or pictures' alone. */
  role: 'encoder' | 'picture encoder';
  residentBytes: number;
}

/** The encoder as whoever opened it has it. */
export interface OpenEncoder extends Encoder {
  readonly models: Models;
  /** Pictures and texts that wait for a worker. */
  waiting(): number;
  /** Of the workers' processes, each as of its last answer. `replaced`: how many died so far. */
  workers(): { residentBytes: number; cpuSeconds: number; replaced: number; processes: WorkerMemory[] };
  close(): Promise<void>;
}
