/** What the files of an index directory tell while a service may be using them: the database itself is not opened. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MixspaceError } from '../../errors.js';
import { databaseName } from './database.js';
import { Mark, type Held } from './mark.js';

export interface Looked {
  /** Of the database with what its journal adds; 0 where there is none. */
  databaseBytes: number;
  /** What it holds, as `mixspace.mark` remembers. */
  held?: Held;
  /** Why the mark tells nothing. */
  problem?: string;
  /** Process ids of those that hold the database's lock; undefined where the system does not tell. */
  holders?: number[];
}

export function lookAt(directory: string): Looked {
  const database = join(directory, databaseName);
  const databaseBytes = sizeOf(database) + sizeOf(`${database}-wal`);
  const holders = holdersOf(database);
  const common = { databaseBytes, ...(holders ? { holders } : {}) };
  try {
    const held = Mark.read(directory);
    return { ...common, ...(held ? { held } : {}) };
  } catch (error) {
    if (!(error instanceof MixspaceError)) throw error;
    return { ...common, problem: error.message };
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** By the kernel's table of locks, proc_locks(5): it is Linux's, and tells of processes in this container alone. */
function holdersOf(file: string): number[] | undefined {
  const inode = statSync(file, { throwIfNoEntry: false })?.ino;
  try {
    const locks = readFileSync('/proc/locks', 'utf8').split('\n').map((line) => / (?:POSIX|OFDLCK) +\S+ +\S+ +(\d+) +\w+:\w+:(\d+) /.exec(line));
    const pids = locks.filter((lock) => lock && Number(lock[2]) === inode).map((lock) => Number(lock![1]));
    return [...new Set(pids)].filter((pid) => pid > 0);
  } catch {
    return undefined;
  }
}
