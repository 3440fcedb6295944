import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useAdding, useOnFirstAdded } from '../adding/adding-context.js';
import type { Given, Look } from '../adding/given-files.js';
import { useHidden } from '../deleting/deletions-context.js';
import type { How } from '../shell/address.js';
import { useAnnouncements } from '../shell/announcements.js';
import { useCollections } from '../shell/collections.js';
import { isUnauthorized } from '../shell/errors.js';
import { texts, useLanguage } from '../shell/language.js';
import { useMayWrite } from '../shell/own-key.js';
import type { PageProps } from '../shell/page-props.js';
import { Problem } from '../shell/problem.js';
import { useCollectionNow } from './collection-now.js';
import { Details } from './details.js';
import { DropTarget } from './drop-target.js';
import { Filters } from './filters.js';
import { keepPicture } from './given-pictures.js';
import { Grid, type GridHandle } from './grid.js';
import { keptResults } from './loaded-results.js';
import { NewOnes, useNewOnes } from './new-ones.js';
import { Nothing } from './nothing.js';
import { useOpened } from './opened.js';
import { GivenPictureGone, type Result } from './portions.js';
import { useResults } from './results.js';
import { ResultsNote } from './results-note.js';
import { SearchBar } from './search-bar.js';
import { StatusLine } from './status-line.js';
import { UnderstoodParts } from './understood.js';
import { Waiting } from './waiting.js';
import { isLikeSomething, isSearch, keyOf, queryOf, wantedFrom, type Wanted } from './wanted.js';
import '../styles/details.css';
import '../styles/search.css';

const useTexts = texts({
  en: { found: (count: string, isAll: boolean) => (isAll ? `${count} found.` : `${count} found so far.`), none: 'Nothing found.', nearest: 'Nothing matches. The nearest are shown.', loading: 'Loading …', gone: 'The picture that was searched by is not kept here any more. Give it again.', title: 'Search' },
  de: { found: (count: string, isAll: boolean) => (isAll ? `${count} gefunden.` : `${count} bisher gefunden.`), none: 'Nichts gefunden.', nearest: 'Nichts passt. Das Nächste wird gezeigt.', loading: 'Wird geladen …', gone: 'Das Bild, mit dem gesucht wurde, ist hier nicht mehr aufbewahrt. Geben Sie es noch einmal.', title: 'Suche' },
  zh: { found: (count: string, isAll: boolean) => (isAll ? `找到 ${count} 个。` : `目前找到 ${count} 个。`), none: '未找到任何内容。', nearest: '没有匹配的内容，显示最接近的。', loading: '正在加载……', gone: '用于搜索的图片已不再保留，请重新提供。', title: '搜索' },
});

export default function SearchPage({ address, go, onLocked, onTitle }: PageProps) {
  const words = useTexts();
  const { collection } = address;
  const wanted = useMemo(() => wantedFrom(address.query), [address.query]);
  const view = useMemo(() => ({ collection, wanted }), [collection, keyOf({ collection, wanted })]);
  const [version, setVersion] = useState(0);
  const [isTyping, setTyping] = useState(false);
  const [showsScores, setShowsScores] = useState(false);
  const grid = useRef<GridHandle>(null);
  const collections = useCollections();
  const { results, shown, isStale } = useResults(view, version);
  const { item: opened, index, error: openError, open, close, step } = useOpened(address, go, results);
  const { collection: now, change } = useCollectionNow(collection);
  const current = now ?? collections.value?.find(({ name }) => name === collection);
  const newOnes = useNewOnes(results, change);
  const startOver = useCallback(() => {
    keptResults.forget();
    setVersion((before) => before + 1);
    collections.again();
  }, [collections.again]);
  const queue = useAdding();
  const mayWrite = useMayWrite(collection);
  const adding = useCallback((given: Given | Look) => queue.add(collection, given), [queue, collection]);
  const add = mayWrite ? adding : undefined;
  useOnFirstAdded(collection, results.isEmpty && results.state === 'ready', () => {
    // Who has gone on to look at something keeps it.
    if (scrollY === 0 && !opened) startOver();
  });
  const hidden = useHidden(collection);
  const found = useMemo(() => (hidden.size === 0 ? shown.found : shown.found.filter(({ id }) => !hidden.has(id))), [shown.found, hidden]);

  useEffect(() => {
    if (isUnauthorized(results.error)) onLocked();
  }, [results.error]);
  useEffect(() => onTitle(wanted.words), [wanted.words]);
  useSaidFound(view, results, found);
  // Where the page stood is known here, and the document may not be high enough yet for the browser.
  useEffect(() => {
    history.scrollRestoration = 'manual';
    return () => void (history.scrollRestoration = 'auto');
  }, []);
  const lastOpened = useRef<string>();
  useEffect(() => {
    if (opened) lastOpened.current = opened.id;
    else if (address.query.get('open') === null && lastOpened.current !== undefined) {
      grid.current?.focusOn(lastOpened.current);
      lastOpened.current = undefined;
    }
  }, [opened, address.query]);

  const want = (next: Wanted, how?: How): void => {
    lastOpened.current = undefined;
    keptResults.forget({ collection, wanted: next });
    go({ query: queryOf(next) }, how);
  };
  const wantPicture = (picture: File): void => want({ ...wanted, words: isLikeSomething(wanted) ? wanted.words : undefined, except: undefined, picture: keepPicture(picture, picture.name), like: undefined });
  const again = (): void => {
    if (results.isEmpty || results.state !== 'failed') startOver();
    else results.more();
  };
  /** Listed, they come first by when they were added, and Back leads to where one was. */
  const showNew = (): void => {
    if (isSearch(wanted) || wanted.order === 'added') return startOver();
    want({ ...wanted, order: 'added' });
  };
  const error = results.error instanceof GivenPictureGone ? new Error(words.gone) : results.error;
  const isLoading = results.state === 'loading';
  const isBehind = isStale || isTyping;

  return (
    <>
      <header>
        <h1 class="visually-hidden">{words.title}</h1>
        <SearchBar wanted={wanted} onWant={want} onAgain={again} onTyping={setTyping} onPicture={wantPicture} onAdd={add} />
      </header>
      <main aria-busy={isLoading || isBehind}>
        <ResultsNote view={view} onWant={want} />
        {wanted.words !== undefined && results.understood && <UnderstoodParts parts={results.understood} wanted={wanted} onWant={want} />}
        <Filters view={view} found={found} showsScores={showsScores} onScores={setShowsScores} onWant={want} />
        <NewOnes count={newOnes} onShow={showNew} />
        {results.isEmpty && <Problem error={collections.error ?? error} onAgain={again} />}
        {results.isEmpty && isLoading && !results.isComplete && <Waiting key={keyOf(view)} model={current?.model} />}
        <Grid
          handle={grid}
          collection={collection}
          found={found}
          isComplete={shown.isComplete}
          isStale={isStale}
          isBehind={isBehind}
          place={results}
          showsScores={showsScores}
          onOpen={open}
          onNearEnd={() => results.state !== 'failed' && results.more()}
          onFolder={(folder) => want({ ...wanted, folder, order: undefined })}
        />
        {results.state === 'ready' && results.isEmpty && <Nothing view={view} collection={current} onWant={want} />}
        {!results.isEmpty && !isStale && <Problem error={error} onAgain={again} />}
        <p class="more quiet">{!results.isEmpty && isLoading && words.loading}</p>
      </main>
      {/* Before the first pictures have their place, it would be moved by them. */}
      {!(shown.isEmpty && isLoading) && <StatusLine collection={current} tookMs={results.tookMs} />}
      {opened && (
        <Details
          collection={collection}
          item={opened}
          place={{ index, loaded: results.found.length, isComplete: results.isComplete, isLoading }}
          onClose={close}
          onLike={(id) => want({ ...wanted, words: undefined, except: undefined, picture: undefined, share: undefined, unlike: undefined, like: id })}
          onUnlike={isSearch(wanted) ? (id) => want({ ...wanted, unlike: [...(wanted.unlike ?? []).filter((each) => each !== id), id] }) : undefined}
          onStep={step}
          onOpen={open}
        />
      )}
      {openError !== undefined && <Problem error={openError} onAgain={close} />}
      <DropTarget onSearch={wantPicture} onAdd={add} />
    </>
  );
}

/** Screen readers hear what came of a search. */
function useSaidFound(view: object, { state, isComplete }: { state: string; isComplete: boolean }, found: Result[]): void {
  const words = useTexts();
  const language = useLanguage();
  const { say } = useAnnouncements();
  const saidOf = useRef<object>();
  useEffect(() => {
    if (state !== 'ready' || saidOf.current === view) return;
    saidOf.current = view;
    const isNearest = found[0]?.section === 'nearest alone';
    const matches = found.filter(({ section }) => section !== 'nearest').length;
    say(isNearest ? words.nearest : matches === 0 ? words.none : words.found(matches.toLocaleString(language), isComplete || matches < found.length));
  }, [view, state, found]);
}
