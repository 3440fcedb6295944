import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Collection } from '../../contract/collections.js';
import { useAdding, useOnAdded } from '../adding/adding-context.js';
import type { Given, Look } from '../adding/given-files.js';
import { useHidden } from '../deleting/deletions-context.js';
import type { How } from '../shell/address.js';
import type { PageProps } from '../shell/page-props.js';
import { useCollections } from '../shell/collections.js';
import { isUnauthorized } from '../shell/errors.js';
import { Problem } from '../shell/problem.js';
import { Details } from './details.js';
import { DropTarget } from './drop-target.js';
import { keepPicture } from './given-pictures.js';
import { Grid } from './grid.js';
import { useResults, type Results } from './results.js';
import { ResultsNote } from './results-note.js';
import { SearchBar } from './search-bar.js';
import { UnderstoodParts } from './understood.js';
import { queryOf, wantedFrom, type View, type Wanted } from './wanted.js';

export default function SearchPage({ address, go, onLocked, onTitle }: PageProps) {
  const { collection } = address;
  const wanted = useMemo(() => wantedFrom(address.query), [address.query]);
  const view = useMemo(() => ({ collection, wanted }), [collection, wanted]);
  const [version, setVersion] = useState(0);
  const [opened, setOpened] = useState<number>();
  const collections = useCollections();
  const results = withoutHidden(useResults(view, version), useHidden(collection));
  const onAdded = useCallback(() => {
    setVersion((before) => before + 1);
    collections.again();
  }, [collections.again]);
  const queue = useAdding();
  const add = useCallback((given: Given | Look) => queue.add(collection, given), [queue, collection]);
  useOnAdded(collection, results.found.length === 0, onAdded);

  useEffect(() => {
    if (isUnauthorized(results.error)) onLocked();
  }, [results.error]);
  useEffect(() => setOpened(undefined), [view]);
  useEffect(() => onTitle(wanted.by === 'words' ? wanted.words : undefined), [wanted]);

  const want = (next: Wanted, how?: How): void => {
    go({ query: queryOf(next) }, how);
    if (how !== 'replace') scrollTo({ top: 0 });
  };
  const wantPicture = (picture: File): void => want({ by: 'picture', key: keepPicture(picture, picture.name), picture, name: picture.name });
  const current = collections.value?.find(({ name }) => name === collection);
  const shown = opened === undefined ? undefined : results.found[opened];

  return (
    <>
      <header>
        <SearchBar view={view} onWant={want} onPicture={wantPicture} onAdd={add} />
      </header>
      <main aria-busy={results.state === 'loading'}>
        <ResultsNote view={view} onClear={() => want({ by: 'nothing' })} />
        {wanted.by === 'words' && results.understood && <UnderstoodParts parts={results.understood} wanted={wanted} onWant={want} />}
        <Problem error={collections.error ?? results.error} onAgain={onAdded} />
        <Grid collection={results.collection} found={results.found} onOpen={setOpened} />
        {results.state === 'ready' && results.found.length === 0 && <Nothing view={view} collection={current} showAll={results.showAll} />}
        {results.more && (
          <button type="button" class="more" disabled={results.state === 'loading'} onClick={results.more}>
            {results.state === 'loading' ? 'Loading…' : 'Load more'}
          </button>
        )}
      </main>
      <StatusLine collection={current} results={results} />
      {shown && (
        <Details
          collection={results.collection}
          item={shown}
          onClose={() => setOpened(undefined)}
          onLike={(id) => want({ by: 'item', id })}
          onStep={(by) => setOpened((index = 0) => Math.min(Math.max(index + by, 0), results.found.length - 1))}
        />
      )}
      <DropTarget onSearch={wantPicture} onAdd={add} />
    </>
  );
}

const withoutHidden = (results: Results, hidden: ReadonlySet<string>): Results => (hidden.size === 0 ? results : { ...results, found: results.found.filter(({ id }) => !hidden.has(id)) });

const counted = (count: number, one: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : `${one}s`}`;

function Nothing({ view, collection, showAll }: { view: View; collection: Collection | undefined; showAll: (() => void) | undefined }) {
  if (showAll) {
    return (
      <section class="nothing">
        <p>Nothing here matches.</p>
        <button type="button" onClick={showAll}>
          Show the nearest anyway
        </button>
      </section>
    );
  }
  if (collection && collection.counts.total > 0) return <p class="nothing">Nothing found.</p>;
  const option = view.collection === 'default' ? '' : ` --collection ${view.collection}`;
  return (
    <section class="nothing">
      <h2>No pictures here yet</h2>
      <p>
        Press <b>Add</b> and choose some, drop them onto this page, or add a whole folder from the command line:
      </p>
      <p>
        <code>npx mixspace add{option} FOLDER</code>
      </p>
    </section>
  );
}

function StatusLine({ collection, results }: { collection: Collection | undefined; results: Results }) {
  if (!collection) return null;
  const { image, text } = collection.counts;
  const parts = [
    counted(image, 'picture'),
    ...(text > 0 ? [counted(text, 'text')] : []),
    collection.model_available ? collection.model : `${collection.model} (not there: searching by words or pictures is off)`,
    ...(collection.reembedding ? [reembeddingSentence(collection.reembedding)] : []),
    ...(results.tookMs === undefined ? [] : [`${results.tookMs < 10 ? results.tookMs.toFixed(1) : Math.round(results.tookMs)} ms`]),
  ];
  return (
    <footer>
      <span>{parts.join(' · ')}</span>
      <a href="./docs/">API</a>
    </footer>
  );
}

function reembeddingSentence({ model, done, total, state }: NonNullable<Collection['reembedding']>): string {
  return `${state === 'running' ? 'on its way' : 'stopped on its way'} to ${model}: ${done} of ${total}`;
}
