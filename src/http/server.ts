import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MixspaceError } from '../errors.js';
import { createApp, type AppParts } from './app.js';

export interface HttpServer {
  url: string;
  /** Stops accepting, lets what runs finish, and cuts what is not done after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** @throws MixspaceError `conflict`: the port is in use. */
export async function listen(parts: AppParts): Promise<HttpServer> {
  const { host, port } = parts.config;
  const server: Server = createServer(createApp(parts));
  // A slow upload of a large body is legitimate; a header that never ends is not.
  server.requestTimeout = 600_000;
  server.headersTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new MixspaceError('conflict', `Port ${port} on ${host} is in use by another process; --port takes another one.`));
      else if (error.code === 'EACCES') reject(new MixspaceError('forbidden', `Port ${port} on ${host} may not be used by this user.`));
      else reject(new MixspaceError('invalid_request', `Cannot listen on ${host}:${port} (${error.code}).`));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${shown}:${address.port}`,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        // A connection kept alive falls idle only when its last answer is out.
        const idle = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearTimeout(cut);
          clearInterval(idle);
          resolve();
        });
      }),
  };
}
