/** What went wrong, for a model: a sentence, and what to do about it. */
import { MixspaceApiError, MixspaceUnreachableError } from '../client/index.js';
import { ArgumentProblem, type ToolResult } from './tool.js';

export const refusal = (sentence: string): ToolResult => ({ content: [{ type: 'text', text: sentence }], isError: true });

/** @returns undefined for a defect, which is no answer. */
export function problemOf(error: unknown): string | undefined {
  if (error instanceof ArgumentProblem || error instanceof MixspaceUnreachableError) return error.message;
  if (!(error instanceof MixspaceApiError)) return undefined;
  const field = error.param === null || error.message.includes(error.param) ? '' : ` (${error.param})`;
  return [`${error.message}${field}`, wayOut(error)].filter(Boolean).join(' ');
}

function wayOut({ status, retryAfter, message }: MixspaceApiError): string {
  if (status === 401) return 'Whoever set up this MCP server has to give it a key of the service: as the header Authorization: Bearer KEY, or for mixspace mcp as MIXSPACE_API_KEY.';
  if (status === 403) return 'The key of this MCP server does not allow it: do not try again, tell the user.';
  if (status === 404) return /collection/i.test(message) ? 'list_collections tells which there are.' : '';
  if (status === 429 || status === 503) return `Try again in ${Math.max(1, Math.ceil(retryAfter ?? 1))} s.`;
  if (status === 507) return 'Searching goes on; nothing can be added until there is room.';
  return '';
}
