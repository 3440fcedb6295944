import type { Tells } from '../../domain/exif.js';
import type { Modality } from '../../domain/modality.js';
import type { Box, Tiles } from '../../domain/tiles.js';
import type { PlainError } from '../../errors.js';
import type { PictureLimits } from '../picture/decode.js';
import type { ModelPackage, ReadOptions } from '../package/model-package.js';

/** What is asked of a worker; each request is answered once, under its ticket. */
export type Request = { ticket: number } & RequestBody;

export type RequestBody =
  | { kind: 'read'; id: string }
  | { kind: 'load'; model: ModelPackage; modality: Modality }
  | { kind: 'unload'; model: ModelPackage; modality: Modality }
  | { kind: 'texts'; model: ModelPackage; texts: string[]; wantIds?: boolean }
  | { kind: 'pictures'; model: ModelPackage; pictures: { bytes: Uint8Array; thumbnail: boolean; tiles?: Tiles | readonly Box[] }[] };

/** `usage`: of the worker's process, as it answers. */
export type Reply = { ticket: number; usage: Usage } & ReplyBody;

export type ReplyBody = FailedReply | { kind: 'read'; model: ModelPackage } | LoadedReply | { kind: 'unloaded' } | TextsReply | PicturesReply;

export interface Usage {
  residentBytes: number;
  cpuSeconds: number;
}

export interface FailedReply {
  kind: 'failed';
  error: PlainError;
  /** What was thrown, for the log. */
  cause: string;
}

export interface LoadedReply {
  kind: 'loaded';
  /** Of an embedding. */
  dimension: number;
  /** The tower is fed one input at a time. */
  oneAtATime: boolean;
  /** What the tower runs on, as ONNX Runtime names it. */
  executionProvider: string;
  /** Sentences: which other ones were asked for and why they are not used. */
  refused: string[];
}

export interface TextsReply {
  kind: 'texts';
  /** `dimension` floats an input, in order, normalised. */
  embeddings: Float32Array;
  /** The length each had before. */
  norms: number[];
  texts: { tokens: number; truncated: boolean; ids?: number[] }[];
  seconds: StageSeconds;
}

export interface PicturesReply {
  kind: 'pictures';
  /** `dimension` floats for each picture that was read, in order, behind it those of its tiles, normalised. */
  embeddings: Float32Array;
  /** The length each had before. */
  norms: number[];
  pictures: ({ ok: true; picture: PictureFacts } | { ok: false; error: PlainError; cause?: string })[];
  seconds: StageSeconds;
}

export interface PictureFacts extends Tells {
  width: number;
  height: number;
  mediaType: string;
  thumbnail?: Uint8Array;
  /** Where its tiles lie, where it was cut. */
  boxes?: readonly Box[];
}

/** Of a whole batch, by stage. */
export type StageSeconds = Partial<Record<'tokenize' | 'decode' | 'resize' | 'thumbnail' | 'infer', number>>;

export interface WorkerSettings {
  packages: ReadOptions & { modelsDirectory: string };
  limits: PictureLimits;
  session: SessionSettings;
}

export interface SessionSettings {
  /** By preference, as ONNX Runtime names them; `cpu` is always the last resort. */
  executionProviders: string[];
  /** Of one inference. */
  threads: number;
}
