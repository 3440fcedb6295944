import { SingleBar } from 'cli-progress';
import { sayAside } from './print.js';

export interface Progress {
  at(done: number, total: number): void;
  end(): void;
}

const lineEveryMs = 5_000;

/** On stderr: a bar on a terminal, elsewhere a line every few seconds. `from`: how much was done before; the pace leaves it out. */
export function startProgress(what: string, from = 0): Progress {
  return process.stderr.isTTY ? bar(what, from) : lines(what, from);
}

function bar(what: string, from: number): Progress {
  const began = performance.now();
  let started = false;
  const single = new SingleBar({
    format: `{bar} {value} of {total} ${what}, {rate}/s, {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    hideCursor: true,
    etaBuffer: 200,
  });
  return {
    at(done, total) {
      if (!started) single.start(total, from, { rate: '-' });
      started = true;
      single.update(done, { rate: rateOf(done - from, began) });
    },
    end: () => single.stop(),
  };
}

function lines(what: string, from: number): Progress {
  const began = performance.now();
  let told = began;
  return {
    at(done, total) {
      const now = performance.now();
      if (now - told < lineEveryMs) return;
      told = now;
      const left = done > from ? `${Math.ceil((((now - began) / (done - from)) * (total - done)) / 1000)} s left` : 'time left unknown';
      sayAside(`${done} of ${total} ${what}, ${rateOf(done - from, began)}/s, ${left}`);
    },
    end() {},
  };
}

const rateOf = (done: number, began: number): string => (done / Math.max(0.001, (performance.now() - began) / 1000)).toFixed(1);
