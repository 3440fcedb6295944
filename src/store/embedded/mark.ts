import { closeSync, constants, fstatSync, fsync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MixspaceError } from '../../errors.js';
import { isMissing } from '../../files.js';
import { checksumOf } from './checksums.js';

/** What the database held when it was last written to. */
export interface Held {
  /** The database's own, random. */
  identity: string;
  /** Grows with every transaction. */
  seq: number;
  items: number;
}

export const markName = 'mixspace.mark';
/** Each a disk sector: whatever is torn when the power fails, the other one holds. */
const slotBytes = 512;
const slots = 2;
const flushAfterMs = 1_000;

/**
 * `mixspace.mark`, beside the database: what the database must know at least.
 *
 * It is written after each transaction and flushed within a second. So it is never ahead of the database; a process that
 * is killed leaves it exact, and a machine that loses its power at most that far behind.
 */
export class Mark {
  readonly #descriptor: number;
  readonly #onProblem: (error: unknown) => void;
  #slot = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(descriptor: number, onProblem: (error: unknown) => void) {
    this.#descriptor = descriptor;
    this.#onProblem = onProblem;
  }

  /** `undefined` when there is none. Errors: `not_ready` when it cannot be read or is damaged. */
  static read(directory: string): Held | undefined {
    const path = join(directory, markName);
    try {
      const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!fstatSync(descriptor).isFile()) throw new MixspaceError('not_ready', `${path} is no file; ${removal}`);
        const bytes = Buffer.alloc(slotBytes * slots);
        readSync(descriptor, bytes, 0, bytes.length, 0);
        const held = Array.from({ length: slots }, (_, i) => parseSlot(bytes.subarray(i * slotBytes, (i + 1) * slotBytes))).filter((each) => each !== undefined);
        if (held.length === 0) throw new MixspaceError('not_ready', `${path} is damaged, so nothing says whether the database beside it is whole; ${removal}`);
        return held.reduce((a, b) => (b.seq > a.seq ? b : a));
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (isMissing(error)) return undefined;
      if (error instanceof MixspaceError) throw error;
      throw new MixspaceError('not_ready', `${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
    }
  }

  /** Makes the file anew, durably, and keeps it open. */
  static create(directory: string, held: Held, onProblem: (error: unknown) => void): Mark {
    const path = join(directory, markName);
    const descriptor = openSync(`${path}.tmp`, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o666);
    try {
      writeSync(descriptor, Buffer.concat([slotOf(held), slotOf(held)]), 0, slotBytes * slots, 0);
      fsyncSync(descriptor);
      renameSync(`${path}.tmp`, path);
      const folder = openSync(dirname(path), 'r');
      try {
        fsyncSync(folder);
      } finally {
        closeSync(folder);
      }
      return new Mark(descriptor, onProblem);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** After each transaction; never throws. */
  note(held: Held): void {
    try {
      this.#slot = (this.#slot + 1) % slots;
      writeSync(this.#descriptor, slotOf(held), 0, slotBytes, this.#slot * slotBytes);
      this.#timer ??= setTimeout(() => this.#flush(), flushAfterMs).unref();
    } catch (error) {
      this.#onProblem(error);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    try {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
    } catch (error) {
      this.#onProblem(error);
    }
  }

  #flush(): void {
    this.#timer = undefined;
    fsync(this.#descriptor, (error) => {
      // Closing flushes, and takes the descriptor away.
      if (error && error.code !== 'EBADF') this.#onProblem(error);
    });
  }
}

const removal = `if it is, remove ${markName} and start again: pictures that no item names are then set aside, not removed.`;

function slotOf(held: Held): Buffer {
  const text = JSON.stringify(held);
  return Buffer.from(`${text} ${checksumOf(text)}`.padEnd(slotBytes - 1) + '\n');
}

function parseSlot(slot: Buffer): Held | undefined {
  const [, text, sum] = /^(\{.*\}) (\d+) *\n$/.exec(slot.toString('latin1')) ?? [];
  return text !== undefined && checksumOf(text) === Number(sum) ? (JSON.parse(text) as Held) : undefined;
}
