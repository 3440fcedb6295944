export { batches } from './batches.js';
export { MixspaceClient } from './client.js';
export type { ClientOptions } from './connection.js';
export type { ImportType, JobEvent, PictureSize, Query, SearchOptions, UploadFile } from './client.js';
export { decodeEmbedding, differingBits, fromInt8 } from './embeddings.js';
export type { Decoded } from './embeddings.js';
export type { Answer, CallParts } from './call.js';
export { MixspaceApiError, MixspaceUnreachableError } from './errors.js';
export { namesPicture } from '../domain/picture-names.js';
