import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunningServer } from '../server.js';

/** What an answer waited for, as the kernel saw it. */
export interface FlushTrace {
  /** Files below the index directory that were written before the answer and not flushed before it. */
  unflushed: string[];
  /** Files that were written and flushed. */
  flushed: string[];
  answered: boolean;
  /** The system calls in question, in their order. */
  lines: string[];
}

/** Why system calls cannot be traced here, in a sentence; `undefined` when they can. */
export function whyNoTrace(): string | undefined {
  const watched = spawn('sleep', ['5']);
  const { error, stderr } = spawnSync('strace', ['-o', '/dev/null', '-p', String(watched.pid)], { encoding: 'utf8', timeout: 500 });
  watched.kill();
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return 'strace is missing; it is a package of that name in every distribution.';
  return /attached/.test(stderr) ? undefined : `strace may not look at another process (that takes root, or a ptrace_scope of 0): ${stderr.trim()}`;
}

/** Records what the service writes and flushes while `request` runs, up to its answer. */
export async function traceFlush(server: RunningServer, request: () => Promise<unknown>): Promise<FlushTrace> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mixspace-strace-'));
  const output = path.join(directory, 'trace');
  try {
    const calls = 'trace=fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64';
    const strace = spawn('strace', ['-f', '-y', '-s', '16', '-e', calls, '-e', 'signal=none', '-o', output, '-p', String(server.process.pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(strace, 'close');
    const [attached] = (await Promise.race([once(strace.stderr, 'data'), ended])) as [unknown];
    if (!/attached/.test(String(attached))) throw new Error(`strace did not attach to the service: ${String(attached)}`);
    await request();
    strace.kill('SIGINT');
    await ended;
    return judge((await readFile(output, 'utf8')).split('\n'), server.indexDir);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const flush = /^(\d+) +f(?:data)?sync\(\d+<([^>]+)>/;
const write = /^(\d+) +p?write(?:v|64)?\(\d+<(\/[^>]+)>/;
const answer = /^\d+ +(?:write|writev|sendto|sendmsg)\(\d+<(?:socket|TCP)[^>]*>.*"HTTP\/1\.1 2\d\d/;
const flushEnded = /^(\d+) +<\.\.\. f(?:data)?sync resumed>.*= 0$/;

function judge(trace: string[], indexDir: string): FlushTrace {
  const unflushed = new Set<string>();
  const flushed = new Set<string>();
  /** By thread: what a flush that has begun will have flushed. */
  const flushing = new Map<string, string>();
  const lines: string[] = [];
  // The mark may lie behind the database, never before it: it is flushed within a second.
  const isOurs = (file: string): boolean => file.startsWith(`${indexDir}/`) && file !== `${indexDir}/mixspace.mark`;
  const ended = (file: string): void => {
    if (unflushed.delete(file)) flushed.add(file);
  };

  for (const line of trace) {
    const [, writer, written] = write.exec(line) ?? [];
    const [, flusher, target] = flush.exec(line) ?? [];
    const [, waiter] = flushEnded.exec(line) ?? [];
    if (writer !== undefined && isOurs(written!)) {
      unflushed.add(written!);
      // A write during a flush may have come too late for it.
      for (const [thread, file] of flushing) if (file === written) flushing.delete(thread);
    } else if (flusher !== undefined && isOurs(target!)) {
      if (/= 0$/.test(line)) ended(target!);
      else flushing.set(flusher, target!);
    } else if (waiter !== undefined && flushing.has(waiter)) {
      ended(flushing.get(waiter)!);
      flushing.delete(waiter);
    } else if (answer.test(line)) {
      return { unflushed: [...unflushed], flushed: [...flushed], answered: true, lines: [...lines, line] };
    } else {
      continue;
    }
    lines.push(line);
  }
  return { unflushed: [...unflushed], flushed: [...flushed], answered: false, lines };
}
