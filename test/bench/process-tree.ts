import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpuSecondsOf } from './timing.js';

export interface ProcessMemory {
  name: string;
  /** Megabytes (2^20 bytes). */
  resident: number;
  /** What it shares with others counted by its share. */
  proportional: number;
}

/** What a service and the processes that it has started hold now. Linux alone tells it. */
export function memoryOfTree(service: number): ProcessMemory[] {
  return treeOf(service).flatMap(({ pid, name }) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const of = (field: string): number => Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)![1]) / 1024);
      return [{ name, resident: of('Rss'), proportional: of('Pss') }];
    } catch {
      // It has ended meanwhile, ps among them.
      return [];
    }
  });
}

/** Megabytes that a process held at most, so far. */
export function mostResident(pid: number): number {
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024);
}

/** Seconds of CPU that they have spent so far. */
export function cpuOfTree(service: number): number {
  return treeOf(service).reduce((sum, { pid }) => {
    try {
      return sum + cpuSecondsOf(pid);
    } catch {
      return sum;
    }
  }, 0);
}

export function total(all: ProcessMemory[], key: 'resident' | 'proportional'): number {
  return all.reduce((sum, each) => sum + each[key], 0);
}

function treeOf(service: number): { pid: number; name: string }[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const all = lines.map((line) => line.trim().split(/\s+/)).map(([pid, parent, ...args]) => ({ pid: Number(pid), parent: Number(parent), guard: args.at(-1) === 'mixspace-guard' }));
  const children = all.filter(({ parent }) => parent === service).map(({ pid, guard }) => ({ pid, name: guard ? 'guard' : 'encoder' }));
  return [{ pid: service, name: 'service' }, ...children];
}
