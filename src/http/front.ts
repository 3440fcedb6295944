/** What comes before the app: requests that it could not route, and bytes that are no request. */
import { STATUS_CODES, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import { failed, within } from './callbacks.js';
import { errorBody, refuse, statusOf } from './errors.js';
import { mayTakeItsTime } from './uploads.js';

/** Milliseconds until a connection that was told what is wrong is cut, however much it still sends. */
const lingerMs = 1_000;

/** Every request, those that wait to be asked for their body included, goes to the app or is refused here. */
export function attach(server: Server, app: RequestListener, log: Log): void {
  const answers = new WeakMap<Socket, ServerResponse>();
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    answers.set(request.socket, response);
    const problem = problemOf(request);
    if (problem) refuse(request, response, problem);
    else app(request, response);
  };
  const guarded = (request: IncomingMessage, response: ServerResponse): void =>
    within((error) => {
      failed(log)(error);
      response.destroy();
    }, take)(request, response);
  // With listeners of their own, Node neither asks for a body nor refuses an expectation by itself.
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, guarded);
  server.on(
    'clientError',
    within(failed(log), (error: NodeJS.ErrnoException, socket: Socket) => {
      // Told once of each request, which goes on where nobody ends it.
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeItsTime(socket)) return;
      log('debug', 'What a connection sent is not HTTP that can be read.', { code: error.code });
      tell(socket, ofParser(error), answers.get(socket));
    }),
  );
}

function problemOf(request: IncomingMessage): MixspaceError | undefined {
  const { expect } = request.headers;
  if (expect !== undefined && request.httpVersion === '1.1' && !/^100-continue$/i.test(expect)) {
    return new MixspaceError('expectation_failed', 'The only expectation that is met is Expect: 100-continue.', { param: 'Expect' });
  }
  const target = request.url ?? '';
  if (target.startsWith('/')) return undefined;
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return new MixspaceError('invalid_request', 'The target of the request is no path.');
  // As a proxy gets it. Were another host taken than the one that is checked, the check would be none.
  const { host, pathname, search } = new URL(target);
  const given = request.headers.host ?? '';
  if (!URL.canParse(`http://${given}`) || new URL(`http://${given}`).host !== host) return new MixspaceError('invalid_request', 'The target of the request names another host than its Host.', { param: 'Host' });
  request.url = pathname + search;
  return undefined;
}

/** An error of Node's HTTP parser, or of a limit that the server keeps itself. */
function ofParser({ code }: NodeJS.ErrnoException): MixspaceError {
  if (code === 'HPE_HEADER_OVERFLOW') return new MixspaceError('headers_too_large', 'The line and the headers of a request are at most 16 kB.');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new MixspaceError('too_large', 'The extensions of a chunk are at most 16 kB.');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new MixspaceError('timeout', 'The request did not arrive in time.');
  return new MixspaceError('invalid_request', 'What was sent is not HTTP that can be read.');
}

/** The parser goes on reporting what else comes: the first report is answered, unless an answer is on its way already. */
function tell(socket: Socket, error: MixspaceError, answer: ServerResponse | undefined): void {
  if (socket.destroyed || socket.writableEnded) return;
  if (!socket.writable || (answer?.headersSent && !answer.writableFinished)) return void socket.destroy();
  const status = statusOf[error.code];
  const body = JSON.stringify(errorBody(error));
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n${body}`);
  setTimeout(cut, lingerMs, socket).unref();
}

function cut(socket: Socket): void {
  socket.destroy();
}
