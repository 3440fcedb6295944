import { cHeapSettings } from '../c-heap.js';

/** Of Node 22.15, 23.11 and later. It does not return; the process keeps its id, its parent and its standard streams. */
type Execve = (file: string, args: string[], environment: NodeJS.ProcessEnv) => never;

/**
 * Lets this process begin anew with the settings of the C heap, which are read at a process's beginning; where they are
 * set already, where this Node cannot, and where it was given a channel or other files, which do not outlive that, it goes
 * on as it is.
 */
export function beginAnewWithHeapSettings(): void {
  const { execve } = process as { execve?: Execve };
  if (process.platform !== 'linux' || !execve || process.connected || namesOpenFile() || Object.keys(cHeapSettings).every((name) => name in process.env)) return;
  execve.call(process, process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { ...cHeapSettings, ...process.env });
}

/** Such as a shell's `<(...)`. */
function namesOpenFile(): boolean {
  return [...process.argv, ...Object.values(process.env)].some((text) => /\/(dev|proc\/[^/]+)\/fd\//.test(text ?? ''));
}
