import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { clusterField } from '../../contract/map.js';
import { MixspaceApiError } from '../../client/index.js';
import type { PageProps } from '../shell/page-props.js';
import type { Query } from '../shell/address.js';
import { useLanguage } from '../shell/language.js';
import { Problem } from '../shell/problem.js';
import { useLoaded } from '../shell/use-loaded.js';
import { clusterLabels } from './cluster-labels.js';
import { ColorBar, LegendPanel } from './color-bar.js';
import { ItemCard } from './item-card.js';
import { useItemCache } from './item-cache.js';
import type { MapSource, MapState } from './map-source.js';
import { MapStage } from './map-stage.js';
import { blocksOf, type Positions } from './points.js';
import { SelectionPanel } from './selection-panel.js';
import { pointsIn, shapeOf, shapeText } from './shapes.js';
import { shownOf, useColors } from './use-colors.js';
import { useHiddenNumbers } from './use-hidden-numbers.js';
import { usePoints } from './use-points.js';
import { counted, useMapTexts } from './words.js';

interface WorkingMapProps extends Pick<PageProps, 'address' | 'go'> {
  source: MapSource;
  map: MapState;
  /** Items of it were deleted. */
  onGone: () => void;
}

/** So many items are looked at for the fields that there are. */
const fieldSample = 200;
/** Nothing is left out. */
const everything = { only: undefined, from: undefined, to: undefined };
const noPositions: Positions = new Float32Array();

/** A map that there is: the stage, what its colors say, and what was chosen. All but what the pointer does stands in the address. */
export function WorkingMap({ source, map, address, go, onGone }: WorkingMapProps) {
  const words = useMapTexts();
  const language = useLanguage();
  const cache = useItemCache(source);
  const { query, collection } = address;
  const latest = useRef(query);
  latest.current = query;
  /** What the address says besides stays. */
  const change = useCallback(
    (patch: Query, how: 'push' | 'replace' = 'push') => {
      const before: Query = {};
      for (const name of new Set(latest.current.keys())) before[name] = latest.current.getAll(name);
      go({ query: { ...before, ...patch } }, how);
    },
    [go],
  );

  const points = usePoints(source, map);
  const [removed, setRemoved] = useState<ReadonlySet<number>>(new Set());
  const hidden = useHiddenNumbers(source);
  const deleted = useMemo(() => (hidden.size === 0 ? removed : new Set([...removed, ...hidden])), [removed, hidden]);
  const positions = useMemo(() => {
    const all = points.positions ?? noPositions;
    if (deleted.size === 0) return all;
    const left = all.slice();
    for (const number of deleted) left.fill(Number.NaN, 2 * number, 2 * number + 2);
    return left;
  }, [points.positions, deleted]);
  const blocks = useMemo(() => blocksOf(positions), [positions]);

  const [field, asked, at, areaText, open] = ['color', 'q', 'at', 'area', 'open'].map((name) => query.get(name)) as [string | null, string | null, string | null, string | null, string | null];
  const only = query.getAll('only');
  const colors = useColors({ source, map }, positions, { field: field ?? undefined, words: asked ?? '' });
  const onlyKey = JSON.stringify(only);
  const range = { from: query.get('from') ?? undefined, to: query.get('to') ?? undefined };
  const shown = useMemo(() => shownOf(colors.values, only, range), [colors.values, onlyKey, range.from, range.to]);
  const shape = useMemo(() => shapeOf(areaText), [areaText]);
  const chosen = useMemo(() => {
    if (!shape && !shown) return undefined;
    const isShown = (number: number): boolean => shown === undefined || shown[number] === 1;
    const numbers = shape ? pointsIn(shape, blocks, isShown) : thoseThere(positions, isShown);
    const { scores } = colors;
    return scores ? numbers.sort((a, b) => (scores[b] ?? -2) - (scores[a] ?? -2)) : numbers;
  }, [shape, shown, positions, blocks, colors.scores]);
  const selected = useMemo(() => {
    if (!shape || !chosen) return undefined;
    const mask = new Uint8Array(map.count);
    for (const number of chosen) mask[number] = 1;
    return mask;
  }, [shape, chosen, map.count]);

  const clusters = useLoaded((signal) => source.clusters(map, { signal }).then((values) => ({ values })), [source, map.job, map.count]);
  const labels = useMemo(() => (clusters.value?.values ? clusterLabels(clusters.value.values, positions) : []), [clusters.value, positions]);
  const [fields, setFields] = useState<string[]>([]);
  const [isOfTexts, setOfTexts] = useState(map.modality === 'text');
  useEffect(() => {
    const leaving = new AbortController();
    source
      .items(Array.from({ length: Math.min(fieldSample, map.count) }, (_, number) => number), { signal: leaving.signal })
      .then((items) => {
        setFields(fieldsOf(items));
        setOfTexts(items.filter(({ modality }) => modality === 'text').length > items.length / 2);
      })
      // A list of fields that is shorter; what is chosen of it says what is wrong.
      .catch(() => {});
    return () => leaving.abort();
  }, [source, map.job]);

  const openNumber = useCallback(
    async (number: number): Promise<void> => {
      const item = cache.get(number) ?? (await source.items([number]).catch(() => []))[0];
      if (item) change({ open: item.id }, latest.current.has('open') ? 'replace' : 'push');
    },
    [cache, source, change],
  );
  const [marked, setMarked] = useState<number>();
  useEffect(() => {
    if (open === null) return;
    const leaving = new AbortController();
    source.itemOf(open, { signal: leaving.signal }).then((item) => leaving.signal.aborted || (item && setMarked(item.number)), () => {});
    return () => leaving.abort();
  }, [source, open]);
  const isOfAnother = [points.error, colors.error].some((error) => error instanceof MixspaceApiError && error.status === 404 && error.param === 'job');
  useEffect(() => {
    if (isOfAnother) onGone();
  }, [isOfAnother]);
  const closeCard = (): void => {
    change({ open: undefined }, 'replace');
    document.querySelector<HTMLElement>('.map-stage')?.focus({ preventScroll: true });
  };
  const panelIsOpen = chosen !== undefined;
  const { legend } = colors.coloring;
  return (
    <div class={`working-map${panelIsOpen ? ' with-selection' : ''}`}>
      <div class="map-bar">
        <ColorBar
          fields={[...(labels.length > 0 ? [clusterField] : []), ...fields]}
          field={asked ? undefined : (field ?? undefined)}
          words={asked ?? ''}
          isLooking={colors.isLoading && Boolean(asked)}
          onField={(color) => change({ color, q: undefined, ...everything })}
          onWords={(q) => change({ q: q === '' ? undefined : q, ...everything }, latest.current.has('q') && q !== '' ? 'replace' : 'push')}
        />
        <p class="quiet map-count">{words.points(map.count - deleted.size, counted(language, map.count - deleted.size))}</p>
      </div>
      <Problem error={points.error} onAgain={points.again} />
      <Problem error={colors.error} onAgain={colors.again} />
      <div class="map-area">
        <div class="map-left">
          <MapStage
            map={map}
            positions={positions}
            blocks={blocks}
            cache={cache}
            coloring={colors.coloring}
            isOfTexts={isOfTexts}
            shown={shown}
            selected={selected}
            shape={shape}
            labels={labels}
            at={at}
            marked={marked}
            isOpen={open !== null}
            onAt={(where) => change({ at: where }, 'replace')}
            onOpen={(number) => void openNumber(number)}
            onShape={(drawn) => change({ area: drawn && shapeText(drawn) }, latest.current.has('area') ? 'replace' : 'push')}
            onCluster={(name) => change({ color: clusterField, q: undefined, ...everything, only: [name] })}
            onBack={() => {
              if (open !== null) closeCard();
              else if (shape) change({ area: undefined });
              else if (shown) change(everything);
            }}
          />
          {legend && <LegendPanel legend={legend} only={only} onOnly={(names) => change({ only: names })} range={range} onRange={({ from, to }) => change({ from, to }, 'replace')} />}
          {open !== null && <ItemCard key={open} collection={collection} id={open} go={go} onClose={closeCard} />}
        </div>
        {chosen && (
          <SelectionPanel
            cache={cache}
            numbers={chosen}
            isSelected={shape !== undefined}
            go={go}
            onOpen={(number) => void openNumber(number)}
            onClose={() => change({ area: undefined, ...everything })}
            selectionKey={`${areaText} ${onlyKey} ${range.from} ${range.to} ${field}`}
            onDeleted={(numbers) => {
              cache.forget(numbers);
              setRemoved((before) => new Set([...before, ...numbers]));
              onGone();
            }}
            onLabelled={(numbers) => {
              cache.forget(numbers);
              colors.again();
            }}
          />
        )}
      </div>
    </div>
  );
}

/** Numbers of the points that are there, rising. */
function thoseThere(positions: Positions, isShown: (number: number) => boolean): Uint32Array {
  const numbers = new Uint32Array(positions.length / 2);
  let count = 0;
  for (let number = 0; number < numbers.length; number++) if (!Number.isNaN(positions[2 * number]!) && isShown(number)) numbers[count++] = number;
  return numbers.slice(0, count);
}

/** Fields whose values colors can say, the most common first, and when items were taken and added. */
function fieldsOf(items: readonly { metadata: Record<string, unknown>; taken_at?: string | undefined }[]): string[] {
  const counts = new Map<string, number>();
  for (const { metadata } of items) {
    for (const [name, value] of Object.entries(metadata)) if (['string', 'number', 'boolean'].includes(typeof value)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const named = [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return [...named, ...(items.some(({ taken_at: taken }) => taken !== undefined) ? ['$item.taken_at'] : []), '$item.created_at'];
}
