/** MCP over HTTP (streamable, stateless): each request is served by itself, with the key that it brought. */
import { createMcpHandler } from '@modelcontextprotocol/server';
import { MixspaceClient } from '../client/index.js';
import { MixspaceError } from '../errors.js';
import { openAssistant } from './server.js';

export interface McpEndpointParts {
  /** Of the service itself. */
  url: string;
  mayWrite: boolean;
  report: (error: unknown) => void;
}

/** `body`: its JSON, read already. @throws MixspaceError `invalid_request`. */
export type McpEndpoint = (request: Request, body: unknown) => Promise<Response>;

/** Messages that the protocol of 2025-03-26 lets go together. */
const longestBatch = 20;

export function mcpEndpoint({ url, mayWrite, report }: McpEndpointParts): McpEndpoint {
  // Nothing that is listed changes while the program runs: a stream of changes that a client opens is over at once.
  const handler = createMcpHandler(({ requestInfo }) => {
    const authorization = requestInfo?.headers.get('authorization');
    const client = new MixspaceClient({ url, retries: 0, ...(authorization ? { fetch: withAuthorization(authorization) } : {}) });
    return openAssistant({ client, mayWrite, report });
  });
  return async (request, body) => {
    if (Array.isArray(body) && body.length > longestBatch) throw new MixspaceError('invalid_request', `A batch has at most ${longestBatch} messages.`);
    return handler.fetch(request, { parsedBody: body });
  };
}

/** As it came: the service judges the key itself. */
function withAuthorization(authorization: string): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', authorization);
    return fetch(input, { ...init, headers });
  };
}
