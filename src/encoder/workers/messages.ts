import type { PlainError } from '../../errors.js';
import type { PictureLimits } from '../picture/decode.js';
import type { ModelPackage } from '../package/model-package.js';

/** What the pool asks of a worker; each request is answered once, under its ticket. */
export type Request = { ticket: number; model: ModelPackage } & (
  | { kind: 'load' }
  | { kind: 'texts'; texts: string[]; wantIds?: boolean }
  | { kind: 'pictures'; pictures: { bytes: Uint8Array; thumbnail: boolean }[] }
);

export type Reply = { ticket: number } & (FailedReply | LoadedReply | TextsReply | PicturesReply);

export interface LoadedReply extends TowersFacts {
  kind: 'loaded';
}

export interface TowersFacts {
  /** Of an embedding. */
  dimension: number;
  /** A tower is fed one input at a time. */
  oneAtATime: boolean;
}

export interface FailedReply {
  kind: 'failed';
  error: PlainError;
  /** What was thrown, for the log. */
  cause: string;
}

export interface TextsReply {
  kind: 'texts';
  /** `dimension` floats an input, in order, normalised. */
  embeddings: Float32Array;
  texts: { tokens: number; truncated: boolean; ids?: number[] }[];
  seconds: StageSeconds;
}

export interface PicturesReply {
  kind: 'pictures';
  /** `dimension` floats for each picture that was read, in order, normalised. */
  embeddings: Float32Array;
  pictures: ({ ok: true; picture: PictureFacts } | { ok: false; error: PlainError })[];
  seconds: StageSeconds;
}

export interface PictureFacts {
  width: number;
  height: number;
  mediaType: string;
  takenAt?: string;
  thumbnail?: Uint8Array;
}

/** Of a whole batch, by stage. */
export type StageSeconds = Partial<Record<'tokenize' | 'decode' | 'resize' | 'thumbnail' | 'infer', number>>;

export interface WorkerSettings {
  limits: PictureLimits;
}
