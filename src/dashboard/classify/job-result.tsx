/** What a classified collection came to: how many of each label, what was taken for what, and a file of all. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../../contract/jobs.js';
import { csvOf, download, type CsvCell } from '../items/csv.js';
import { useFigures } from '../items/figures.js';
import { Picture, titleOf, type ShownItem } from '../items/picture.js';
import { hrefOf } from '../shell/address.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { ConfusionTable, type Confusion } from './confusion-table.js';
import { useClassifyTexts } from './words.js';

const labelsCounted = 50;
const picturesShown = 24;

interface JobResultProps {
  collection: string;
  job: Job;
  field: string;
  truth: string | undefined;
  onTake: (items: ShownItem[]) => void;
}

type Scalar = string | number | boolean | null;

interface Looked {
  title: string;
  /** Fields and what they are, all of them. */
  are: [field: string, value: Scalar][];
}

export function JobResult({ collection, job, field, truth, onTake }: JobResultProps) {
  const words = useClassifyTexts();
  const { count, wholeShare } = useFigures();
  const { client } = useSession();
  const [looked, setLooked] = useState<Looked>();
  const labelField = `${field}.label`;
  // A field with a comma in its name cannot be asked for.
  const counts = useLoaded(async (signal) => (field.includes(',') ? undefined : (await client.facets(collection, [labelField], { limit: labelsCounted }, { signal }))[labelField]), [client, collection, field]);
  const confusion = job.result?.['confusion'] as Confusion | undefined;
  const accuracy = job.result?.['accuracy'] as number | null | undefined;
  const nameOf = (label: string | null): string => label ?? words.noneOfThese;
  return (
    <div class="job-result">
      <p>{words.writtenTo(field)}</p>
      <Problem error={counts.error} onAgain={counts.again} />
      {counts.value && (
        <ul class="chips counts" aria-label={words.counts}>
          {counts.value.values.map(({ value, count: number }) => (
            <li key={String(value)}>
              <button type="button" class="small" aria-label={words.showPictures(nameOf(value as string | null), count(number))} onClick={() => setLooked({ title: nameOf(value as string | null), are: [[labelField, value]] })}>
                <bdi>{nameOf(value as string | null)}</bdi> <small>{count(number)}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
      {confusion && truth !== undefined && (
        <>
          <h3>{words.confusion}</h3>
          <p>
            {accuracy !== null && accuracy !== undefined && words.accuracyIs(wholeShare(accuracy))} {confusion.unknown > 0 && words.unknown(count(confusion.unknown))}
          </p>
          <ConfusionTable confusion={confusion} onCell={(row, column) => setLooked({ title: words.cellTitle(row, nameOf(column)), are: [[truth, row], [labelField, column]] })} />
        </>
      )}
      {looked && <LookedAt key={JSON.stringify(looked.are)} collection={collection} looked={looked} onTake={onTake} onClose={() => setLooked(undefined)} />}
      <Export collection={collection} field={field} truth={truth} />
    </div>
  );
}

function LookedAt({ collection, looked: { title, are }, onTake, onClose }: { collection: string; looked: Looked; onTake: JobResultProps['onTake']; onClose: () => void }) {
  const words = useClassifyTexts();
  const { client } = useSession();
  const found = useLoaded(async (signal) => (await client.itemPage(collection, { filter: Object.fromEntries(are), limit: picturesShown }, { signal })).items, [client, collection]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="looked panel">
      <h3 ref={heading} tabIndex={-1}>
        <bdi>{title}</bdi>
      </h3>
      <div class="actions">
        {found.value && found.value.length > 0 && (
          <button type="button" onClick={() => onTake(found.value!)}>
            {words.takeThese}
          </button>
        )}
        <a class="button" href={hrefOf({ page: 'search', collection, query: new URLSearchParams(are.map((each) => ['is', JSON.stringify(each)])) })}>
          {words.inSearch}
        </a>
        <button type="button" onClick={onClose}>
          {words.close}
        </button>
      </div>
      <Problem error={found.error} onAgain={found.again} />
      <ul aria-busy={found.isLoading}>
        {found.value?.map((item) => (
          <li key={item.id} title={titleOf(item)}>
            {item.modality === 'image' ? <Picture collection={collection} item={item} size="thumbnail" /> : <span>{item.text}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Everything that has the field, as CSV, page after page. */
function Export({ collection, field, truth }: { collection: string; field: string; truth: string | undefined }) {
  const words = useClassifyTexts();
  const { count } = useFigures();
  const { client } = useSession();
  const [state, setState] = useState<{ rows?: number; error?: unknown }>({});
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);
  const run = async (): Promise<void> => {
    try {
      const rows: CsvCell[][] = [['id', 'source', 'label', 'probability', ...(truth === undefined ? [] : [truth])]];
      setState({ rows: 0 });
      for await (const { id, sources, metadata } of client.listItems(collection, { filter: { [`${field}.probability`]: { $exists: true } } }, { signal: leaving.current.signal })) {
        const { label, probability } = metadata[field] as { label: string | null; probability: number };
        rows.push([id, sources[0], label, probability, ...(truth === undefined ? [] : [cellOf(metadata[truth])])]);
        if (rows.length % 500 === 0) setState({ rows: rows.length });
      }
      download(`${collection}-${field}.csv`, csvOf(rows), 'text/csv');
      setState({});
    } catch (error) {
      if (!leaving.current.signal.aborted) setState({ error });
    }
  };
  return (
    <>
      <button type="button" disabled={state.rows !== undefined} onClick={() => void run()}>
        {state.rows === undefined ? words.csv : words.preparing(count(state.rows))}
      </button>
      <Problem error={state.error} onAgain={() => void run()} />
    </>
  );
}

const cellOf = (value: unknown): CsvCell => (value === undefined || value === null || typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value));
