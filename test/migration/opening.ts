/** The opening of a directory in a process of its own, which may be killed, and how far it has got. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { Sqlite } from '../../src/store/embedded/database.js';

const script = path.join(import.meta.dirname, 'opened.mjs');

/** `carrying`: it has begun to; `opened`: it has done. */
export function open(checkout: string, directory: string, carriedAtOnce: number): ChildProcess & { carrying: Promise<void>; opened: Promise<void> } {
  const child = spawn(process.execPath, [script, checkout, directory, String(carriedAtOnce)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const said = (word: string): Promise<void> =>
    new Promise((resolve) => child.stdout.on('data', () => output.includes(word) && resolve()));
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return Object.assign(child, { carrying: said('carrying'), opened: said('opened') });
}

/** Items that wait to be carried over, `undefined` when all have been, and items in their new place. Of a process that has ended. */
export function stateOf(directory: string): { left: number | undefined; carried: number };
/** The highest key ever used. */
export function stateOf(directory: string, what: 'keys'): number;
export function stateOf(directory: string, what?: 'keys'): unknown {
  const database = new Sqlite(path.join(directory, 'mixspace.db'));
  try {
    const one = (sql: string): number => database.prepare(sql).pluck().get() as number;
    if (what === 'keys') return one("SELECT max(seq) FROM sqlite_sequence WHERE name IN ('items', 'embeddings')");
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version < 4) return { left: one('SELECT count(*) FROM items'), carried: 0 };
    return { left: version === 4 ? one('SELECT count(*) FROM old_items') : undefined, carried: one('SELECT count(*) FROM items') };
  } finally {
    database.close();
  }
}
