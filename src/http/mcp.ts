/** The MCP endpoint's place among the routes: its requests and answers are the web's own, and its errors JSON-RPC's. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request as ExpressRequest, RequestHandler } from 'express';
import { MixspaceError } from '../errors.js';
import type { McpEndpoint } from '../mcp/endpoint.js';
import type { Log } from '../telemetry.js';
import { readerPatienceMs } from './answers.js';
import { failed, within } from './callbacks.js';
import type { ErrorShape } from './errors.js';
import { uploadOf } from './uploads.js';

export function mcpRoute(endpoint: McpEndpoint, log: Log): RequestHandler {
  return async (request, response) => {
    const upload = uploadOf(request);
    upload?.hold();
    const leaving = new AbortController();
    response.on('close', within(failed(log), () => leaving.abort()));
    try {
      const answer = await endpoint(webRequest(request, leaving.signal), request.body);
      if (response.destroyed) return;
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      if (answer.body === null) return void response.end();
      response.setTimeout(readerPatienceMs, () => response.destroy());
      await pipeline(Readable.fromWeb(answer.body), response);
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
    } finally {
      upload?.release();
    }
  };
}

/** What JSON-RPC has numbers for; the rest is the server's own. */
const numbers: Partial<Record<MixspaceError['code'], number>> = { invalid_request: -32700, internal: -32603 };

/** What goes wrong before a message is understood belongs to none. */
export const rpcError: ErrorShape = ({ code, message }) => ({ jsonrpc: '2.0', id: null, error: { code: numbers[code] ?? -32000, message, data: { code } } });

export const postAlone: RequestHandler = (request, response) => {
  response.setHeader('Allow', 'POST');
  throw new MixspaceError('method_not_allowed', `${request.method} is not for this path: MCP is spoken by POST, without sessions.`);
};

/** Without its body, which has been read. */
function webRequest(request: ExpressRequest, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) for (const value of values ?? []) headers.append(name, value);
  return new Request(`http://${request.headers.host ?? 'localhost'}${request.originalUrl}`, { method: request.method, headers, signal });
}
