/** MCP over stdin and stdout, for a host that starts its servers itself. Nothing else is written to stdout. */
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { openAssistant, type AssistantParts } from './server.js';

/** Bytes of one message: it may hold a picture of 50 MB as base64. */
const longestMessage = 72_000_000;

/** Until stdin ends. */
export function serveOverStdio(parts: AssistantParts): void {
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: longestMessage });
  serveStdio(() => openAssistant(parts), { transport, onerror: (error) => parts.report(error) });
}
