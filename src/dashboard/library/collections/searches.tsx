import { useState } from 'preact/hooks';
import type { Collection, RecallResponse } from '../../../contract/collections.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { Facts, When } from '../facts.js';
import { useFigures } from '../figures.js';
import type { PartProps } from './part-props.js';
import { useCollectionTexts } from './words.js';

type Band = Collection['recall'][number]['bands'][number] & { modality: Collection['recall'][number]['modality']; exact?: boolean };

/** What makes searches quick, and how right they are. */
export function Searches({ collection, onChanged }: PartProps) {
  const { client } = useSession();
  const words = useCollectionTexts();
  const { say } = useAnnouncements();
  const { count, percent } = useFigures();
  const { run, isBusy, error } = useAction();
  const [measured, setMeasured] = useState<RecallResponse['bands']>();
  const { name, graph, full_text: fullText, recall } = collection;
  const known: Band[] = recall.flatMap(({ modality, bands }) => bands.map((band) => ({ ...band, modality })));
  const isOfNow = (band: Band): boolean => (measured ?? []).some(({ modality, selectivity }) => band.query === 'item' && band.modality === modality && band.selectivity === selectivity);
  const bands: Band[] = [...(measured ?? []), ...known.filter((band) => !isOfNow(band))];
  const measure = (): void =>
    void run(async (signal) => {
      const now = await client.measureRecall(name, {}, { signal });
      setMeasured(now);
      say(now.length > 0 ? words.measured : words.nothingToMeasure);
      onChanged();
    });
  return (
    <section class="card">
      <h4>{words.searches}</h4>
      <Facts
        facts={[
          [words.cells, words.graph[graph.state](count(graph.indexed))],
          [words.fullText, words.fullTextIs(fullText.waiting, count(fullText.waiting))],
          ...recall.map(({ modality, state, share }): [string, string] => [words.among[modality], `${words.recallState[state]}${share === undefined ? '' : `, ${words.share(percent(share))}`}`]),
        ]}
      />
      <h5>{words.recall}</h5>
      <p class="quiet">{words.recallWhat}</p>
      {bands.length > 0 && <Bands bands={bands} />}
      {measured?.length === 0 && <p>{words.nothingToMeasure}</p>}
      <div class="actions">
        <button type="button" disabled={isBusy} aria-busy={isBusy} onClick={measure}>
          {isBusy ? words.measuring : words.measure}
        </button>
      </div>
      <Problem error={error} onAgain={measure} />
    </section>
  );
}

function Bands({ bands }: { bands: Band[] }) {
  const words = useCollectionTexts();
  const { count, percent } = useFigures();
  const { columns } = words;
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={words.recall}>
      <table>
        <thead>
          <tr>
            {Object.entries(columns).map(([name, said]) => (
              <th key={name} scope="col">
                {said}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bands.map(({ modality, query, selectivity, recall, low, high, queries, at, exact }, index) => (
            <tr key={index}>
              <td>{words.modality[modality]}</td>
              <td>{words.query[query]}</td>
              <td>{percent(selectivity)}</td>
              <td>
                {percent(recall)}
                {exact && ` (${words.exact})`}
              </td>
              <td>
                {percent(low)} – {percent(high)}
              </td>
              <td>{count(queries)}</td>
              <td>
                <When time={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
