/** A models directory that changes while services and encoders use it. */
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/open.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { call } from './api.js';
import { repository, startServer, type RunningServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');
export const interactive = { priority: 'interactive' } as const;

/** `main`, the default one, and `other`, of the same files. */
export let models: string;
const running: RunningServer[] = [];
const opened: OpenEncoder[] = [];
/** Registers the hooks of a file or a `describe`: each test has a directory of its own, and what it started ends with it. */
export function changingModels(): void {
  beforeEach(async () => {
    models = await mkdtemp(path.join(tmpdir(), 'mixspace-changed-'));
    await put('clip-tiny', 'main');
    await put('clip-tiny', 'other');
  });
  afterEach(async () => {
    await Promise.all([...running.splice(0).map((server) => server.remove()), ...opened.splice(0).map((encoder) => encoder.close())]);
    await rm(models, { recursive: true });
  });
}

/** A package under a name, in one step, in place of what is there. */
export async function put(family: string, name: string): Promise<void> {
  const [made, away] = [path.join(models, `.made-${name}`), path.join(models, `.away-${name}`)];
  await cp(path.join(fixtures, family), made, { recursive: true });
  await rename(path.join(models, name), away).catch(() => undefined);
  await rename(made, path.join(models, name));
  await rm(away, { recursive: true, force: true });
}

export const visionOf = (name: string): string => path.join(models, name, 'onnx/vision_model.onnx');

export async function start(env: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'main', MIXSPACE_CACHE: '0', ...env } });
  running.push(server);
  return server;
}

/** Workers run compiled. */
export const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));

export async function open(options: Partial<EncoderOptions> = {}): Promise<OpenEncoder> {
  const encoder = await openEncoder({ modelsDirectory: models, defaultModel: 'main', workers: 1, limits: { pictureBytes: 50e6, picturePixels: 100e6 }, startWorker, log: () => undefined, ...options });
  opened.push(encoder);
  return encoder;
}

export const embed = (server: RunningServer, model: string) => call(server.url, 'POST', '/v1/embeddings', { model, input: 'a dog' });
export const listed = async (server: RunningServer): Promise<any[]> => (await call(server.url, 'GET', '/v1/models')).body.data;
export const listedAs = async (server: RunningServer, id: string): Promise<any> => (await listed(server)).find((each) => each.id === id);

export async function until<T>(ask: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const checked = (server: RunningServer, id: string): Promise<any> => until(() => listedAs(server, id), ({ self_test: test }) => test.status !== 'pending');
