/** Calls over several pictures, few at a time, in which one that cannot be read holds up no other. */
import { MixspaceApiError, type MixspaceClient } from '../../client/index.js';
import type { Input } from '../../contract/shared.js';
import { inputOf, type Chosen } from './chosen.js';

const most = 8;
const mostCharacters = 6_000_000;

export interface Asking<T> {
  client: MixspaceClient;
  collection: string;
  signal: AbortSignal;
  /** An answer for each input, in their order. */
  call: (inputs: Input[]) => Promise<T[]>;
  onAnswer: (one: Chosen, answer: T) => void;
  /** Of this one alone. */
  onProblem: (one: Chosen, error: unknown) => void;
}

/** @throws what concerns all of them. */
export async function askInBatches<T>(chosen: Chosen[], asking: Asking<T>): Promise<void> {
  let batch: { one: Chosen; input: Input }[] = [];
  let characters = 0;
  const send = async (): Promise<void> => {
    const sent = batch;
    batch = [];
    characters = 0;
    await ask(sent, asking);
  };
  for (const one of chosen) {
    const input = await inputOf(asking.client, asking.collection, one).catch((error: unknown) => void asking.onProblem(one, error));
    asking.signal.throwIfAborted();
    if (input === undefined) continue;
    const size = JSON.stringify(input).length;
    if (batch.length > 0 && (batch.length >= most || characters + size > mostCharacters)) await send();
    batch.push({ one, input });
    characters += size;
  }
  if (batch.length > 0) await send();
}

/** An answer that blames one input is asked for again without it. */
async function ask<T>(batch: { one: Chosen; input: Input }[], asking: Asking<T>): Promise<void> {
  let left = batch;
  while (left.length > 0) {
    try {
      const answers = await asking.call(left.map(({ input }) => input));
      asking.signal.throwIfAborted();
      left.forEach(({ one }, index) => asking.onAnswer(one, answers[index]!));
      return;
    } catch (error) {
      asking.signal.throwIfAborted();
      const blamed = error instanceof MixspaceApiError ? /^input(?:\[(\d+)\]|\b)/.exec(error.param ?? '') : null;
      const index = blamed ? Number(blamed[1] ?? 0) : -1;
      if (!left[index]) throw error;
      asking.onProblem(left[index].one, error);
      left = left.filter((_, place) => place !== index);
    }
  }
}
