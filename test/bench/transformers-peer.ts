import { fork, spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BenchModel } from './bench-model.js';
import type { PeerEncoding, PeerPixels, PeerRequest } from './peers/transformers-process.js';

export const peerName = '@huggingface/transformers';
const folder = path.join(import.meta.dirname, 'peers');

/** @huggingface/transformers in a process of its own; one question at a time. */
export class TransformersPeer {
  readonly #process: ChildProcess;
  readonly version: string;

  private constructor(child: ChildProcess, version: string) {
    this.#process = child;
    this.version = version;
  }

  /** Installs it first, from the npm registry, where it is not there in the version that peers/package.json names. */
  static async start(): Promise<TransformersPeer> {
    const version = await install();
    // As in the service: its runtime sends usage to its maker otherwise.
    const child = fork(path.join(folder, 'transformers-process.ts'), { serialization: 'advanced', env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } });
    await nextAnswer(child);
    return new TransformersPeer(child, version);
  }

  async load({ directory, id }: BenchModel): Promise<void> {
    await this.#ask({ kind: 'load', directory, model: id });
  }

  async encode(files: string[], batchSize: number): Promise<PeerEncoding> {
    return (await this.#ask({ kind: 'encode', files, batchSize })) as PeerEncoding;
  }

  async pixels(files: string[]): Promise<PeerPixels[]> {
    return (await this.#ask({ kind: 'pixels', files })) as PeerPixels[];
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }

  #ask(request: PeerRequest): Promise<unknown> {
    const answer = nextAnswer(this.#process);
    this.#process.send(request);
    return answer;
  }
}

function nextAnswer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`The process of ${peerName} ended with ${code}.`));
    child.once('exit', ended);
    child.once('message', ({ value, error }: { value?: unknown; error?: string }) => {
      child.off('exit', ended);
      if (error === undefined) resolve(value);
      else reject(new Error(`${peerName}: ${error}`));
    });
  });
}

async function install(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const wanted = dependencies[peerName]!;
  if ((await installedVersion()) === wanted) return wanted;
  console.log(`Installing ${peerName} ${wanted}, to compare with, under test/bench/peers.`);
  const npm = spawn('npm', ['ci'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  const code = await new Promise<number | null>((resolve) => npm.once('close', resolve));
  if (code !== 0) throw new RangeError(`${peerName} could not be installed: npm ci in test/bench/peers ended with ${code}.`);
  return wanted;
}

async function installedVersion(): Promise<string | undefined> {
  const file = await readFile(path.join(folder, 'node_modules', peerName, 'package.json'), 'utf8').catch(() => undefined);
  return file === undefined ? undefined : (JSON.parse(file) as { version: string }).version;
}
