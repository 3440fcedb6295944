/** What a tool is, and how its arguments are read. */
import type { CallToolResult, CreateTaskResult, JSONObject, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { MixspaceClient } from '../client/index.js';

export type ToolResult = CallToolResult;
/** A task in place of a result: what is asked for goes on, and `tasks/get` tells it. */
export type TaskHandle = Omit<CreateTaskResult, 'task'> & { resultType: 'task' };

export interface CallContext {
  /** With the caller's own key: what that may not do, no tool can. */
  client: MixspaceClient;
  signal: AbortSignal;
  /** Whether whoever called understands tasks. */
  takesTasks: boolean;
  /** Where whoever called asked for it. `total`: unknown as long as it is left out. */
  progress: (done: number, total?: number) => Promise<void>;
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  annotations: ToolAnnotations;
  inputSchema: JSONObject;
  outputSchema: JSONObject;
  meta?: JSONObject;
  /** It changes what collections hold. */
  writes: boolean;
  /** @throws ArgumentProblem, and what the client throws. */
  call: (given: unknown, context: CallContext) => Promise<ToolResult | TaskHandle>;
}

/** Its message tells a model what to give instead. */
export class ArgumentProblem extends Error {
  override readonly name = 'ArgumentProblem';
}

interface ToolParts<I extends z.ZodType> {
  name: string;
  title: string;
  description: string;
  input: I;
  output: z.ZodType;
  meta?: JSONObject;
  /** What it does beyond reading; a tool that only reads leaves it out. */
  effect?: 'adds' | 'starts a job';
  run: (args: z.output<I>, context: CallContext) => Promise<ToolResult | TaskHandle>;
}

export function tool<I extends z.ZodType>({ input, output, effect, run, ...told }: ToolParts<I>): Tool {
  return {
    ...told,
    // Collections are a closed world; what `image` may name, the service's own rules for URLs bound.
    annotations: { title: told.title, readOnlyHint: effect === undefined, ...(effect && { destructiveHint: effect === 'adds', idempotentHint: true }), openWorldHint: false },
    inputSchema: schemaOf(input, 'input'),
    outputSchema: schemaOf(output, 'output'),
    writes: effect === 'adds',
    call: (given, context) => run(read(input, given), context),
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JSONObject {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io }) as JSONObject;
  return rest;
}

const mostIssues = 5;
/** Characters of what is told of them. */
const longestFault = 300;

function read<I extends z.ZodType>(schema: I, given: unknown): z.output<I> {
  const result = schema.safeParse(withoutNulls(given ?? {}));
  if (result.success) return result.data;
  const faults = result.error.issues.slice(0, mostIssues).map(({ path, message }) => `${path.length === 0 ? 'arguments' : path.join('.')}: ${message}`.slice(0, longestFault));
  throw new ArgumentProblem(`The arguments do not fit. ${faults.join('; ')}.`);
}

/** Models send null for what they mean to leave out. */
function withoutNulls(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}
