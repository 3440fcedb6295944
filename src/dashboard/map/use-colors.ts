import { useMemo } from 'preact/hooks';
import { useLoaded } from '../shell/use-loaded.js';
import { coloringBy, coloringByScores, plainColoring, type Coloring } from './colors.js';
import type { MapSource, MapState, Values } from './map-source.js';
import type { Positions } from './points.js';
import { isRange, within, type Range } from './range.js';

interface Colors {
  coloring: Coloring;
  /** Of the words that the colors are by. */
  scores?: Float32Array;
  values?: Values;
  error?: unknown;
  isLoading: boolean;
  again: () => void;
}

/** What the points' colors are: by the words' scores where there are words, else by the field. Until that is known, all are alike. */
export function useColors({ source, map }: { source: MapSource; map: MapState }, positions: Positions, { field, words }: { field: string | undefined; words: string }): Colors {
  const loaded = useLoaded(
    async (signal) => {
      if (words !== '') return { scores: await source.scores(map, words, { signal }) };
      return field === undefined ? {} : { values: await source.values(map, field, { signal }) };
    },
    [source, map.job, map.count, words, words === '' ? field : ''],
  );
  const { value = {} } = loaded;
  const { scores, values } = value as { scores?: Float32Array; values?: Values };
  const coloring = useMemo(() => {
    const count = positions.length / 2;
    const isThere = (number: number): boolean => number < count && !Number.isNaN(positions[2 * number]!);
    const given = scores ?? values?.of;
    // Of a map that has grown since: the next one fits.
    if (given && given.length < count) return plainColoring(count);
    if (scores) return coloringByScores(scores, isThere);
    return values ? coloringBy(values, isThere) : plainColoring(count);
  }, [positions, scores, values]);
  return { coloring, ...(scores && { scores }), ...(values && { values }), error: loaded.error, isLoading: loaded.isLoading && (words !== '' || field !== undefined), again: loaded.again };
}

/** By number, 1: of one of the named categories, or inside the range. Undefined: all. */
export function shownOf(values: Values | undefined, only: readonly string[], range: Range): Uint8Array | undefined {
  if (!values) return undefined;
  if (values.kind !== 'categories') return isRange(range) ? within(values, range) : undefined;
  // A name that is not there, or not in this language, leaves all.
  const wanted = new Set(only.map((name) => values.categories.indexOf(name)).filter((place) => place >= 0));
  return wanted.size === 0 ? undefined : values.of.map((category) => (wanted.has(category) ? 1 : 0));
}
