/** The extension io.modelcontextprotocol/tasks: long work as a task that is asked for again. */
import { MissingRequiredClientCapabilityError, ProtocolError, ProtocolErrorCode, type Server, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import type { Job } from '../contract/jobs.js';
import { limits } from '../contract/limits.js';
import { isOpen, resultOf, taskOf } from './duplicates-job.js';
import { problemOf, refusal } from './problems.js';

export const tasksExtension = 'io.modelcontextprotocol/tasks';
const capabilities = 'io.modelcontextprotocol/clientCapabilities';

/** Said with each request: a client that does not say so would not understand a task for an answer. */
export function takesTasks({ mcpReq }: ServerContext): boolean {
  const { extensions } = (mcpReq.envelope as Record<string, { extensions?: Record<string, unknown> } | undefined> | undefined)?.[capabilities] ?? {};
  return extensions !== undefined && Object.hasOwn(extensions, tasksExtension);
}

const params = z.looseObject({ taskId: z.string().min(1).max(limits.jobIdLength) });

export function serveTasks(server: Server, client: MixspaceClient): void {
  server.setRequestHandler('tasks/get', { params }, async ({ taskId }, context) => {
    const { signal } = context.mcpReq;
    const job = await jobOf(client, taskId, context);
    const task = taskOf(job);
    if (isOpen(job) || task.status === 'cancelled') return task;
    const result = await resultOf(client, job, { signal }).catch((error: unknown) => {
      const problem = problemOf(error);
      if (problem === undefined) throw error;
      return refusal(problem);
    });
    return { ...task, result: { resultType: 'complete', ...result } };
  });
  server.setRequestHandler('tasks/cancel', { params }, async ({ taskId }, context) => {
    const job = await jobOf(client, taskId, context);
    if (isOpen(job)) await told(client.cancelJob(job.id, { signal: context.mcpReq.signal }));
    return {};
  });
  // No task here asks for anything.
  server.setRequestHandler('tasks/update', { params }, async ({ taskId }, context) => {
    await jobOf(client, taskId, context);
    return {};
  });
}

async function jobOf(client: MixspaceClient, id: string, context: ServerContext): Promise<Job> {
  if (!takesTasks(context)) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [tasksExtension]: {} } } });
  const job = await told(client.job(id, { signal: context.mcpReq.signal }));
  if (job.kind !== 'duplicates') throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no task ${id}.`);
  return job;
}

/** @throws ProtocolError with the API's sentence. */
export async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const problem = problemOf(error);
    if (problem === undefined) throw error;
    const isCallers = error instanceof MixspaceApiError && error.status < 500 && error.status !== 429;
    throw new ProtocolError(isCallers ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError, problem);
  }
}
