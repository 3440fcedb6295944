/** A copy of the working tree in which sources may be made wrong, and the tests run in it. */
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { repository } from '../server.js';
import { packedEntries } from '../../scripts/packed-entries.js';
import type { Mutation } from './mutation.js';

/** Shared with the working tree: large, and changed by nobody. */
const linked = new Set(['node_modules', 'models']);
const left = new Set(['.git', 'index', 'work-bench']);
/** Compiled to WebAssembly. */
const isKernel = (file: string): boolean => file.includes('/kernels/');
/** Milliseconds after which a run that does not end counts as failed. */
const patience = 240_000;

export interface TestRun {
  /** The first test that failed, or that the run did not end. */
  failed?: string;
  seconds: number;
}

export class Scratch {
  readonly #root: string;
  readonly #tree: string;
  /** Ends what runs. */
  #end = (): void => undefined;

  private constructor(root: string) {
    this.#root = root;
    this.#tree = path.join(root, 'tree');
  }

  static async make(): Promise<Scratch> {
    const scratch = new Scratch(await mkdtemp(path.join(tmpdir(), 'mixspace-mutation-')));
    // Some tests run the service as another user.
    await chmod(scratch.#root, 0o755);
    await mkdir(scratch.#tree);
    for (const name of await readdir(repository)) {
      if (left.has(name)) continue;
      const [from, to] = [path.join(repository, name), path.join(scratch.#tree, name)];
      if (linked.has(name)) await symlink(from, to);
      else await cp(from, to, { recursive: true });
    }
    const shared = path.resolve(repository, '../shared');
    if (existsSync(shared)) await symlink(shared, path.join(scratch.#root, 'shared'));
    // Of what is packed, a change of one file would not be seen.
    for (const entry of packedEntries) await scratch.#put(`src/${entry}.ts`, await readFile(path.join(scratch.#tree, `src/${entry}.ts`), 'utf8'));
    return scratch;
  }

  /** Runs `work` with the mutation in the sources and in what is compiled of them. */
  async with<T>(mutation: Mutation, work: () => Promise<T>): Promise<T> {
    const { file } = mutation;
    const source = path.join(this.#tree, file);
    const original = await readFile(source, 'utf8');
    await this.#put(file, mutated(original, mutation));
    try {
      return await work();
    } finally {
      await this.#put(file, original);
    }
  }

  async #put(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.#tree, file), text);
    if (isKernel(file)) return this.#compileKernels();
    const compiled = file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js');
    const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }, fileName: file });
    await writeFile(path.join(this.#tree, compiled), outputText);
  }

  async #compileKernels(): Promise<void> {
    const { code, output } = await this.#run('npm', ['run', '--silent', 'build:kernels']);
    if (code !== 0) throw new Error(`The kernels cannot be compiled:\n${output}`);
  }

  /** Until the first failure. */
  async test(files: string[]): Promise<TestRun> {
    const report = path.join(this.#root, 'report.json');
    await rm(report, { force: true });
    const began = performance.now();
    const { code, output, timedOut } = await this.#run(path.join(this.#tree, 'node_modules/.bin/vitest'), ['run', ...files, '--bail', '1', '--reporter=json', `--outputFile=${report}`]);
    const seconds = (performance.now() - began) / 1000;
    if (timedOut) return { failed: `did not end within ${patience / 1000} s`, seconds };
    if (code === 0) return { seconds };
    const told = await readFile(report, 'utf8').catch(() => undefined);
    if (told === undefined) throw new Error(`The tests cannot be run:\n${output.slice(-2000)}`);
    return { failed: firstFailure(JSON.parse(told) as Report, this.#tree), seconds };
  }

  /** In a process group of its own, of which nothing is left afterwards. */
  #run(command: string, args: string[]): Promise<{ code: number | null; output: string; timedOut: boolean }> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: this.#tree, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      let timedOut = false;
      const endGroup = (): void => {
        try {
          process.kill(-child.pid!, 'SIGKILL');
        } catch {
          // Nobody is left.
        }
      };
      this.#end = endGroup;
      const timer = setTimeout(() => {
        timedOut = true;
        endGroup();
      }, patience);
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('error', reject);
      child.once('exit', (code) => {
        clearTimeout(timer);
        endGroup();
        resolve({ code, output, timedOut });
      });
    });
  }

  async remove(): Promise<void> {
    this.#end();
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** @throws Error where the line does not stand there exactly once. */
export function mutated(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${name}: "${find}" stands ${parts.length - 1} times in ${file}, not once.`);
  return parts.join(replace);
}

interface Report {
  testResults: { name: string; status: string; message: string; assertionResults: { status: string; fullName: string }[] }[];
}

function firstFailure({ testResults }: Report, tree: string): string {
  for (const { name, status, message, assertionResults } of testResults) {
    const file = path.relative(tree, name);
    const failed = assertionResults.find((each) => each.status === 'failed');
    if (failed) return `${file}: ${failed.fullName}`;
    if (status === 'failed') return `${file}: before its tests (${message.split('\n')[0]!.slice(0, 120)})`;
  }
  return 'outside any test';
}
