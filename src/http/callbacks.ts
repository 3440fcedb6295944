import { traceOf } from '../errors.js';
import type { Log } from '../telemetry.js';

/**
 * A callback for an emitter, a stream or a timer. These are called from outside the request's path, where a throw would
 * end the process: what the callback throws goes to `refuse`, which takes it to the request's own error or the log.
 */
export function within<A extends unknown[]>(refuse: (error: unknown) => void, callback: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      refuse(error);
    }
  };
}

/** For a callback whose request has nothing to be told. */
export function failed(log: Log): (error: unknown) => void {
  return (error) => log('error', 'A callback failed.', { error: traceOf(error) });
}
