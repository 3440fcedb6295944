import { MixspaceError } from '../../errors.js';
import type { Version } from './version.js';

/** A worker could not load it. */
export function cannotLoad({ files: { id } }: Version, error: unknown): MixspaceError {
  if (error instanceof MixspaceError && error.code === 'conflict') {
    return new MixspaceError('not_ready', `${error.message} They are checked again; try again later.`, { param: 'model', retryAfter: 5, cause: error });
  }
  return new MixspaceError('not_ready', `The model ${id} cannot be loaded; the log says why.`, { cause: error });
}

export function stopping(): MixspaceError {
  return new MixspaceError('not_ready', 'The service is stopping.');
}
