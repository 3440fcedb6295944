import { MixspaceError } from '../../errors.js';
import type { Readiness } from '../../operations/readiness.js';

/** The answer of a check that says yes by its status alone. @throws MixspaceError `not_ready` */
export function requireReady(readiness: Readiness, answer = ''): string {
  const problem = readiness.problem();
  if (problem !== undefined) throw new MixspaceError('not_ready', problem);
  return answer;
}
