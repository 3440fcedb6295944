import { useRef, useState } from 'preact/hooks';
import { keepRules, type DuplicateItem, type Duplicates, type KeepRule } from '../../../contract/duplicates.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { useMayWrite } from '../../shell/own-key.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { whereFound } from '../../shell/where-found.js';
import { given, useAction, useAsked } from '../asking.js';
import type { PartProps } from '../collections/part-props.js';
import { Confirmation } from '../confirmation.js';
import { When } from '../facts.js';
import { useFigures } from '../figures.js';
import { RunningJob } from '../jobs/running-job.js';
import { useCollectionJob } from '../jobs/use-collection-job.js';
import { deleteItems, type Deleted } from './deletion.js';
import { Group } from './group.js';
import { useDuplicateTexts } from './words.js';

const pageSize = 10;

/** What is nearly the same: looked for, looked at, and deleted where one wants that. */
export function DuplicatesPart({ collection: { name }, onChanged }: PartProps) {
  const { client } = useSession();
  const words = useDuplicateTexts();
  const { count } = useFigures();
  const { say, show: showNotice } = useAnnouncements();
  const [rule, setRule] = useState<KeepRule>('largest');
  const [threshold, setThreshold] = useState('');
  const [pages, setPages] = useState(1);
  const found = useAsked((signal) => whereFound('duplicates', { client, collection: name, signal }, () => load(pages, (cursor) => client.duplicates(name, given({ limit: pageSize, cursor }), { signal }))), [client, name]);
  const [further, setFurther] = useState<Duplicates>();
  const start = useAction();
  const more = useAction();
  const deletion = useAction();
  const mayDelete = useMayWrite(name);
  const [choices, setChoices] = useState<Record<string, boolean>>({});
  const summary = useRef<HTMLParagraphElement>(null);
  const [doomed, setDoomed] = useState<string[]>();
  const [sofar, setSofar] = useState<Deleted>();
  const refresh = (): void => {
    setFurther(undefined);
    found.again();
  };
  const { job, show } = useCollectionJob(name, 'duplicates', () => {
    setChoices({});
    setPages(1);
    refresh();
  });

  const shown = further ?? found.value?.found;
  const isKept = ({ id, keep }: DuplicateItem): boolean => choices[id] ?? keep;
  const groups = shown?.groups ?? [];
  const superfluous = groups.flatMap(({ mirrored, items }) => (mirrored ? [] : items.filter((item) => !isKept(item)).map(({ id }) => id)));
  const look = (): void =>
    void start.run(async (signal) => {
      show(await client.findDuplicates(name, given({ keep: rule, threshold: threshold.trim() === '' ? undefined : Number(threshold.replace(',', '.')) }), { signal }));
    });
  const showMore = (): void =>
    void more.run(async (signal) => {
      const page = await client.duplicates(name, given({ limit: pageSize, cursor: shown!.next_cursor }), { signal });
      setPages((before) => before + 1);
      setFurther({ ...page, groups: [...groups, ...page.groups] });
    });
  const remove = async (): Promise<void> => {
    const ids = doomed!;
    setSofar({ done: 0, failures: [] });
    let outcome: Deleted | undefined;
    await deletion.run(async (signal) => {
      outcome = await deleteItems(client, { collection: name, ids, signal }, setSofar);
    });
    setDoomed(undefined);
    if (outcome && outcome.done > 0) showNotice({ text: words.deleted(outcome.done) });
    else if (outcome) say(words.failed(outcome.failures.length));
    refresh();
    onChanged();
    // The button that asked may be gone with its group.
    summary.current?.focus();
  };
  const sentence = ({ total, mirrored, items, superfluous: couldGo, next_cursor: next }: Duplicates): string => {
    if (total + mirrored === 0) return words.none(count(items));
    if (groups.length === 0 && next === undefined) return words.nothingLeft;
    return words.found({ groups: total, said: count(total), items: count(items), superfluous: count(couldGo), mirrored });
  };

  return (
    <div class="duplicates">
      <p class="quiet">{words.what}</p>
      <form
        class="fields inline"
        onSubmit={(event) => {
          event.preventDefault();
          look();
        }}
      >
        <label>
          <span>{words.rule}</span>
          <select value={rule} onChange={(event) => setRule(event.currentTarget.value as KeepRule)}>
            {keepRules.map((each) => (
              <option key={each} value={each}>
                {words.rules[each]}
              </option>
            ))}
          </select>
        </label>
        <label title={words.thresholdWhat}>
          <span>{words.threshold}</span>
          <input inputMode="decimal" value={threshold} placeholder="0.9" onInput={(event) => setThreshold(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary" disabled={start.isBusy}>
          {words.look}
        </button>
      </form>
      <Problem error={start.error} />
      <RunningJob job={job} onChanged={show} />
      <Problem error={found.error} isRetried={found.isRetried} onAgain={found.again} />
      {!found.isLoading && !found.value && !found.error && <p class="quiet">{words.notYet}</p>}
      {shown && (
        <p ref={summary} role="status" tabIndex={-1}>
          {sentence(shown)}{' '}
          <span class="quiet">
            {words.when} <When time={shown.at} />
            {found.value?.isStale && `. ${words.stale}`}
          </span>
        </p>
      )}
      {sofar && sofar.failures.length > 0 && (
        <div class="panel problem" role="alert">
          <p>{words.failed(sofar.failures.length)}</p>
          <ul>
            {sofar.failures.map(({ id, reason }) => (
              <li key={id}>
                <bdi>{id}</bdi>: {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
      <Problem error={deletion.error} />
      {mayDelete && groups.length > 1 && superfluous.length > 0 && (
        <div class="actions">
          <button type="button" class="danger" disabled={deletion.isBusy} onClick={() => setDoomed(superfluous)}>
            {words.deleteAll(superfluous.length)}
          </button>
        </div>
      )}
      <ul class="cards">
        {groups.map((group) => (
          <Group key={group.id} collection={name} group={group} isKept={isKept} onKeep={(id, is) => setChoices((before) => ({ ...before, [id]: is }))} onDelete={setDoomed} isBusy={deletion.isBusy} />
        ))}
      </ul>
      {shown?.next_cursor !== undefined && (
        <button type="button" disabled={more.isBusy} onClick={showMore}>
          {words.more}
        </button>
      )}
      <Problem error={more.error} onAgain={showMore} />
      {doomed && (
        <Confirmation title={words.confirmTitle(doomed.length)} action={words.action} isBusy={deletion.isBusy} onConfirm={() => void remove()} onClose={() => (deletion.stop(), setDoomed(undefined))}>
          <p>{words.confirmWhat(doomed.length)}</p>
          {deletion.isBusy && sofar && (
            <p role="status">
              <progress max={doomed.length} value={sofar.done + sofar.failures.length} aria-label={words.deleting(sofar.done, doomed.length)} /> {words.deleting(sofar.done, doomed.length)}
            </p>
          )}
        </Confirmation>
      )}
    </div>
  );
}

/** As many pages as were shown, in one. */
async function load(pages: number, pageBehind: (cursor: string | undefined) => Promise<Duplicates>): Promise<Duplicates> {
  let all = await pageBehind(undefined);
  for (let page = 1; page < pages && all.next_cursor !== undefined; page++) {
    const next = await pageBehind(all.next_cursor);
    all = { ...next, groups: [...all.groups, ...next.groups] };
  }
  return all;
}
