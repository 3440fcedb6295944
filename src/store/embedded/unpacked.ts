import { MixspaceError } from '../../errors.js';

/** The folder, in the index directory, in which a backup lies until it is restored. */
export const unpackedName = 'restore.tmp';

export const refuse = (what: string, cause?: unknown): MixspaceError => new MixspaceError('invalid_request', `This is no backup that can be restored: ${what}.`, cause === undefined ? {} : { cause });
