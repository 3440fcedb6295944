import { lazy, Suspense } from 'preact/compat';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { AddingCard } from '../adding/adding-card.js';
import { AddingProvider } from '../adding/adding-context.js';
import { DeletionsProvider } from '../deleting/deletions-context.js';
import { AnnouncementsProvider } from './announcements.js';
import { useAddress, type PageName } from './address.js';
import { CollectionsProvider, useCollectionList } from './collections.js';
import { isUnauthorized } from './errors.js';
import { KeyPrompt } from './key-prompt.js';
import { keepLanguage, LanguageProvider, preferredLanguage, type Language } from './language.js';
import { Navigation, usePageTexts } from './navigation.js';
import { OwnKeyProvider, useAskedOwnKey } from './own-key.js';
import type { PageProps } from './page-props.js';
import { ServiceNote } from './service-note.js';
import { openSession, SessionProvider, sessionWithKey } from './session.js';

/** Loaded when they are first gone to. */
const views: Record<PageName, (props: PageProps) => preact.JSX.Element> = {
  search: lazy(() => import('../search/search-page.js')),
  map: lazy(() => import('../map/map-page.js')),
  classify: lazy(() => import('../classify/classify-page.js')),
  compare: lazy(() => import('../compare/compare-page.js')),
  library: lazy(() => import('../library/library-page.js')),
};

export function App() {
  const [session, setSession] = useState(openSession);
  const [isLocked, setLocked] = useState(false);
  const [language, setLanguage] = useState(preferredLanguage);
  const onLocked = useCallback(() => setLocked(true), []);
  useEffect(() => void (document.documentElement.lang = language), [language]);
  const onLanguage = useCallback((chosen: Language) => {
    keepLanguage(chosen);
    setLanguage(chosen);
  }, []);
  return (
    <LanguageProvider value={language}>
      <SessionProvider value={session}>
        <AnnouncementsProvider>
          <DeletionsProvider onLocked={onLocked}>
            <AddingProvider onLocked={onLocked}>
              {isLocked ? (
                <KeyPrompt
                  wasWrong={session.hasKey}
                  onKey={(key) => {
                    setSession(sessionWithKey(key));
                    setLocked(false);
                  }}
                />
              ) : (
                <Frame onLanguage={onLanguage} onLocked={onLocked} />
              )}
            </AddingProvider>
          </DeletionsProvider>
        </AnnouncementsProvider>
      </SessionProvider>
    </LanguageProvider>
  );
}

function Frame({ onLanguage, onLocked }: { onLanguage: (language: Language) => void; onLocked: () => void }) {
  const [address, go] = useAddress();
  const collections = useCollectionList();
  const ownKey = useAskedOwnKey();
  const words = usePageTexts();
  const [title, setTitle] = useState<string>();
  const { page, collection } = address;
  useEffect(() => {
    if (isUnauthorized(collections.error)) onLocked();
  }, [collections.error]);
  useEffect(() => setTitle(undefined), [page]);
  useEffect(() => void (document.title = `${title ?? words[page]} · mixspace`), [title, page, words]);
  const View = views[page];
  return (
    <CollectionsProvider value={collections}>
      <Navigation address={address} collections={(collections.value ?? []).map(({ name }) => name)} onGo={go} onLanguage={onLanguage} />
      <ServiceNote />
      <Suspense fallback={<main aria-busy="true" />}>
        <OwnKeyProvider value={ownKey}>
          <View key={`${page} ${collection}`} address={address} go={go} onLocked={onLocked} onTitle={setTitle} />
        </OwnKeyProvider>
      </Suspense>
      <AddingCard />
    </CollectionsProvider>
  );
}
