import type { Command } from 'commander';
import { traceOf } from '../errors.js';
import { serveOverStdio } from '../mcp/stdio.js';
import { openClient } from './open-client.js';
import { serviceCommand, type ServiceFlags } from './options.js';
import { sayAside } from './print.js';

interface McpFlags extends ServiceFlags {
  writes?: true;
}

export function mcpCommand(): Command {
  return serviceCommand('mcp', 'be an MCP server over stdin and stdout, for assistants: they search, classify and look at what a service holds')
    .option('--writes', 'lets assistants add pictures and texts too')
    .action((flags: McpFlags) => {
      serveOverStdio({ client: openClient(flags, { retries: 0 }), mayWrite: flags.writes === true, report: (error) => sayAside(`mixspace: ${traceOf(error)}`) });
    });
}
