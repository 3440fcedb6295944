/** What PostgreSQL and the way to it can refuse, as errors that say nothing of where it is. */
import { MixspaceError } from '../../errors.js';

/** Seconds after which a client should try again what the database could not do just now. */
const retryAfter = 2;

/** Errors of a connection, as Node and node-postgres name them. */
const lostConnection = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'ECONNABORTED']);
const lostMessages = /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|Query read timeout)|timeout exceeded when trying to connect/;

/** PostgreSQL's error codes ("SQLSTATE"), Appendix A of its manual. */
const unavailable: Record<string, string> = {
  '25006': 'The database answers reading only: it is a standby, or set so.',
  '25P03': 'The database ended what stood still.',
  '40001': 'The database could not bring this into an order with what others wrote.',
  '40P01': 'The database could not bring this into an order with what others wrote.',
  '53200': 'The database is out of memory.',
  '53300': 'The database has no connection left.',
  '55P03': 'The database waited too long for another.',
  '57014': 'The database took longer than it may.',
  '57P01': 'The database is being shut down.',
  '57P02': 'The database went down.',
  '57P03': 'The database is starting, or going down.',
  '57P05': 'The database closed a connection that was idle.',
};

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Whether the connection is gone, and with it what was not committed. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return lostConnection.has(code) || code.startsWith('08') || code.startsWith('57P') || code === '25P03' || (error instanceof Error && lostMessages.test(error.message));
}

/** Whether the same transaction, run again, may succeed. */
export const isOutOfOrder = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error));

/** A table that a transaction knew of has been dropped since: run again, it will not know of it. */
export const isGone = (error: unknown): boolean => codeOf(error) === '42P01';

export const isTaken = (error: unknown): boolean => codeOf(error) === '23505';

/** Any error of the database as one that a client may see; the cause is kept for the log. */
export function problemOf(error: unknown): unknown {
  if (error instanceof MixspaceError) return error;
  const code = codeOf(error);
  const refuse = (message: string): MixspaceError => new MixspaceError('not_ready', message, { retryAfter, cause: error });
  if (code === '53100') return new MixspaceError('disk_full', "The database's disk is full: nothing was written; reading and searching go on.", { cause: error });
  if (code.startsWith('28')) return refuse('The database refuses the user or the password.');
  if (code === '3D000') return refuse('The database of this name is not there.');
  if (code === 'XX001' || code === 'XX002') return refuse('The database says that some of what it holds is damaged.');
  const sentence = unavailable[code];
  if (sentence !== undefined) return refuse(`${sentence} Try again in a moment.`);
  if (isLost(error)) return refuse('The database cannot be reached, or the connection to it was lost. Try again in a moment.');
  return error;
}
