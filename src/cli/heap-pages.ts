import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 10_000;
/** Bytes by which the process must have grown. */
const leastGrowth = 64 * 2 ** 20;
/** The share of time that the event loop may have been at work: the collection holds it for as long as the heap needs. */
const mostUtilization = 0.5;

/**
 * From now on gives memory back to the machine when a rush is over. Left alone a heap does so late, and from V8 12
 * (Node 22) on keeps the pages of what was collected, as many as it ever had, until a collection of last resort.
 */
export function giveHeapPagesBack(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  let least = process.memoryUsage.rss();
  let seen = performance.eventLoopUtilization();
  setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(seen);
    seen = performance.eventLoopUtilization();
    const resident = process.memoryUsage.rss();
    least = Math.min(least, resident);
    if (resident - least < leastGrowth || utilization > mostUtilization) return;
    collect({ type: 'major', flavor: 'last-resort' });
    // Buffers are freed a while after they are collected: what is left the next time is in use.
    least = Infinity;
  }, everyMs).unref();
}
