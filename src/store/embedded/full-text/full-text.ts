import type { Phrase } from '../../../domain/words.js';
import { MixspaceError } from '../../../errors.js';
import type { Log } from '../../../telemetry.js';
import { foldersNamedIn } from '../../named-folders.js';
import type { Commits } from '../commits.js';
import type { Database } from '../database.js';
import { nextTurn, now, sliceMs } from '../time-slices.js';
import { isDamagedFullText, type WordTable } from './word-table.js';

/** Items looked up at a time. */
const pageRows = 512;
/** Items of which the folders are looked at. */
const mostOfFolders = 5_000;

/** Reads in the background what waits, and tells in which items phrases stand. */
export class FullText {
  readonly #table: WordTable;
  readonly #commits: Pick<Commits, 'run'>;
  readonly #log: Log;
  readonly #sources;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Of its tables: looked at once, whether they are of the items that there are. */
  #state: 'unknown' | 'damaged' | 'sound';

  constructor(database: Database, table: WordTable, commits: Pick<Commits, 'run'>, { log, isDamaged }: { log: Log; isDamaged: boolean }) {
    this.#table = table;
    this.#commits = commits;
    this.#log = log;
    this.#state = isDamaged ? 'damaged' : 'unknown';
    this.#sources = database.prepare<[number], string>('SELECT sources FROM items WHERE key = ?').pluck();
  }

  /** Something may wait to be read. */
  wake(): void {
    this.#running ??= this.#readAll().finally(() => (this.#running = undefined));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** How many items of a collection wait. */
  waiting(collection: number): number {
    return this.#table.waiting(collection);
  }

  /** A collection's items are to be read again: inside the caller's transaction. */
  readAgain(collection: number): void {
    this.#table.readAgain(collection);
  }

  /** Keys of items in which all of the phrases stand, ascending; at most `most`. */
  async itemsWith(collection: number, phrases: Phrase[], most = Infinity): Promise<number[]> {
    const found: number[] = [];
    let began = now();
    for (;;) {
      const limit = Math.min(pageRows, most - found.length);
      const page = this.#guarded(() => this.#table.itemsWith(collection, phrases, found.at(-1) ?? 0, limit)) ?? [];
      found.push(...page);
      if (page.length < limit || found.length >= most) return found;
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }

  /** See the port. */
  async foldersNamed(collection: number, phrase: Phrase, name: string, most: number): Promise<string[]> {
    const found = new Set<string>();
    let began = now();
    for (const key of await this.itemsWith(collection, [phrase], mostOfFolders)) {
      for (const source of sourcesIn(this.#sources.get(key))) for (const folder of foldersNamedIn(source, name)) found.add(folder);
      if (found.size >= most) break;
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return [...found].sort().slice(0, most);
  }

  /** Its tables were found damaged by whoever wrote: what that one is told. */
  mended(): MixspaceError {
    this.#beginAnew();
    this.wake();
    return new MixspaceError('not_ready', 'Full text was damaged, and is made anew: send it again.');
  }

  async #readAll(): Promise<void> {
    try {
      if (this.#state === 'damaged' || (this.#state === 'unknown' && this.#table.isMiscounted())) this.#beginAnew();
      this.#state = 'sound';
      if (!this.#table.waits) return;
      for (let isLeft = true; isLeft && !this.#stopped; await nextTurn()) {
        const began = now();
        isLeft = this.#commits.run(() => this.#table.readSome(pageRows, () => now() - began > sliceMs));
      }
    } catch (error) {
      if (this.#stopped) return;
      if (isDamagedFullText(error)) this.#beginAnew();
      else this.#log('warn', 'Words could not be read; the next write or start tries again.', { reason: String(error) });
    }
  }

  /** `undefined`: its tables are damaged; they are made anew, and until then nothing stands anywhere. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isDamagedFullText(error)) throw error;
      this.#beginAnew();
      this.wake();
      return undefined;
    }
  }

  #beginAnew(): void {
    this.#log('warn', 'Full text was damaged; it is made anew in the background.');
    this.#table.beginAnew();
  }
}

function sourcesIn(json: string | undefined): string[] {
  try {
    return JSON.parse(json ?? '[]') as string[];
  } catch {
    return [];
  }
}
