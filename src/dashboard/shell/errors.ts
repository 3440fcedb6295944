import { MixspaceApiError, MixspaceUnreachableError } from '../../client/index.js';
import { languageOf, type Language } from './language.js';
import { serviceSentence, unreachableSentence } from './service-sentences.js';

export const isUnauthorized = (error: unknown): boolean => error instanceof MixspaceApiError && error.status === 401;
/** The service is not there, or has too much to do: the same may go well in a moment. */
export const isPassing = (error: unknown): boolean => error instanceof MixspaceUnreachableError || (error instanceof MixspaceApiError && (error.status === 429 || error.status === 503));

/** In the language that the page speaks now, unless another is named. */
export function sentenceOf(error: unknown, language: Language = languageOf(document.documentElement.lang)): string {
  if (error instanceof MixspaceApiError) return serviceSentence(error, language);
  if (error instanceof MixspaceUnreachableError) return unreachableSentence(language, error.message);
  return error instanceof Error ? error.message : String(error);
}
