import { execFileSync } from 'node:child_process';

interface Entry {
  pid: number;
  parent: number;
  kilobytes: number;
}

/** Processes that a process has started, by `ps`. */
export function childrenOf(pid: number): number[] {
  return all().filter(({ parent }) => parent === pid).map((each) => each.pid);
}

/** Resident bytes of a process and of those it has started. Pages that they share count once for each. */
export function residentBytes(pid: number): number {
  return 1024 * all().filter((each) => each.pid === pid || each.parent === pid).reduce((sum, { kilobytes }) => sum + kilobytes, 0);
}

function all(): Entry[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number])
    .map(([pid, parent, kilobytes]) => ({ pid, parent, kilobytes }));
}
