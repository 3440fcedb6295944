import { parentPort, workerData } from 'node:worker_threads';
import { toMixspaceError, type PlainError } from '../../errors.js';
import type { Store } from '../store.js';
import { EmbeddedStore } from './embedded-store.js';
import type { Call, Report, WorkerOptions } from './protocol.js';
import type { Log } from './settings.js';

const port = parentPort!;
const report = (message: Report, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
const log: Log = (level, message, fields) => report({ kind: 'log', level, message, ...(fields ? { fields } : {}) });

/** The log keeps the cause, which stays behind in this thread. */
function plainError(error: unknown): PlainError {
  const known = toMixspaceError(error);
  if (known.code === 'internal' || known.code === 'disk_full') {
    log('error', known.message, { cause: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  return known.toPlain();
}

async function answer(store: Store, { call, method, parameters }: Call): Promise<void> {
  try {
    const result = await (store[method] as (...parameters: unknown[]) => Promise<unknown>).apply(store, parameters);
    report({ kind: 'answer', call, result });
  } catch (error) {
    report({ kind: 'answer', call, error: plainError(error) });
  }
  if (method === 'close') port.close();
}

try {
  const store = new EmbeddedStore({ ...(workerData as WorkerOptions), log });
  port.on('message', (call: Call) => void answer(store, call));
  report({ kind: 'opened' });
} catch (error) {
  report({ kind: 'opened', error: plainError(error) });
}
