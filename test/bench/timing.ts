import { readFileSync } from 'node:fs';

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** The value that the share `p` of all does not exceed. */
export function percentile(values: number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? NaN;
}

export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;

/** Runs `work` for every value, with at most `width` under way. */
export async function inFlight<T>(values: Iterable<T>, width: number, work: (value: T) => Promise<void>): Promise<void> {
  const waiting = values[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Seconds of CPU that this process and its threads spend while a work runs. */
export class CpuMeter {
  seconds = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    this.seconds += (user + system) / 1e6;
    return result;
  }
}

/** The kernel counts a process's CPU in hundredths of a second, whatever its own clock is. */
const ticks = 100;

/** Seconds of CPU that a process and its threads have spent, its children apart. Linux alone tells it. */
export function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = text.slice(text.lastIndexOf(')') + 2).split(' ').slice(11);
  return (Number(user) + Number(system)) / ticks;
}

/** Units a second of both, in each round; who goes first changes from round to round, so that what else the machine does falls on both. */
export async function alternate(rounds: number, count: number, ours: (round: number) => Promise<unknown>, theirs: (round: number) => Promise<unknown>): Promise<Contest> {
  const contest: Contest = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    const turns = [async () => contest.ours.push(count / (await seconds(() => ours(round)))), async () => contest.theirs.push(count / (await seconds(() => theirs(round))))];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return contest;
}

export interface Contest {
  ours: number[];
  theirs: number[];
}

/** The median of the rounds' own ratios, and the lowest and highest of them. */
export function ratioOf({ ours, theirs }: Contest): string {
  const ratios = ours.map((our, round) => our / theirs[round]!);
  return `ratio ${median(ratios).toFixed(3)} (of ${ratios.length} rounds ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)})`;
}
