/** Answers that go on: server-sent events, as the HTML standard has them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import { failed, within } from './callbacks.js';

export interface ServerEvent {
  /** Without line ends, as is `id`. */
  event: string;
  id: string;
  /** Sent as JSON. */
  data: unknown;
}

const mostStreams = 500;
const retryAfterSeconds = 10;
/** Milliseconds between two signs of life: proxies close what is silent for a minute. */
const heartbeatMs = 15_000;
/** Milliseconds that a reader may take nothing, before it is cut off. */
const patienceMs = 60_000;
/** Milliseconds after which a browser that lost the stream comes back. */
const comeBackMs = 2_000;

/** Those of one server, and their end. */
export class EventStreams {
  readonly #log: Log;
  readonly #ending = new Set<() => void>();
  #isClosing = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get open(): number {
    return this.#ending.size;
  }

  /** The server closes: each is over with what was sent, and its reader may come back to the next one. */
  end(): void {
    this.#isClosing = true;
    for (const end of [...this.#ending]) end();
  }

  /**
   * Sends events as they come, until there are no more or the reader has gone. No more are asked for than it takes: a
   * reader who is slow has what it has not taken in the hands of whoever makes the events.
   * @param events Undefined: none will ever come.
   * @throws MixspaceError `overloaded`, `not_ready`.
   */
  async send(request: IncomingMessage, response: ServerResponse, events: AsyncIterable<ServerEvent> | undefined): Promise<void> {
    if (events === undefined) return void response.writeHead(204).end();
    if (this.#isClosing) throw new MixspaceError('not_ready', 'The service is stopping.', { retryAfter: retryAfterSeconds });
    if (this.open >= mostStreams) throw new MixspaceError('overloaded', `At most ${mostStreams} streams of events are open at once.`, { retryAfter: retryAfterSeconds });
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' });
    if (request.method === 'HEAD') return void response.end();
    response.write(`retry: ${comeBackMs}\n\n`);
    const iterator = events[Symbol.asyncIterator]();
    let end!: () => void;
    const over = new Promise<'over'>((resolve) => (end = () => resolve('over')));
    this.#ending.add(end);
    response.once('close', within(failed(this.#log), end));
    const heartbeat = setInterval(
      within(failed(this.#log), () => {
        if (!response.writableNeedDrain) response.write(':\n\n');
      }),
      heartbeatMs,
    );
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), over]);
        if (next === 'over' || next.done) break;
        if (!response.write(framed(next.value)) && (await Promise.race([this.#taken(response), over])) === 'over') break;
      }
      if (response.writableNeedDrain) response.destroy();
      else this.#over(response);
    } finally {
      clearInterval(heartbeat);
      this.#ending.delete(end);
    }
  }

  /** All is said. */
  #over(response: ServerResponse): void {
    response.end();
    if (response.closed) return;
    const late = setTimeout(
      within(failed(this.#log), () => response.destroy()),
      patienceMs,
    );
    response.once(
      'close',
      within(failed(this.#log), () => clearTimeout(late)),
    );
  }

  /** Resolves when the reader has taken what was sent; one that takes nothing is cut off. */
  #taken(response: ServerResponse): Promise<'taken'> {
    return new Promise((resolve) => {
      const late = setTimeout(
        within(failed(this.#log), () => response.destroy()),
        patienceMs,
      );
      const done = within(failed(this.#log), () => {
        clearTimeout(late);
        response.off('drain', done).off('close', done);
        resolve('taken');
      });
      response.on('drain', done).on('close', done);
    });
  }
}

function framed({ event, id, data }: ServerEvent): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
