import '../styles/map.css';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import { isUnauthorized } from '../shell/errors.js';
import { useLanguage } from '../shell/language.js';
import type { PageProps } from '../shell/page-props.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { MakingPanel, useMaking } from './map-job.js';
import { serviceSource } from './service-source.js';
import { WorkingMap } from './working-map.js';
import { useMapTexts } from './words.js';

export default function MapPage({ address, go, onLocked }: PageProps) {
  const { client } = useSession();
  const words = useMapTexts();
  const { collection } = address;
  const language = useLanguage();
  const source = useMemo(() => serviceSource(client, collection, language), [client, collection, language]);
  const map = useLoaded((signal) => source.map({ signal }).then((value) => ({ value })), [source]);
  const making = useMaking(source, map.again);
  const isMaking = making.isStarting || ['waiting', 'running', 'paused'].includes(making.job?.state ?? '');
  useEffect(() => {
    if (isUnauthorized(map.error)) onLocked();
  }, [map.error]);
  const onGone = useCallback(() => map.again(), [map.again]);

  if (!map.value) {
    return (
      <main aria-busy={map.isLoading}>
        <h1 class="visually-hidden">{words.title}</h1>
        {map.isLoading ? <p class="nothing">{words.loading}</p> : <Problem error={map.error} onAgain={map.again} />}
      </main>
    );
  }
  const state = map.value.value;
  if (!state) {
    return (
      <main>
        <h1 class="visually-hidden">{words.title}</h1>
        <section class="nothing map-start">
          <h2>{words.noMap}</h2>
          <p>{words.whatItIs}</p>
          {!isMaking && (
            <button type="button" class="primary" onClick={() => making.make()}>
              {words.make}
            </button>
          )}
        </section>
        <MakingPanel making={making} />
      </main>
    );
  }
  return (
    <main class="map-page">
      <h1 class="visually-hidden">{words.title}</h1>
      <Problem error={map.error} onAgain={map.again} />
      {state.stale.added + state.stale.removed > 0 && !isMaking && (
        <div class="panel map-stale" role="status">
          <p>{words.stale(state.stale.added, state.stale.removed)}</p>
          {state.stale.added > 0 && (
            <button type="button" onClick={() => making.make({ place: true })}>
              {words.place}
            </button>
          )}
          <button type="button" onClick={() => making.make()}>
            {words.makeAnew}
          </button>
        </div>
      )}
      {(isMaking || making.error !== undefined || making.job?.state === 'failed') && <MakingPanel making={making} />}
      <WorkingMap key={state.job} source={source} map={state} address={address} go={go} onGone={onGone} />
    </main>
  );
}
