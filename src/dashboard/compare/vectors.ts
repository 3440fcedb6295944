/** Embeddings of the texts and the pictures, each asked for once for a model. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { decodeEmbedding } from '../../client/index.js';
import type { Collection } from '../../contract/collections.js';
import { askInBatches } from '../items/ask-in-batches.js';
import type { Chosen } from '../items/chosen.js';
import { useSession } from '../shell/session.js';

interface Vector {
  values?: Float32Array;
  /** Of a text that the model reads only in part. */
  isCut?: boolean;
  problem?: unknown;
}

export interface Vectors {
  ofText: (text: string) => Vector | undefined;
  ofPicture: (one: Chosen) => Vector | undefined;
  error?: unknown;
  isLoading: boolean;
  again: () => void;
}

const mostKept = 2_000;

/** Items of a collection of the same model have the embeddings that searches compare with; all else is embedded here. */
export function useVectors(model: string | undefined, collection: Collection | undefined, texts: string[], chosen: Chosen[]): Vectors {
  const { client } = useSession();
  const kept = useRef(new Map<string, Vector>());
  const [state, setState] = useState<{ error?: unknown; isLoading: boolean; version: number }>({ isLoading: false, version: 0 });
  const [times, setTimes] = useState(0);
  const ready = chosen.filter(({ item, file }) => item ?? file);
  const textKey = (text: string): string => `${model} text ${text}`;
  const pictureKey = (one: Chosen): string => `${model} ${one.key}`;

  useEffect(() => {
    if (model === undefined || collection === undefined) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const lacks = (key: string): boolean => kept.current.get(key)?.values === undefined;
    const wantedTexts = texts.filter((text) => lacks(textKey(text)));
    const wanted = ready.filter((one) => lacks(pictureKey(one)));
    if (wantedTexts.length + wanted.length === 0) return setState(({ version }) => ({ isLoading: false, version }));
    if (kept.current.size > mostKept) kept.current.clear();
    const store = (key: string, vector: Vector): void => {
      kept.current.set(key, vector);
      setState((before) => ({ ...before, version: before.version + 1 }));
    };
    const embed = async (input: Parameters<typeof client.embed>[0]['input']): Promise<Vector[]> => {
      const { data } = await client.embed({ model, input, encoding_format: 'base64' }, { signal });
      return data.map(({ embedding, truncated }) => ({ values: decodeEmbedding(embedding, 'base64'), ...(truncated ? { isCut: true } : {}) }));
    };
    const load = async (): Promise<void> => {
      if (wantedTexts.length > 0) {
        const found = await embed(wantedTexts.map((text) => ({ text })));
        wantedTexts.forEach((text, index) => store(textKey(text), found[index]!));
      }
      const stored = model === collection.model ? wanted.filter(({ item }) => item) : [];
      if (stored.length > 0) {
        const found = await client.itemEmbeddings(collection.name, stored.map(({ item }) => item!.id), { signal });
        const byId = new Map(found.filter(({ part }) => part === 0).map(({ id, embedding }) => [id, embedding]));
        for (const one of stored) if (byId.has(one.item!.id)) store(pictureKey(one), { values: byId.get(one.item!.id)! });
      }
      await askInBatches<Vector>(
        wanted.filter((one) => lacks(pictureKey(one))),
        { client, collection: collection.name, signal, call: embed, onAnswer: (one, vector) => store(pictureKey(one), vector), onProblem: (one, problem) => signal.aborted || store(pictureKey(one), { problem }) },
      );
    };
    setState(({ version }) => ({ isLoading: true, version }));
    load().then(
      () => signal.aborted || setState(({ version }) => ({ isLoading: false, version })),
      (error: unknown) => signal.aborted || setState(({ version }) => ({ error, isLoading: false, version })),
    );
    return () => leaving.abort();
  }, [client, model, collection?.name, collection?.model, texts.join('\n'), ready.map(({ key }) => key).join('\n'), times]);

  return {
    ofText: (text) => kept.current.get(textKey(text)),
    ofPicture: (one) => (one.problem === undefined ? kept.current.get(pictureKey(one)) : { problem: one.problem }),
    error: state.error,
    isLoading: state.isLoading,
    again: () => setTimes((before) => before + 1),
  };
}
