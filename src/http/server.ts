import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MixspaceError, traceOf } from '../errors.js';
import type { McpEndpoint } from '../mcp/endpoint.js';
import { createApp, type AppParts } from './app.js';
import { failed, within } from './callbacks.js';
import { EventStreams } from './event-streams.js';
import { attach } from './front.js';
import { inProcess, type InProcess } from './in-process.js';
import { messageClasses } from './message-classes.js';

/** More are closed as they come: each holds a file descriptor, and the store needs some too. */
const maxConnections = 4_000;

export interface HttpServer {
  url: string;
  /** Stops accepting, ends streams of events, lets what runs finish, and cuts what is not done after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface MadeServer {
  server: Server;
  /** Its streams of events, to be ended. */
  streams: EventStreams;
  /** Calls of it from this process. */
  memory: InProcess;
}

/** A server that answers on every connection it is given, and listens nowhere yet. */
export function makeServer(parts: AppParts): MadeServer {
  const { log } = parts.telemetry;
  const streams = new EventStreams(log);
  parts.keys.follow(log);
  let endpoint: Promise<McpEndpoint> | undefined;
  // Loaded by whoever calls it first: the protocol's schemas take a quarter of a second to make, and 8 MB.
  const mcp: McpEndpoint = async (request, body) => {
    endpoint ??= import('../mcp/endpoint.js').then(({ mcpEndpoint }) => mcpEndpoint({ fetch: (input, init) => memory.fetch(input, init), mayWrite: parts.config.mcpWrites, report: (error) => log('error', 'A call of an MCP tool failed.', { error: traceOf(error) }) }));
    return (await endpoint)(request, body);
  };
  const app = createApp(parts, { streams, mcp });
  const server: Server = createServer({
    ...messageClasses(app),
    // A slow upload of a large body is legitimate; a header that never ends is not.
    requestTimeout: 600_000,
    // Longer than a proxy's, and than a client may compute in between: whoever writes to a connection that is being closed meets a reset.
    keepAliveTimeout: 65_000,
    headersTimeout: 30_000,
    // How late the two may be.
    connectionsCheckingInterval: 5_000,
    // The app says it itself, with an error object.
    requireHostHeader: false,
  });
  server.maxConnections = maxConnections;
  attach(server, app, log);
  const memory = inProcess(server);
  return { server, streams, memory };
}

/** @throws MixspaceError `conflict`: the port is in use. */
export async function listen(parts: AppParts, made = makeServer(parts)): Promise<HttpServer> {
  const { host, port } = parts.config;
  const { log } = parts.telemetry;
  const { server, streams, memory } = made;
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') reject(new MixspaceError('conflict', `Port ${port} on ${host} is in use by another process; --port takes another one.`));
      else if (error.code === 'EACCES') reject(new MixspaceError('forbidden', `Port ${port} on ${host} may not be used by this user.`));
      else reject(new MixspaceError('invalid_request', `Cannot listen on ${host}:${port} (${error.code}).`));
    };
    server.once('error', within(reject, refuse));
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', within(failed(log), (error) => log('error', 'A connection cannot be accepted.', { error: error.message })));
  const address = server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${shown}:${address.port}`,
    close: (graceMs) =>
      new Promise((resolve) => {
        streams.end();
        parts.keys.close();
        const cut = setTimeout(within(failed(log), () => server.closeAllConnections()), graceMs);
        // A connection kept alive falls idle only when its last answer is out.
        const idle = setInterval(within(failed(log), () => server.closeIdleConnections()), 50);
        server.close(() => {
          clearTimeout(cut);
          clearInterval(idle);
          memory.close();
          resolve();
        });
      }),
  };
}
