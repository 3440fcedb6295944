import { useState } from 'preact/hooks';
import type { Cluster, ClusterItem, Clusters } from '../../../contract/clusters.js';
import { useLanguage } from '../../shell/language.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { whereFound } from '../../shell/where-found.js';
import { given, useAction, useAsked } from '../asking.js';
import type { PartProps } from '../collections/part-props.js';
import { When } from '../facts.js';
import { useFigures } from '../figures.js';
import { ItemThumbnail, useItem } from '../item-thumbnail.js';
import { RunningJob } from '../jobs/running-job.js';
import { useCollectionJob } from '../jobs/use-collection-job.js';
import { ClusterName } from './cluster-name.js';
import { useClusterTexts } from './words.js';

const shownExamples = 6;

/** What is alike, put together and named. */
export function ClustersPart({ collection: { name: collection } }: PartProps) {
  const { client } = useSession();
  const words = useClusterTexts();
  const language = useLanguage();
  const { count } = useFigures();
  const [wanted, setWanted] = useState('');
  const { value: asked, error, isRetried, isLoading, again } = useAsked((signal) => whereFound('clusters', { client, collection, signal }, () => client.clusters(collection, { language, signal })), [client, collection, language]);
  const value = asked?.found;
  const [renamed, setRenamed] = useState<Record<string, Cluster>>({});
  const start = useAction();
  const { job, show } = useCollectionJob(collection, 'clusters', () => {
    setRenamed({});
    again();
  });
  const make = (): void =>
    void start.run(async (signal) => {
      show(await client.makeClusters(collection, given({ language, count: wanted.trim() === '' ? undefined : Number(wanted) }), { signal }));
    });
  return (
    <div class="clusters">
      <p class="quiet">{words.what}</p>
      <form
        class="fields inline"
        onSubmit={(event) => {
          event.preventDefault();
          make();
        }}
      >
        <label title={words.countWhat}>
          <span>{words.count}</span>
          <input inputMode="numeric" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary" disabled={start.isBusy}>
          {words.make}
        </button>
      </form>
      <Problem error={start.error} />
      <RunningJob job={job} onChanged={show} />
      <Problem error={error} isRetried={isRetried} onAgain={again} />
      {!isLoading && !value && !error && <p class="quiet">{words.notYet}</p>}
      {value && (
        <p role="status">
          {words.made(count(value.clusters.length), count(value.items))}{' '}
          <span class="quiet">
            {words.when} <When time={value.at} />
            {asked.isStale && `. ${words.stale}`}
          </span>
        </p>
      )}
      <ul class="cards clusters-list">
        {value?.clusters.map((made) => {
          const cluster = renamed[made.id] ?? made;
          return (
            <li key={made.id} class="card">
              <ClusterName collection={collection} cluster={cluster} onRenamed={(next) => setRenamed((before) => ({ ...before, [next.id]: next }))} />
              <p class="quiet">
                {words.items(count(made.size))} · <bdi>{made.words.filter((word) => word !== cluster.name).join(', ')}</bdi>
              </p>
              <ul class="examples">
                {made.examples.slice(0, shownExamples).map((example) => (
                  <Example key={example.id} collection={collection} modality={value.modality} example={example} />
                ))}
              </ul>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Example({ collection, modality, example: { id } }: { collection: string; modality: Clusters['modality']; example: ClusterItem }) {
  const item = useItem(collection, id, modality === 'text');
  return (
    <li>
      <ItemThumbnail collection={collection} item={item ?? { id, modality, metadata: {}, sources: [] }} />
    </li>
  );
}
