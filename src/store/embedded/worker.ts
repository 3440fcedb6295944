import { parentPort, workerData } from 'node:worker_threads';
import { MixspaceError, toMixspaceError, type PlainError, traceOf } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import { EmbeddedStore } from './embedded-store.js';
import type { Call, Ping, Report, WorkerOptions } from './protocol.js';
import { now, sliceMs } from './time-slices.js';

const port = parentPort!;
const log: Log = (level, message, fields) => {
  try {
    port.postMessage({ kind: 'log', level, message, ...(fields ? { fields } : {}) } satisfies Report);
  } catch {
    port.postMessage({ kind: 'log', level, message } satisfies Report);
  }
};
/** Calls that are not answered yet, and of these those that were not begun, in their order. */
const open = new Set<number>();
const waiting: Call[] = [];

/** The log keeps the cause, which stays behind in this thread. */
function plainError(error: unknown): PlainError {
  const known = toMixspaceError(error);
  if (known.code === 'internal' || known.code === 'disk_full') {
    log('error', known.message, { cause: traceOf(error) });
  }
  return known.toPlain();
}

async function answer(store: EmbeddedStore, { call, method, parameters }: Call): Promise<void> {
  let result: unknown;
  let error: PlainError | undefined;
  try {
    result = await (store[method] as (...parameters: unknown[]) => Promise<unknown>).apply(store, parameters);
  } catch (thrown) {
    error = plainError(store.explain(thrown));
  }
  try {
    report(call, error ? { error } : { result });
  } catch (cause) {
    // What cannot be copied to the other thread: nested too deep, or no plain data.
    report(call, { error: plainError(new MixspaceError('internal', 'The answer cannot be handed over; the log says why.', { cause })) });
  }
  if (method === 'close') port.close();
}

function report(call: number, outcome: { result?: unknown } | { error: PlainError }): void {
  port.postMessage({ kind: 'answer', call, ...outcome } satisfies Report);
  open.delete(call);
}

/** Between messages that wait Node lets nothing else run, a thousand of them long: what has had a slice of work would never go on. */
function begin(store: EmbeddedStore): void {
  const began = now();
  for (let call = waiting.shift(); call; call = waiting.shift()) {
    void answer(store, call);
    if (now() - began > sliceMs) break;
  }
  if (waiting.length > 0) setImmediate(begin, store);
}

try {
  const store = new EmbeddedStore({ ...(workerData as WorkerOptions), log });
  port.on('message', (message: Call | Ping) => {
    if ('ping' in message) port.postMessage({ kind: 'alive', ping: message.ping, open: [...open] } satisfies Report);
    else {
      open.add(message.call);
      if (waiting.push(message) === 1) setImmediate(begin, store);
    }
  });
  // The next sign of life does not name the call, and whoever waits for it is told.
  port.on('messageerror', (error) => log('error', "A call did not reach the store's thread.", { cause: String(error) }));
  port.postMessage({ kind: 'opened' } satisfies Report);
} catch (error) {
  port.postMessage({ kind: 'opened', error: plainError(error) } satisfies Report);
}
