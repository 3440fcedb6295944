import { useCallback, useState } from 'preact/hooks';
import { batches, type MixspaceClient, type UploadFile } from '../../client/index.js';
import { sentenceOf } from '../shell/errors.js';

const batchFiles = 16;
const batchBytes = 8e6;

export interface Adding {
  total: number;
  done: number;
  added: number;
  running: boolean;
  failures: { name: string; reason: string }[];
}

/** Uploads pictures batch by batch, and says how far it is. */
export function useAdding(client: MixspaceClient, collection: string, onAdded: () => void): { adding: Adding | undefined; add: (files: File[]) => void; dismiss: () => void } {
  const [adding, setAdding] = useState<Adding>();
  const add = useCallback(
    async (files: File[]): Promise<void> => {
      if (files.length === 0) return;
      let state: Adding = { total: files.length, done: 0, added: 0, running: true, failures: [] };
      const show = (change: Partial<Adding>): void => setAdding((state = { ...state, ...change }));
      show({});
      for await (const batch of batches(files, ({ size }) => size, batchFiles, batchBytes)) {
        const uploads: UploadFile[] = batch.map((file) => ({ blob: file, name: file.name, source: file.webkitRelativePath || file.name }));
        try {
          const outcomes = await client.uploadItems(collection, uploads);
          const failures = outcomes.flatMap(({ error }, index) => (error ? [{ name: batch[index]!.name, reason: error.message }] : []));
          show({ added: state.added + outcomes.filter(({ status }) => status === 'created').length, failures: [...state.failures, ...failures] });
        } catch (error) {
          show({ failures: [...state.failures, ...batch.map(({ name }) => ({ name, reason: sentenceOf(error) }))] });
        }
        show({ done: state.done + batch.length });
      }
      show({ running: false });
      onAdded();
    },
    [client, collection, onAdded],
  );
  return { adding, add: (files) => void add(files), dismiss: () => setAdding(undefined) };
}

export function AddingPanel({ adding, onDismiss }: { adding: Adding; onDismiss: () => void }) {
  const { total, done, added, running, failures } = adding;
  const there = done - added - failures.length;
  return (
    <section class="panel" aria-label="Adding pictures" aria-live="polite">
      <p>
        {running ? `Adding pictures: ${done} of ${total}` : `${added} added${there > 0 ? `, ${there} already there` : ''}${failures.length > 0 ? `, ${failures.length} failed` : ''}.`}
      </p>
      {running ? (
        <progress max={total} value={done} />
      ) : (
        <button type="button" onClick={onDismiss}>
          Done
        </button>
      )}
      {failures.length > 0 && (
        <ul>
          {failures.map(({ name, reason }, index) => (
            <li key={index}>
              <b>{name}</b>: {reason}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
