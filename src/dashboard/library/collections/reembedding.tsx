import { useState } from 'preact/hooks';
import type { ReembedPlan } from '../../../contract/reembed.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction, useAsked } from '../asking.js';
import { useFigures } from '../figures.js';
import { RunningJob } from '../jobs/running-job.js';
import { useCollectionJob } from '../jobs/use-collection-job.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

/** To another model: first what it would mean, then how far it is. */
export function Reembedding({ collection, onChanged }: PartProps) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const { say } = useAnnouncements();
  const { count } = useFigures();
  const { name, reembedding } = collection;
  const models = useAsked((signal) => client.models({ signal }), [client]);
  const { run, isBusy, error } = useAction();
  const [model, setModel] = useState<string>();
  const [fromThumbnails, setFromThumbnails] = useState(false);
  const [skipImpossible, setSkipImpossible] = useState(false);
  const [plan, setPlan] = useState<ReembedPlan>();
  const { job, show } = useCollectionJob(name, 'reembed', onChanged);
  const others = (models.value ?? []).filter(({ self_test: { status } }) => status !== 'unusable');
  const target = model ?? others.find(({ id }) => id !== collection.model)?.id ?? others[0]?.id ?? '';
  const asked = { model: target, from_thumbnails: fromThumbnails, skip_impossible: skipImpossible };
  const forget = (): void => setPlan(undefined);

  const showPlan = (): void =>
    void run(async (signal) => {
      forget();
      const { plan: told } = await client.reembed(name, { ...asked, dry_run: true }, { signal });
      setPlan(told);
    });
  const begin = (what: Parameters<typeof client.reembed>[1]): void =>
    void run(async (signal) => {
      const { job: id, reembedding: begun } = await client.reembed(name, what, { signal });
      forget();
      if (id !== undefined) show(await client.job(id, { signal }));
      say(words.underWay(begun?.model ?? target, count(begun?.done ?? 0), count(begun?.total ?? 0)));
      onChanged();
    });
  const stop = (discard: boolean): void =>
    void run(async (signal) => {
      await client.stopReembedding(name, { discard, signal });
      if (job) show(await client.job(job.id, { signal }));
      onChanged();
    });

  return (
    <section class="card">
      <h4>{words.reembed}</h4>
      <p class="quiet">{words.reembedWhat}</p>
      {reembedding ? (
        <>
          <p role="status">{words[reembedding.state === 'running' ? 'underWay' : 'stopped'](reembedding.model, count(reembedding.done), count(reembedding.total))}</p>
          {reembedding.problem !== null && <p class="reason">{reembedding.problem}</p>}
          <RunningJob job={job} onChanged={(changed) => (show(changed), onChanged())} />
          <div class="actions">
            {reembedding.state === 'running' ? (
              <button type="button" disabled={isBusy} onClick={() => stop(false)}>
                {words.stop}
              </button>
            ) : (
              <button type="button" class="primary" disabled={isBusy} onClick={() => begin({})}>
                {words.goOn}
              </button>
            )}
            <button type="button" disabled={isBusy} onClick={() => stop(true)}>
              {words.discard}
            </button>
          </div>
        </>
      ) : (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            showPlan();
          }}
        >
          <label>
            <span>{words.toModel}</span>
            <select
              value={target}
              onChange={(event) => {
                setModel(event.currentTarget.value);
                forget();
              }}
            >
              {others.map(({ id }) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
          <Choice said={words.fromThumbnails} isChosen={fromThumbnails} onChange={(is) => (setFromThumbnails(is), forget())} />
          <Choice said={words.skipImpossible} isChosen={skipImpossible} onChange={(is) => (setSkipImpossible(is), forget())} />
          <div class="actions">
            <button type="submit" disabled={isBusy || target === ''}>
              {words.showPlan}
            </button>
          </div>
        </form>
      )}
      {plan && !reembedding && (
        <div class="plan" role="status">
          <p>{words.plan({ items: count(plan.items), model: plan.model, kept: count(plan.kept), thumbnails: count(plan.from_thumbnails), impossible: count(plan.impossible) })}</p>
          {plan.first_impossible.length > 0 && (
            <ul>
              {plan.first_impossible.map(({ id, reason }) => (
                <li key={id}>
                  <b>
                    <bdi>{id}</bdi>
                  </b>
                  : {reason}
                </li>
              ))}
            </ul>
          )}
          <button type="button" class="primary" disabled={isBusy} onClick={() => begin(asked)}>
            {words.begin}
          </button>
        </div>
      )}
      <Problem error={models.error} isRetried={models.isRetried} onAgain={models.again} />
      <Problem error={error} />
    </section>
  );
}

function Choice({ said, isChosen, onChange }: { said: string; isChosen: boolean; onChange: (is: boolean) => void }) {
  return (
    <label class="choice">
      <input type="checkbox" checked={isChosen} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{said}</span>
    </label>
  );
}
