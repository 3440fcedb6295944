import { InferenceSession } from 'onnxruntime-node';
import type { SessionSettings } from '../protocol/messages.js';

// From Node 24 on there is an array of half-precision numbers, in which ONNX Runtime's JavaScript puts tensors, and which
// its native part refuses (1.30.0, Node 24.21). Where there is none, both take their bits.
delete (globalThis as { Float16Array?: unknown }).Float16Array;

export const plainSession: SessionSettings = { executionProviders: ['cpu'], threads: 1 };

export interface OpenSession {
  session: InferenceSession;
  executionProvider: string;
  /** Sentences: which other ones were asked for and why they are not used. */
  refused: string[];
}

/** A graph that is in no file, and the folder of the files in which it keeps weights. */
export interface LooseGraph {
  bytes: Uint8Array;
  folder: string;
}

/**
 * A session on the first execution provider that takes the graph, given by its file or itself. Each is tried alone: of a list,
 * ONNX Runtime drops some without a word, and others fail it although a later one would do.
 */
export async function openSession(graph: string | LooseGraph, { executionProviders, threads }: SessionSettings): Promise<OpenSession> {
  const refused: string[] = [];
  for (const executionProvider of executionProviders) {
    if (executionProvider === 'cpu') break;
    try {
      return { session: await createSession(graph, optionsFor(executionProvider, threads)), executionProvider, refused };
    } catch (error) {
      refused.push(`${executionProvider} cannot be used: ${(error as Error).message.split('\n')[0]!.slice(0, 300)}`);
    }
  }
  return { session: await createSession(graph, optionsFor('cpu', threads)), executionProvider: 'cpu', refused };
}

function createSession(graph: string | LooseGraph, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  if (typeof graph === 'string') return InferenceSession.create(graph, options);
  // onnxruntime_session_options_config_keys.h
  return InferenceSession.create(graph.bytes, { ...options, extra: { session: { model_external_initializers_file_folder_path: graph.folder } } });
}

function optionsFor(executionProvider: string, threads: number): InferenceSession.SessionOptions {
  return {
    executionProviders: [executionProvider],
    executionMode: 'sequential',
    // A block of memory for every number of inputs there has been.
    enableMemPattern: false,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  };
}
