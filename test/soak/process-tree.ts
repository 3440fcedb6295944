import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Entry {
  pid: number;
  parent: number;
  kilobytes: number;
}

/** Resident bytes of a process and of those it has started. Pages that they share count once for each. */
export async function residentBytes(pid: number): Promise<number> {
  return 1024 * (await all()).filter((each) => each.pid === pid || each.parent === pid).reduce((sum, { kilobytes }) => sum + kilobytes, 0);
}

async function all(): Promise<Entry[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=']);
  const rows = stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
  return rows.map(([pid, parent, kilobytes]) => ({ pid, parent, kilobytes }));
}
