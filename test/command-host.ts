/** One process for many command lines of mixspace: what each of them loads is most of what it costs. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import path from 'node:path';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Those that hold a directory, or have a thread of their own, have a process of their own. */
const alone = ['serve', 'check', 'restore'];

const seen = new Set<string>();
let host: ChildProcess | undefined;
let isBusy = false;

/** The first of each command shows that its process ends by itself, and those side by side wait for each other. */
export function mayShareProcess([command = '', second = '']: string[]): boolean {
  const name = ['models', 'classifiers', 'jobs'].includes(command) ? `${command} ${second}` : command;
  const isFirst = !seen.has(name);
  seen.add(name);
  return !isFirst && !isBusy && !alone.includes(command);
}

export async function runInHost(args: string[], env: Record<string, string>): Promise<Ran> {
  host ??= start();
  const child = host;
  isBusy = true;
  const mark = randomUUID();
  const told = Promise.all([child.stdout!, child.stderr!].map((stream) => untilMark(stream as Socket, mark)));
  const code = await new Promise<number | null>((resolve) => {
    const ended = (status: number | null): void => resolve(status);
    child.once('close', ended);
    child.once('message', (answer) => {
      child.off('close', ended);
      resolve((answer as { code: number }).code);
    });
    child.send({ args, env, mark });
  });
  const [stdout, stderr] = (await told) as [string, string];
  isBusy = false;
  return { code, stdout, stderr };
}

/** It ends with whoever started it, and holds nobody up. */
function start(): ChildProcess {
  const child = fork(path.join(import.meta.dirname, 'command-host.mjs'), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.once('exit', () => (host = undefined));
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).setEncoding('utf8').unref();
  return child;
}

/** What comes before it, or until the end. */
function untilMark(stream: Socket, mark: string): Promise<string> {
  return new Promise((resolve) => {
    const chunks: string[] = [];
    let tail = '';
    const take = (chunk: string): void => {
      chunks.push(chunk);
      tail = (tail + chunk).slice(-mark.length);
      if (tail === mark) end();
    };
    const end = (): void => {
      stream.off('data', take).off('close', end);
      resolve(chunks.join('').replace(mark, ''));
    };
    stream.on('data', take).once('close', end);
  });
}
