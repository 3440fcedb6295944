/** What the service says of each picture, for the labels as they stand now. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CallParts } from '../../client/index.js';
import type { ClassifyResponse } from '../../contract/classify.js';
import { askInBatches } from '../items/ask-in-batches.js';
import type { Chosen } from '../items/chosen.js';
import { useSession } from '../shell/session.js';

export type Answer = ClassifyResponse['data'][number];

export interface Question {
  /** Two questions of the same have the same answers. */
  key: string;
  body: Omit<CallParts<'classify'>['body'], 'input'>;
}

export interface Answers {
  /** To the question that is asked now; undefined: not yet. */
  of: (one: Chosen) => Answer | undefined;
  /** Why there is none of this picture. */
  problemOf: (one: Chosen) => unknown;
  error?: unknown;
  isLoading: boolean;
  again: () => void;
}

const mostKept = 2_000;

export function useAnswers(collection: string, question: Question | undefined, chosen: Chosen[]): Answers {
  const { client } = useSession();
  const kept = useRef(new Map<string, { answer?: Answer; problem?: unknown }>());
  const [state, setState] = useState<{ error?: unknown; isLoading: boolean; version: number }>({ isLoading: false, version: 0 });
  const [times, setTimes] = useState(0);
  const ready = chosen.filter(({ item, file }) => item ?? file);
  const keyOf = (one: Chosen): string => `${question?.key} ${one.key}`;

  useEffect(() => {
    if (!question) return setState((before) => ({ isLoading: false, version: before.version }));
    const leaving = new AbortController();
    const { signal } = leaving;
    const store = (one: Chosen, entry: { answer?: Answer; problem?: unknown }): void => {
      if (kept.current.size >= mostKept) kept.current.clear();
      kept.current.set(keyOf(one), entry);
      setState((before) => ({ ...before, version: before.version + 1 }));
    };
    const asked = ready.filter((one) => !kept.current.get(keyOf(one))?.answer);
    if (asked.length === 0) return setState((before) => ({ isLoading: false, version: before.version }));
    setState((before) => ({ isLoading: true, version: before.version }));
    askInBatches<Answer>(asked, {
      client,
      collection,
      signal,
      call: async (input) => (await client.classify({ ...question.body, input }, { signal })).data,
      onAnswer: (one, answer) => store(one, { answer }),
      onProblem: (one, problem) => signal.aborted || store(one, { problem }),
    }).then(
      () => signal.aborted || setState((before) => ({ isLoading: false, version: before.version })),
      (error: unknown) => signal.aborted || setState((before) => ({ error, isLoading: false, version: before.version })),
    );
    return () => leaving.abort();
  }, [client, collection, question?.key, ready.map(({ key }) => key).join('\n'), times]);

  return {
    of: (one) => kept.current.get(keyOf(one))?.answer,
    problemOf: (one) => one.problem ?? kept.current.get(keyOf(one))?.problem,
    error: state.error,
    isLoading: state.isLoading,
    again: () => setTimes((before) => before + 1),
  };
}
