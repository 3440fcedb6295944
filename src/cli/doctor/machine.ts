/** Memory, and what the system lets a process have. */
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Config } from '../../config.js';
import type { Examined } from '../../encoder/examine.js';
import { plural, sizeOf } from '../print.js';
import { fail, ok, warn, type Finding } from './finding.js';

/** Resident memory without a model, measured with the bundled one and two workers: the service's process, and each worker. */
const serviceBytes = 130e6;
const workerBytes = 90e6;
/** What an inference takes beside the weights, of their size. */
const weightsFactor = 1.3;

/** `isRunning`: what a service needs, it has already. */
export function lookAtMemory({ workers, modelMemory }: Pick<Config, 'workers' | 'modelMemory'>, model: Examined | undefined, isRunning: boolean): Finding[] {
  const { text = 0, image = 0 } = model?.weightBytes ?? {};
  const towers = Math.min(modelMemory, weightsFactor * (text + workers * image));
  const needed = serviceBytes + workers * workerBytes + towers;
  const bound = boundBytes();
  const free = isRunning ? bound : Math.min(bound, process.platform === 'linux' ? process.availableMemory() : Math.max(freemem(), totalmem() / 2));
  const found = `${sizeOf(free)} ${isRunning ? 'in all' : 'free'}; ${plural(workers, 'worker')}${model ? ` with ${model.id}` : ''} take about ${sizeOf(needed)}.`;
  const mend = 'Take fewer workers (--workers, MIXSPACE_WORKERS), a smaller variant of the model (--variant fp16 or quantized), or give the machine or container more memory.';
  if (needed > bound) return [fail('memory', found, mend)];
  return [needed > free ? warn('memory', found, mend) : ok('memory', found)];
}

/** Of the machine, or of the container where that has a bound. */
function boundBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

export function lookAtProcessors({ workers, threads }: Pick<Config, 'workers' | 'threads'>): Finding {
  const cores = availableParallelism();
  const found = `${plural(workers, 'worker')} of ${plural(threads, 'thread')} on ${plural(cores, 'core')}.`;
  return workers * threads <= cores ? ok('processors', found) : warn('processors', found, 'Workers times threads should not exceed the cores: lower --workers or --threads.');
}

/** A service opens a file for each picture it reads, a socket for each client. */
const fewFiles = 256;
const enoughFiles = 1024;

export function lookAtOpenFiles(): Finding[] {
  const limit = softLimit();
  if (limit === undefined) return [];
  const found = `A process may open ${limit === Infinity ? 'any number of' : limit} files.`;
  const mend = 'Raise it: ulimit -n 65536 in the shell that starts the service, LimitNOFILE=65536 in a systemd unit, --ulimit nofile=65536 of docker run.';
  if (limit < fewFiles) return [fail('open files', found, mend)];
  return [limit < enoughFiles ? warn('open files', found, mend) : ok('open files', found)];
}

function softLimit(): number | undefined {
  try {
    const text = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return text === 'unlimited' ? Infinity : Number(text);
  } catch {
    return undefined;
  }
}
