/** Calls of a server in the same process, by connections in memory: nothing listens, and nobody else can come in. */
import { Agent, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { duplexPair, Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers that have no body, whatever the stream says. */
const bodiless = [204, 205, 304];

export interface InProcess {
  fetch: typeof fetch;
  /** Cuts what is still under way; further calls reject, as where nobody listens. */
  close(): void;
}

export function inProcess(server: Server): InProcess {
  const open = new Set<Duplex>();
  let closed = false;
  const agent = new MemoryAgent(() => {
    const [near, far] = duplexPair().map(asSocket);
    for (const end of [near!, far!]) {
      const forget = (): unknown => open.delete(end);
      open.add(end);
      end.once('close', forget);
    }
    server.emit('connection', far);
    return near!;
  });
  return {
    fetch: async (input, init) => {
      if (closed) throw new TypeError('The service is closed.');
      return answerTo(agent, new Request(input, init));
    },
    close: () => {
      closed = true;
      for (const each of open) each.destroy();
    },
  };
}

class MemoryAgent extends Agent {
  constructor(readonly connect: () => Duplex) {
    super();
  }
  override createConnection(): Duplex {
    return this.connect();
  }
}

/** What is asked of a socket, as of one of this machine; a memory needs no timeouts. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  return Object.assign(stream, { remoteAddress: '127.0.0.1', setTimeout: same, setNoDelay: same, setKeepAlive: same, ref: same, unref: same });
}

async function answerTo(agent: Agent, asked: Request): Promise<Response> {
  const { pathname, search, host } = new URL(asked.url);
  const sent = httpRequest({ agent, method: asked.method, path: pathname + search, headers: { ...Object.fromEntries(asked.headers), host }, signal: asked.signal });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject));
  answered.catch(() => undefined);
  if (asked.body) await pipeline(Readable.fromWeb(asked.body), sent).catch(() => answered);
  else sent.end();
  const message = await answered;
  const status = message.statusCode!;
  const headers = new Headers(Object.entries(message.headersDistinct).flatMap(([name, values]) => (values ?? []).map((value): [string, string] => [name, value])));
  if (bodiless.includes(status)) message.resume();
  return new Response(bodiless.includes(status) ? null : Readable.toWeb(message), { status, statusText: message.statusMessage ?? '', headers });
}
