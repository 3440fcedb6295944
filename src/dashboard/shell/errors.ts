import { MixspaceApiError, MixspaceUnreachableError } from '../../client/index.js';

export const isUnauthorized = (error: unknown): boolean => error instanceof MixspaceApiError && error.status === 401;
/** The service is not there, or has too much to do: the same may go well in a moment. */
export const isPassing = (error: unknown): boolean => error instanceof MixspaceUnreachableError || (error instanceof MixspaceApiError && (error.status === 429 || error.status === 503));

export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
