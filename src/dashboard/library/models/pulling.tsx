import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { PullableModels, PullPlan } from '../../../contract/pull.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { given, useAction, useAsked } from '../asking.js';
import { useFigures } from '../figures.js';
import { RunningJob } from '../jobs/running-job.js';
import { useNewestJob } from '../jobs/use-collection-job.js';
import { usePullTexts } from './pull-words.js';
import { useModelTexts } from './words.js';

const variants = ['fp32', 'fp16', 'q8', 'q4', 'q4f16', 'bnb4'];

interface Wanted {
  id: string;
  folder?: string | undefined;
  variant?: string | undefined;
}

/** Models that the service can bring from the hub; where it may not, how else they come. */
export function Pulling({ onPulled }: { onPulled: () => void }) {
  const { client } = useSession();
  const words = usePullTexts();
  const { pull: otherwise } = useModelTexts();
  const { value, error, isRetried, again } = useAsked((signal) => client.pullableModels({ signal }), [client]);
  if (value?.allowed === false) return <p class="quiet">{otherwise}</p>;
  return (
    <section class="pulling">
      <h3>{words.heading}</h3>
      <p class="quiet">{words.hint}</p>
      <Problem error={error} isRetried={isRetried} onAgain={again} />
      {value && <Choice models={value.models} onPulled={onPulled} />}
    </section>
  );
}

function Choice({ models, onPulled }: { models: PullableModels['models']; onPulled: () => void }) {
  const { client } = useSession();
  const words = usePullTexts();
  const { say } = useAnnouncements();
  const { run, isBusy, error } = useAction();
  const [id, setId] = useState('');
  const [variant, setVariant] = useState('');
  const [looked, setLooked] = useState<{ wanted: Wanted; plan: PullPlan }>();
  const [lastAsked, setLastAsked] = useState<Wanted>();
  const { job, show } = useNewestJob({ kind: 'pull' }, ({ state, result }) => {
    if (state !== 'done') return;
    say(words.there((result?.['model'] as string | undefined) ?? ''));
    onPulled();
  });
  const outcome = useRef<HTMLDivElement>(null);
  // It comes below what was pressed.
  useEffect(() => {
    if (lastAsked) outcome.current?.scrollIntoView({ block: 'nearest' });
  }, [looked, error, isBusy, job?.id]);
  const look = (wanted: Wanted): void => {
    setLooked(undefined);
    setLastAsked(wanted);
    void run(async (signal) => {
      const { plan } = await client.pullModel({ ...given({ ...wanted }), dry_run: true }, { signal });
      setLooked({ wanted, plan });
    });
  };
  const begin = (accepts: boolean, replaces: boolean): void =>
    void run(async (signal) => {
      const { wanted, plan } = looked!;
      const { job: started } = await client.pullModel({ ...given({ ...wanted }), accept_license: accepts, replace: replaces }, { signal });
      setLooked(undefined);
      if (started) show(started);
      say(words.begun(plan.name));
    });
  return (
    <>
      <KnownModels models={models} isBusy={isBusy} onLook={(model) => look({ id: model.id, folder: model.folder, variant: variant || undefined })} />
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (id.trim() !== '') look({ id: id.trim(), variant: variant || undefined });
        }}
      >
        <label>
          <span>{words.other}</span>
          <input value={id} maxLength={400} autocomplete="off" spellcheck={false} onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <label>
          <span>{words.variant}</span>
          <select value={variant} onChange={(event) => setVariant(event.currentTarget.value)}>
            <option value="">{words.usual}</option>
            {variants.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <div class="actions">
          <button type="submit" disabled={isBusy || id.trim() === ''}>
            {words.look}
          </button>
        </div>
      </form>
      <div ref={outcome}>
        {isBusy && <p role="status">{words.looking}</p>}
        <Problem error={error} onAgain={lastAsked && (() => look(lastAsked))} />
        {looked && <Plan key={JSON.stringify(looked.wanted)} plan={looked.plan} isBusy={isBusy} onPull={begin} onDismiss={() => setLooked(undefined)} />}
        <RunningJob job={job} onChanged={show} />
      </div>
    </>
  );
}

type Known = PullableModels['models'][number];

function KnownModels({ models, isBusy, onLook }: { models: Known[]; isBusy: boolean; onLook: (model: Known) => void }) {
  const words = usePullTexts();
  const { count, bytes } = useFigures();
  const { columns } = words;
  const maybe = (value: number | null): string => (value === null ? '–' : count(value));
  return (
    <>
      <div class="known-models" role="region" aria-label={words.heading} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {(['model', 'license', 'size', 'pixels', 'imagenet', 'flickr'] as const).map((name) => (
                <th key={name} scope="col">
                  {columns[name]}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <tr key={`${model.id} ${model.folder}`}>
                <th scope="row" title={model.id}>
                  {model.title}
                </th>
                <td>
                  {model.license}
                  {model.must_be_accepted && <span class="quiet"> · {words.asksAgreement}</span>}
                </td>
                <td>{model.bytes === null ? '–' : words.about(bytes(model.bytes))}</td>
                <td>{maybe(model.image_size)}</td>
                <td>{maybe(model.imagenet)}</td>
                <td>{maybe(model.flickr)}</td>
                <td>
                  <button type="button" disabled={isBusy} aria-label={words.lookAt(model.title)} onClick={() => onLook(model)}>
                    {words.look}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="quiet">{words.figures}</p>
    </>
  );
}

/** What pulling it means, and what has to be agreed to. */
function Plan({ plan, isBusy, onPull, onDismiss }: { plan: PullPlan; isBusy: boolean; onPull: (accepts: boolean, replaces: boolean) => void; onDismiss: () => void }) {
  const words = usePullTexts();
  const { count, bytes } = useFigures();
  const [accepts, setAccepts] = useState(false);
  const [replaces, setReplaces] = useState(false);
  const heading = useId();
  const asksToReplace = plan.changes_embeddings || plan.mended.length > 0;
  if (plan.complete) return <p role="status">{words.complete(plan.name)}</p>;
  return (
    <form
      class="card pull-plan"
      aria-labelledby={heading}
      onSubmit={(event) => {
        event.preventDefault();
        onPull(accepts, replaces);
      }}
    >
      <p id={heading} role="status">
        <bdi>{plan.id}</bdi> → {words.plan(plan.name, count(plan.files), bytes(plan.bytes))} {plan.bytes_to_come < plan.bytes && words.toCome(bytes(plan.bytes_to_come))}
      </p>
      <p lang="en">{plan.license_text}</p>
      {plan.changes_embeddings && <p class="reason">{words.changes(plan.name)}</p>}
      {plan.mended.length > 0 && <p class="reason">{words.mended(plan.mended.join(', '))}</p>}
      {plan.must_be_accepted && <Agreement text={words.accept} isGiven={accepts} onChange={setAccepts} />}
      {asksToReplace && <Agreement text={words.replace} isGiven={replaces} onChange={setReplaces} />}
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy || (plan.must_be_accepted && !accepts) || (asksToReplace && !replaces)}>
          {words.pull}
        </button>
        <button type="button" onClick={onDismiss}>
          {words.dismiss}
        </button>
      </div>
    </form>
  );
}

function Agreement({ text, isGiven, onChange }: { text: string; isGiven: boolean; onChange: (isGiven: boolean) => void }) {
  return (
    <label class="choice">
      <input type="checkbox" checked={isGiven} onChange={(event) => onChange(event.currentTarget.checked)} />
      {text}
    </label>
  );
}
