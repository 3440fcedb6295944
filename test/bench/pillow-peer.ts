import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Preprocessing } from '../../src/encoder/picture/preprocess.js';

type Lines = AsyncIterator<string, undefined>;

export interface PillowAnswer {
  /** Decoding, resizing, normalising. */
  seconds: [number, number, number];
  /** The square before it is normalised, 8-bit RGB, where they were asked for. */
  pixels: Uint8Array;
}

/** Pillow and numpy in a Python of their own, one thread; one question at a time. */
export class PillowPeer {
  readonly version: string;
  readonly #process: ChildProcess;
  readonly #lines: Lines;

  private constructor(child: ChildProcess, lines: Lines, version: string) {
    this.#process = child;
    this.#lines = lines;
    this.version = version;
  }

  /** A sentence where there is none: $PYTHON is asked, or python3 on the PATH. */
  static async start(): Promise<PillowPeer | string> {
    const python = process.env['PYTHON'] ?? 'python3';
    const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    const child = spawn(python, [path.join(import.meta.dirname, 'peers/pillow.py')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: Lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const failed = new Promise<string>((resolve) => child.once('error', ({ message }) => resolve(JSON.stringify({ missing: message }))));
    const first = await Promise.race([nextLine(lines).catch(() => failed), failed]);
    const { version, missing } = JSON.parse(first) as { version?: string; missing?: string };
    return version === undefined ? `${python} has no Pillow with numpy (${missing}); PYTHON may name one that has` : new PillowPeer(child, lines, version);
  }

  async prepare(file: string, { mean, std }: Preprocessing, pixels = false): Promise<PillowAnswer> {
    const answer = nextLine(this.#lines);
    this.#process.stdin!.write(`${JSON.stringify({ file, mean, std, pixels })}\n`);
    const { seconds, pixels: square } = JSON.parse(await answer) as { seconds: PillowAnswer['seconds']; pixels?: string };
    return { seconds, pixels: new Uint8Array(Buffer.from(square ?? '', 'base64')) };
  }

  end(): void {
    this.#process.kill();
  }
}

async function nextLine(lines: Lines): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error('Pillow ended.');
  return value;
}
