import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { printableJson } from './printable.js';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** The one way to say something to the operator: a sentence, and fields beside it. */
export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void;

interface Labelled<L extends string> {
  labels: Record<L, string>;
  value: number;
}

export interface Telemetry {
  log: Log;
  registry: Registry;
  /** Seconds of one stage of a request (`decode`, `infer`, `store_search`, ...). */
  stage: (name: string, seconds: number) => void;
  request(labels: { method: string; route: string; status: number }, seconds: number): void;
  /** A value read when the metrics are. */
  gauge(name: string, help: string, read: () => number): void;
  /** Several values of one name, by their labels; none where they cannot be read. */
  gauges<L extends string>(name: string, help: string, labelNames: L[], read: () => Labelled<L>[] | Promise<Labelled<L>[]>): void;
  /** Returns what adds to it. */
  counter<L extends string>(name: string, help: string, labelNames: L[]): (labels: Record<L, string>, count: number) => void;
  close(): void;
}

/** Kept for when the log can be written again. */
const unwrittenLogBytes = 1_000_000;

const secondsBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

export function openTelemetry(options: { level: string }): Telemetry {
  const destination = logTo(process.stdout.fd);
  const logger = pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write: (line) => void destination.write(printableJson(line)) });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const stages = new Histogram({ name: 'mixspace_stage_seconds', help: 'Time of one stage of a request', labelNames: ['stage'], buckets: secondsBuckets, registers: [registry] });
  const requests = new Histogram({ name: 'mixspace_http_request_seconds', help: 'Time of a request, by route and status', labelNames: ['method', 'route', 'status'], buckets: secondsBuckets, registers: [registry] });

  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  new Gauge({
    name: 'mixspace_event_loop_lag_p99_seconds',
    help: '99th percentile of the event loop delay beyond the 10 ms the timer sleeps, since it was last read',
    registers: [registry],
    collect() {
      this.set(Math.max(0, delay.percentile(99) / 1e9 - 0.01));
      delay.reset();
    },
  });

  return {
    log: (level, message, fields = {}) => logger[level](fields, message),
    registry,
    stage: (name, seconds) => stages.observe({ stage: name }, seconds),
    request: (labels, seconds) => requests.observe({ ...labels, status: String(labels.status) }, seconds),
    gauge: (name, help, read) => {
      new Gauge({ name, help, registers: [registry], collect() { this.set(read()); } });
    },
    gauges: (name, help, labelNames, read) => {
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        async collect() {
          this.reset();
          const values = await Promise.resolve(read()).catch(() => []);
          for (const { labels, value } of values) this.set(labels, value);
        },
      });
    },
    counter: (name, help, labelNames) => {
      const counter = new Counter({ name, help, labelNames, registers: [registry] });
      return (labels, count) => counter.inc(labels, count);
    },
    close: () => delay.disable(),
  };
}

/** A log that cannot be written, its pipe closed or its disk full, is no reason to stop: what does not fit is left out. */
function logTo(fd: number): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ dest: fd, sync: false, maxLength: unwrittenLogBytes });
  let isWritable = true;
  destination.on('error', () => (isWritable = false));
  destination.on('write', () => (isWritable = true));
  // At the process's end it would try again for ever.
  const flush = destination.flushSync.bind(destination);
  destination.flushSync = () => {
    if (isWritable) flush();
  };
  return destination;
}
