import { useState } from 'preact/hooks';
import { firstCollection } from '../../shell/address.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { useMayWrite } from '../../shell/own-key.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { Confirmation } from '../confirmation.js';
import { useFigures } from '../figures.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

export function Removal({ collection: { name, counts }, go, onChanged }: PartProps) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const { count } = useFigures();
  const { show } = useAnnouncements();
  const { run, isBusy, error } = useAction();
  const [isAsking, setAsking] = useState(false);
  const mayDelete = useMayWrite(name);
  const remove = async (): Promise<void> => {
    if (!(await run(async (signal) => void (await client.deleteCollection(name, { signal }))))) return;
    show({ text: words.removed(name) });
    onChanged();
    go({ collection: firstCollection, query: {} }, 'replace');
  };
  if (!mayDelete) return null;
  return (
    <div class="actions removal">
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {words.remove}
      </button>
      {isAsking && (
        <Confirmation title={words.removeTitle(name)} action={words.remove} typed={name} isBusy={isBusy} error={error} onConfirm={() => void remove()} onClose={() => setAsking(false)}>
          <p>{words.removeWhat(count(counts.total))}</p>
        </Confirmation>
      )}
    </div>
  );
}
