import { cHeapSettings } from '../c-heap.js';

/** Of Node 22.15, 23.11 and later. It does not return; the process keeps its id, its files and its parent. */
type Execve = (file: string, args: string[], environment: NodeJS.ProcessEnv) => never;

/**
 * Lets this process begin anew with the settings of the C heap, which are read at a process's beginning; where they are
 * set already, where this Node cannot, and where a parent talks to it through a channel, which does not outlive that, it
 * goes on as it is.
 */
export function beginAnewWithHeapSettings(): void {
  const { execve } = process as { execve?: Execve };
  if (process.platform !== 'linux' || !execve || process.connected || Object.keys(cHeapSettings).every((name) => name in process.env)) return;
  execve.call(process, process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { ...cHeapSettings, ...process.env });
}
