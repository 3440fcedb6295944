/** MCP over HTTP (streamable, stateless): each request is served by itself, with the key that it brought. */
import { createMcpHandler } from '@modelcontextprotocol/server';
import { MixspaceClient } from '../client/index.js';
import { MixspaceError } from '../errors.js';
import { openAssistant } from './server.js';

export interface McpEndpointParts {
  /** Of the service itself, known once it listens. */
  url: () => string;
  mayWrite: boolean;
  report: (error: unknown) => void;
}

export interface McpEndpoint {
  /** `body`: its JSON, read already. @throws MixspaceError `invalid_request`. */
  answer: (request: Request, body: unknown) => Promise<Response>;
  /** Ends what would stay open for ever; what runs is finished. */
  close: () => void;
}

/** Streams of changes, of which there are none to tell: some clients open one all the same. */
const mostSubscriptions = 100;
/** Messages that the protocol of 2025-03-26 lets go together. */
const longestBatch = 20;

export function mcpEndpoint({ url, mayWrite, report }: McpEndpointParts): McpEndpoint {
  const closing = new AbortController();
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const authorization = requestInfo?.headers.get('authorization');
      const client = new MixspaceClient({ url: url(), retries: 0, ...(authorization ? { fetch: withAuthorization(authorization) } : {}) });
      return openAssistant({ client, mayWrite, report });
    },
    { maxSubscriptions: mostSubscriptions },
  );
  return {
    answer: async (request, body) => {
      if (Array.isArray(body) && body.length > longestBatch) throw new MixspaceError('invalid_request', `A batch has at most ${longestBatch} messages.`);
      const isSubscription = (body as { method?: unknown } | null | undefined)?.method === 'subscriptions/listen';
      return handler.fetch(isSubscription ? new Request(request, { signal: AbortSignal.any([request.signal, closing.signal]) }) : request, { parsedBody: body });
    },
    close: () => closing.abort(),
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
