import type { Exif } from '../domain/exif.js';
import type { Modality } from '../domain/modality.js';

/** What an item holds besides its embeddings. */
export interface ItemContent {
  modality: Modality;
  /** SHA-256 of the content's bytes (of the embedding's bytes where that is all there is), lower-case hex. */
  contentHash: string;
  text?: string;
  width?: number;
  height?: number;
  /** Local time of the camera, ISO 8601 without zone (cameras rarely know theirs). */
  takenAt?: string;
  exif?: Exif;
  /** `image/jpeg`, ... of the original. */
  mediaType?: string;
  /** Where the original lies when it was taken in by path; else undefined. */
  path?: string;
}
