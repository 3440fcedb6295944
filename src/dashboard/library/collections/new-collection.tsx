import { useEffect, useRef, useState } from 'preact/hooks';
import type { Collection } from '../../../contract/collections.js';
import { TilesChoice } from './tiles-choice.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { given, useAction, useAsked } from '../asking.js';
import { useCollectionTexts } from './words.js';

const originals: Collection['originals'][] = ['keep', 'thumbnail'];

export function NewCollection({ onClose, onCreated }: { onClose: () => void; onCreated: (name: string) => void }) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const { say } = useAnnouncements();
  const models = useAsked((signal) => client.models({ signal }), [client]);
  const { run, isBusy, error } = useAction();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [model, setModel] = useState<string>();
  const [kept, setKept] = useState<Collection['originals']>('keep');
  const [tiles, setTiles] = useState<Collection['tiles']>('none');
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const create = async (): Promise<void> => {
    const isMade = await run(async (signal) => void (await client.createCollection({ ...given({ name: name.trim(), description: description.trim() || undefined, model }), originals: kept, tiles }, { signal })));
    if (!isMade) return;
    say(words.created(name.trim()));
    onCreated(name.trim());
  };
  return (
    <form
      class="card fields"
      aria-label={words.newTitle}
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <label>
        <span>{words.name}</span>
        <input ref={box} required maxLength={64} pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" title={words.nameWhat} value={name} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
        <small>{words.nameWhat}</small>
      </label>
      <label>
        <span>{words.description}</span>
        <input value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
      </label>
      <label>
        <span>{words.facts.model}</span>
        <select value={model ?? models.value?.[0]?.id ?? ''} onChange={(event) => setModel(event.currentTarget.value)}>
          {models.value?.map(({ id, self_test: { status } }) => (
            <option key={id} value={id} disabled={status === 'unusable'}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.keepOriginals}</span>
        <select value={kept} onChange={(event) => setKept(event.currentTarget.value as Collection['originals'])}>
          {originals.map((each) => (
            <option key={each} value={each}>
              {words.originals[each]}
            </option>
          ))}
        </select>
      </label>
      <TilesChoice tiles={tiles} onTiles={setTiles} />
      <Problem error={models.error} isRetried={models.isRetried} onAgain={models.again} />
      <Problem error={error} />
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          {words.make}
        </button>
        <button type="button" onClick={onClose}>
          {words.dismiss}
        </button>
      </div>
    </form>
  );
}
