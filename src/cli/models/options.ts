import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { settings } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { printable } from '../../printable.js';
import { sayAside } from '../print.js';

export const stoppedByUser = 130;

export interface OfflineFlags {
  modelsDir?: string;
  yes?: true;
  json?: true;
}

/** A command that works on the models directory of this machine and asks no service. */
export function offlineCommand(name: string, description: string): Command {
  const { flag, description: what, shown, env } = settings.modelsDir;
  return new Command(name).description(description).addOption(new Option(flag, `${what} (default: ${shown} of mixspace; environment: ${env})`));
}

export const yesOption = (): Option => new Option('-y, --yes', 'answer yes to what is asked');

/**
 * Asks on a terminal. @throws MixspaceError `invalid_request` where there is nobody to ask: `flag` says yes beforehand.
 * @returns false for any answer but yes.
 */
export async function confirm(question: string, flag: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new MixspaceError('invalid_request', `There is no terminal to ask on; ${flag} says yes.`, { param: flag });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const leaving = new AbortController();
  // Ctrl-C and the end of the input: neither ends a question by itself.
  for (const event of ['SIGINT', 'close'] as const) lines.on(event, () => leaving.abort());
  try {
    return /^y(es)?$/i.test((await lines.question(`${printable(question)} [y/N] `, { signal: leaving.signal })).trim());
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    sayAside('');
    return false;
  } finally {
    lines.close();
  }
}

/** Ctrl-C stops the work, a second one ends the process at once. */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | 'stopped'> {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(stoppedByUser);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    process.exitCode = stoppedByUser;
    return 'stopped';
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
