import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Collection } from '../contract/collections.js';
import { AddingPanel, useAdding } from './adding.js';
import { Details } from './details.js';
import { DropTarget } from './drop-target.js';
import { Grid } from './grid.js';
import icon from './icon.svg';
import { KeyPrompt } from './key-prompt.js';
import { useResults, type Results } from './results.js';
import { SearchBar } from './search-bar.js';
import { openSession, SessionProvider, sessionWithKey, useSession } from './session.js';
import { useView, type View, type Wanted } from './view.js';
import { UnderstoodParts } from './understood.js';
import { ResultsNote } from './results-note.js';
import { counted, isUnauthorized, sentenceOf } from './words.js';

export function App() {
  const [session, setSession] = useState(openSession);
  const [isLocked, setLocked] = useState(false);
  const onLocked = useCallback(() => setLocked(true), []);
  if (isLocked) {
    return (
      <KeyPrompt
        wasWrong={session.hasKey}
        onKey={(key) => {
          setSession(sessionWithKey(key));
          setLocked(false);
        }}
      />
    );
  }
  return (
    <SessionProvider value={session}>
      <Page onLocked={onLocked} />
    </SessionProvider>
  );
}

function Page({ onLocked }: { onLocked: () => void }) {
  const { client } = useSession();
  const [view, go] = useView();
  const [version, setVersion] = useState(0);
  const [opened, setOpened] = useState<number>();
  const collections = useCollections(version);
  const results = useResults(view, version);
  const onAdded = useCallback(() => setVersion((before) => before + 1), []);
  const { adding, add, dismiss } = useAdding(client, view.collection, onAdded);

  const isLocked = isUnauthorized(results.error) || isUnauthorized(collections.error);
  useEffect(() => {
    if (isLocked) onLocked();
  }, [isLocked]);
  useEffect(() => setOpened(undefined), [view]);

  const want = (wanted: Wanted, how?: 'push' | 'replace'): void => {
    go({ wanted }, how);
    if (how !== 'replace') scrollTo({ top: 0 });
  };
  const current = collections.all?.find(({ name }) => name === view.collection);
  const shown = opened === undefined ? undefined : results.found[opened];

  return (
    <>
      <header>
        <a class="brand" href="./" onClick={(event) => (event.preventDefault(), want({ by: 'nothing' }))}>
          <img src={icon} alt="" width="28" height="28" />
          mixspace
        </a>
        <SearchBar view={view} collections={collections.all ?? []} onWant={want} onCollection={(collection) => go({ collection, wanted: keptBy(view.wanted) })} onAdd={add} />
      </header>
      <main aria-busy={results.state === 'loading'}>
        {adding && <AddingPanel adding={adding} onDismiss={dismiss} />}
        <ResultsNote view={view} onClear={() => want({ by: 'nothing' })} />
        {view.wanted.by === 'words' && results.understood && <UnderstoodParts parts={results.understood} wanted={view.wanted} onWant={want} />}
        <Problem error={collections.error ?? results.error} />
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
      <DropTarget onSearch={(picture) => want({ by: 'picture', picture, name: picture.name })} onAdd={add} />
    </>
  );
}

/** An item is of its own collection; words and pictures can be looked for in any. */
const keptBy = (wanted: Wanted): Wanted => (wanted.by === 'item' ? { by: 'nothing' } : wanted);

function useCollections(version: number): { all?: Collection[]; error?: unknown } {
  const { client } = useSession();
  const [state, setState] = useState<{ all?: Collection[]; error?: unknown }>({});
  useEffect(() => {
    const leaving = new AbortController();
    client.collections({ signal: leaving.signal }).then(
      (all) => setState({ all }),
      (error: unknown) => leaving.signal.aborted || setState({ error }),
    );
    return () => leaving.abort();
  }, [client, version]);
  return state;
}

function Problem({ error }: { error: unknown }) {
  if (error === undefined || isUnauthorized(error)) return null;
  return (
    <p class="panel problem" role="alert">
      {sentenceOf(error)}
    </p>
  );
}

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
