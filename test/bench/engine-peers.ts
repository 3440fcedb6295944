import { fork, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from '../server.js';
import type { BuildRequest, Built, Searched, SearchRequest } from './engines/engine-process.js';
import type { ItemFilter } from './search-oracle.js';
import type { Sample } from './searchers.js';
import type { CloudItem } from './shifted-cloud.js';

const folder = path.join(import.meta.dirname, 'engines');

interface Contender {
  name: string;
  package: string;
}

/** The library that the repository has anyway, and those that are installed by hand. */
const library: Contender = { name: 'hnswlib-node', package: 'hnswlib-node' };
const byHand: Contender[] = [
  { name: '@zvec/zvec', package: '@zvec/zvec' },
  { name: 'usearch', package: 'usearch' },
  { name: 'sqlite-vec', package: 'sqlite-vec' },
  { name: 'lancedb, HNSW_SQ', package: '@lancedb/lancedb' },
  { name: 'lancedb, IVF_PQ', package: '@lancedb/lancedb' },
];

/** Those that are installed, with their versions; says of the others how they come. */
export async function installedEngines(): Promise<{ name: string; version: string }[]> {
  const { dependencies } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const installed: { name: string; version: string }[] = [];
  const missing = new Set<string>();
  for (const { name, package: id } of [library, ...byHand]) {
    const version = await versionIn(id === library.package ? repository : folder, id);
    if (version === undefined || (dependencies[id] ?? version) !== version) missing.add(`${id} ${dependencies[id] ?? ''}`.trim());
    else installed.push({ name, version });
  }
  if (missing.size > 0) console.log(`search: NOT INSTALLED, and so not compared with: ${[...missing].join(', ')}. To install: npm ci --prefix ${path.relative(repository, folder)}`);
  return installed;
}

async function versionIn(where: string, id: string): Promise<string | undefined> {
  const file = await readFile(path.join(where, 'node_modules', id, 'package.json'), 'utf8').catch(() => undefined);
  return file === undefined ? undefined : (JSON.parse(file) as { version: string }).version;
}

/** The vectors of all items, in a file that engines read. */
export class VectorFile {
  readonly #folder: string;
  readonly #groups: Uint8Array;
  readonly #dimension: number;

  private constructor(folder: string, items: CloudItem[], dimension: number) {
    this.#folder = folder;
    this.#groups = Uint8Array.from(items, ({ group }) => group);
    this.#dimension = dimension;
  }

  static async of(items: CloudItem[], dimension: number): Promise<VectorFile> {
    const file = new VectorFile(await mkdtemp(path.join(tmpdir(), 'mixspace-engines-')), items, dimension);
    const vectors = new Float32Array(items.length * dimension);
    for (const [row, { embedding }] of items.entries()) vectors.set(embedding, row * dimension);
    await writeFile(file.#path, new Uint8Array(vectors.buffer));
    return file;
  }

  /** What an engine needs to be built with these. */
  async request(name: string): Promise<BuildRequest> {
    const directory = path.join(this.#folder, name.replace(/\W+/g, '-'));
    await mkdir(directory);
    return { kind: 'build', name, file: this.#path, dimension: this.#dimension, groups: this.#groups, directory };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return path.join(this.#folder, 'vectors.f32');
  }
}

/** An embedded engine in a process of its own; one question at a time. */
export class EnginePeer {
  readonly #process: ChildProcess;
  readonly #request: BuildRequest;
  readonly built: Built;

  private constructor(child: ChildProcess, request: BuildRequest, built: Built) {
    this.#process = child;
    this.#request = request;
    this.built = built;
  }

  static async build(request: BuildRequest): Promise<EnginePeer> {
    const child = fork(path.join(folder, 'engine-process.ts'), { serialization: 'advanced', env: { ...process.env, LANCE_LOG: 'error' } });
    try {
      return new EnginePeer(child, request, (await ask(child, request)) as Built);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get name(): string {
    return this.#request.name;
  }

  async run(effort: number, queries: number[][], filter: ItemFilter, atOnce = 1): Promise<Sample> {
    const { dimension } = this.#request;
    const flat = new Float32Array(queries.length * dimension);
    for (const [turn, query] of queries.entries()) flat.set(query, turn * dimension);
    const request: SearchRequest = { kind: 'search', queries: flat, dimension, effort, group: filter.group, atOnce };
    const { rows, times, seconds, cpu } = (await ask(this.#process, request)) as Searched;
    return { answers: rows.map((each) => ({ rows: each, exact: this.built.effort === undefined })), times, seconds, cpu };
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}

function ask(child: ChildProcess, request: BuildRequest | SearchRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void => reject(new Error(`its process ended with ${code ?? signal}`));
    if (child.exitCode !== null || child.signalCode !== null) return ended(child.exitCode, child.signalCode);
    child.once('exit', ended);
    child.once('message', ({ value, error }: { value?: unknown; error?: string }) => {
      child.off('exit', ended);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    child.send(request);
  });
}
