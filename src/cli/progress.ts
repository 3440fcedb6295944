import { SingleBar } from 'cli-progress';

export interface Progress {
  at(done: number, total: number): void;
  end(): void;
}

const lineEveryMs = 5_000;

/** On stderr: a bar on a terminal, elsewhere a line every few seconds. */
export function startProgress(what: string): Progress {
  return process.stderr.isTTY ? bar(what) : lines(what);
}

function bar(what: string): Progress {
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
      if (!started) single.start(total, 0, { rate: '-' });
      started = true;
      single.update(done, { rate: rateOf(done, began) });
    },
    end: () => single.stop(),
  };
}

function lines(what: string): Progress {
  const began = performance.now();
  let told = began;
  return {
    at(done, total) {
      const now = performance.now();
      if (now - told < lineEveryMs) return;
      told = now;
      const left = Math.ceil((((now - began) / done) * (total - done)) / 1000);
      process.stderr.write(`${done} of ${total} ${what}, ${rateOf(done, began)}/s, ${left} s left\n`);
    },
    end() {},
  };
}

const rateOf = (done: number, began: number): string => (done / Math.max(0.001, (performance.now() - began) / 1000)).toFixed(1);
