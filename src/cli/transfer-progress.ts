import { SingleBar } from 'cli-progress';
import { printable } from '../printable.js';
import { sayAside, sizeOf } from './print.js';

export interface TransferProgress {
  /** Bytes there of all that are to be there. */
  at(bytes: number): void;
  /** One file has come. */
  came(name: string, bytes: number): void;
  say: (sentence: string) => void;
  end(): void;
}

/** On stderr: a bar in bytes on a terminal, elsewhere a line for each file. `begun`: bytes that were there before. */
export function startTransfer(total: number, begun: number): TransferProgress {
  if (!process.stderr.isTTY) {
    return { at() {}, came: (name, bytes) => sayAside(`${name}  ${sizeOf(bytes)}  checked`), say: sayAside, end() {} };
  }
  const began = performance.now();
  let from = begun;
  const bar = new SingleBar({
    format: '{bar} {done} of {all}, {rate}/s, {eta_formatted} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    hideCursor: true,
    etaBuffer: 200,
    fps: 5,
  });
  const fields = (bytes: number): object => ({ done: sizeOf(bytes), all: sizeOf(total), rate: sizeOf((bytes - from) / Math.max(0.001, (performance.now() - began) / 1000)) });
  bar.start(total, begun, fields(begun));
  return {
    at(bytes) {
      // A file that starts over takes back what it had counted.
      from = Math.min(from, bytes);
      bar.update(bytes, fields(bytes));
    },
    came() {},
    say(sentence) {
      process.stderr.write(`\r\u001b[K${printable(sentence)}\n`);
    },
    end: () => bar.stop(),
  };
}
