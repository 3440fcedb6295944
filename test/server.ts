/** Starts the real service, as its users do: `node dist/main.js serve` on a free port. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { cHeapSettings } from '../src/c-heap.js';
import type { EmbeddedStoreSettings } from '../src/store/embedded/settings.js';
import { behindNginx, frontOf, isBehindNginx } from './behind-nginx.js';
import { mayShareProcess, runInHost, type Ran } from './command-host.js';
import { reservePort } from './free-ports.js';
import { dropStoreOf, storeOf } from './over-postgres.js';

export const repository = path.resolve(import.meta.dirname, '..');
const main = path.join(repository, 'dist/main.js');

/** A models directory of one package, clip-tiny: whoever has many checks each of them at every start. */
export const tinyModels = path.join(repository, 'test/fixtures/tiny');
/** The package that comes with the service, or those that whoever runs the tests names. */
export const bundled = { MIXSPACE_MODELS_DIR: process.env['MIXSPACE_MODELS_DIR'] ?? path.join(repository, 'models') };
/** Of the many services that tests start, each is ready in half the time: one worker, and one package of 2 MB. What is measured has what users have. */
export const quick = { MIXSPACE_WORKERS: '1', MIXSPACE_MODELS_DIR: tinyModels };
/** What `serve` gives itself where its Node can, and README tells those to give it who run Node 20. */
const heapSettings = 'execve' in process ? {} : cHeapSettings;
const storeSettings = pathToFileURL(path.join(repository, 'test/store-settings.mjs')).href;

export interface RunningServer {
  url: string;
  port: number;
  indexDir: string;
  process: ChildProcess;
  logs(): string;
  /** SIGTERM; the exit code. The index directory stays until `remove`. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Stops where it still runs, and removes an index directory of its own. */
  remove(): Promise<void>;
}

export interface ServerOptions {
  env?: Record<string, string>;
  args?: string[];
  /** Settings of its store that no environment variable names. */
  store?: Partial<EmbeddedStoreSettings>;
  /** Left out: a new temporary one. */
  indexDir?: string;
  /** Left out: a free one. */
  port?: number;
  /** Milliseconds until it must be ready. */
  patience?: number;
  /** Where its log goes, a file descriptor; left out: `logs()`. */
  stdout?: number;
}

export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { port, release } = options.port === undefined ? await reservePort() : { port: options.port, release: () => {} };
  const indexDir = options.indexDir ?? (await mkdtemp(path.join(tmpdir(), 'mixspace-test-')));
  const child = spawn(process.execPath, [main, 'serve', ...(options.args ?? [])], {
    env: { ...cleanEnv(), ...heapSettings, ...(process.env['VITEST'] ? quick : {}), ...(options.store && { NODE_OPTIONS: `--import=${storeSettings}`, STORE_SETTINGS: JSON.stringify(options.store) }), PORT: String(port), MIXSPACE_INDEX_DIR: indexDir, ...storeOf(indexDir), ...behindNginx, ...options.env },
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => (release(), resolve(code))));

  const direct = `http://127.0.0.1:${port}`;
  const url = isBehindNginx ? await frontOf(port) : direct;
  const server: RunningServer = {
    url,
    port,
    indexDir,
    process: child,
    logs: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) await server.kill();
      if (options.indexDir !== undefined) return;
      await rm(indexDir, { recursive: true, force: true });
      await dropStoreOf(indexDir);
    },
  };
  const deadline = Date.now() + (options.patience ?? 180_000);
  // Both sides pay for an ask, and none is ready sooner.
  let pause = 500;
  for (;;) {
    await Promise.race([ended, delay(pause)]);
    pause = 100;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The service ended before it was ready:\n${output}`);
    const ready = await fetch(`${direct}/readyz`).then((response) => response.status === 200, () => false);
    if (ready) return server;
    if (Date.now() > deadline) {
      await server.remove();
      throw new Error(`The service was not ready in time:\n${output}`);
    }
  }
}

/** Process ids of the encoder workers of a service, those that check packages included. */
export function workersOf({ process: { pid } }: RunningServer): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.trim().split(/\s+/)).filter(([, parent, ...args]) => Number(parent) === pid && args.at(-1) !== 'mixspace-guard').map(([child]) => Number(child));
}

/** Runs a command line of mixspace to its end. */
export async function runMixspace(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  if (process.env['VITEST'] && mayShareProcess(args)) return runInHost(args, { ...cleanEnv(), ...env });
  const child = spawn(process.execPath, [main, ...args], { env: { ...cleanEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** Without the settings of whoever runs the tests, but for the models they are to run with. */
function cleanEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter(([name, value]) => value !== undefined && !/^(MIXSPACE_(?!MODELS_DIR$)|PORT$|HOST$|LOG_LEVEL$)/.test(name))) as Record<string, string>;
}
