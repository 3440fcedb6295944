import { useState } from 'preact/hooks';
import { TilesChoice } from './tiles-choice.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { useFigures } from '../figures.js';
import { useOutcome } from '../jobs/outcome.js';
import { RunningJob } from '../jobs/running-job.js';
import { useCollectionJob } from '../jobs/use-collection-job.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

const fieldsIn = (text: string): string[] => text.split(',').map((field) => field.trim()).filter((field) => field !== '');

/** What of a collection can be changed while it is used. */
export function Settings({ collection, onChanged }: PartProps) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const { say } = useAnnouncements();
  const figures = useFigures();
  const { run, isBusy, error } = useAction();
  const [tiles, setTiles] = useState(collection.tiles);
  const [fields, setFields] = useState(collection.text_fields.join(', '));
  const { job, show } = useCollectionJob(collection.name, 'tiles', onChanged);
  const outcome = useOutcome(job ?? { kind: 'tiles' }, figures);
  const wanted = fieldsIn(fields);
  const isChanged = tiles !== collection.tiles || wanted.join('\0') !== collection.text_fields.join('\0');
  const save = (): void =>
    void run(async (signal) => {
      const patched = await client.patchCollection(collection.name, { ...(tiles === collection.tiles ? {} : { tiles }), text_fields: wanted }, { signal });
      if (patched.job !== undefined) show(await client.job(patched.job, { signal }));
      say(patched.job === undefined ? words.saved : `${words.saved} ${words.cutting}`);
      onChanged();
    });
  return (
    <section class="card">
      <h4>{words.settings}</h4>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <TilesChoice tiles={tiles} onTiles={setTiles} />
        <label>
          <span>{words.textFields}</span>
          <input value={fields} spellcheck={false} autocomplete="off" onInput={(event) => setFields(event.currentTarget.value)} />
          <small>{words.textFieldsWhat}</small>
        </label>
        <div class="actions">
          <button type="submit" disabled={isBusy || !isChanged}>
            {words.save}
          </button>
        </div>
      </form>
      <Problem error={error} />
      <RunningJob job={job} onChanged={show} />
      {job?.state === 'done' && outcome !== undefined && <p class="outcome quiet">{outcome}</p>}
    </section>
  );
}
