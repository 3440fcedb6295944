/** The job that looks for duplicates, as a tool's result and as a task. */
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import type { Duplicates } from '../contract/duplicates.js';
import type { Job } from '../contract/jobs.js';
import type { TaskHandle, ToolResult } from './tool.js';

export const usualGroups = 20;
/** Milliseconds. */
const pollInterval = 1_000;

export const isOpen = ({ state }: Job): boolean => state === 'waiting' || state === 'running' || state === 'paused';

/** A task is its job, by the same id: any instance of the service that knows the one can tell the other. */
export function taskOf(job: Job): { taskId: string; status: 'working' | 'completed' | 'cancelled'; statusMessage: string; createdAt: string; lastUpdatedAt: string; ttlMs: null; pollIntervalMs: number } {
  return {
    taskId: job.id,
    status: isOpen(job) ? 'working' : job.state === 'cancelled' ? 'cancelled' : 'completed',
    statusMessage: progressOf(job),
    createdAt: job.created_at,
    lastUpdatedAt: job.ended_at ?? new Date().toISOString(),
    ttlMs: null,
    pollIntervalMs: pollInterval,
  };
}

export const handleOf = (job: Job): TaskHandle => ({ resultType: 'task', ...taskOf(job), status: 'working' });

/** What a job that has ended found out, or how far it is. */
export async function resultOf(client: MixspaceClient, job: Job, { signal, ...query }: { limit?: number; cursor?: string; signal: AbortSignal }): Promise<ToolResult> {
  const { id, state, problem } = job;
  const told = { state, job };
  if (state === 'failed' || state === 'cancelled') return { content: [{ type: 'text', text: `Job ${id} ${state === 'failed' ? 'failed' : 'was cancelled'}${problem ? `: ${problem}` : '.'}` }], structuredContent: told, isError: true };
  if (isOpen(job)) return { content: [{ type: 'text', text: `Job ${id} is ${progressOf(job)}. Call find_duplicates again with job "${id}"${state === 'paused' ? ' when somebody has let it go on' : ''}.` }], structuredContent: told };
  const duplicates = await client.duplicates(job.collection!, { limit: usualGroups, ...query }, { signal });
  // The latest findings alone are kept.
  if (duplicates.job !== id) throw new MixspaceApiError(`Job ${id} is over, and job ${duplicates.job} has looked since: ask for that one.`, { status: 409, code: 'conflict' });
  return { content: [{ type: 'text', text: sentenceOf(duplicates) }], structuredContent: { ...told, duplicates } };
}

const progressOf = ({ state, done, total }: Job): string => `${state}: ${done}${total === undefined ? '' : ` of ${total}`} items so far`;

function sentenceOf({ groups, total, superfluous, items, next_cursor }: Duplicates): string {
  const lines = groups.map(({ id, size, mirrored, items: shown }) => `${id}: ${shown.map((each) => `${each.id} (${each.keep ? 'keep' : `${each.evidence} ${each.similarity.toFixed(3)}`})`).join(', ')}${size > shown.length ? ` and ${size - shown.length} more` : ''}${mirrored ? '; mirror images' : ''}`);
  return [total === 0 ? `No duplicates among ${items} items.` : `${total} ${total === 1 ? 'group' : 'groups'}, ${superfluous} superfluous of ${items} items${next_cursor === undefined ? '' : '; more with next_cursor and this job'}.`, ...lines].join('\n');
}
