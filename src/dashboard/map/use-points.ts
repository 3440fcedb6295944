import { useEffect, useState } from 'preact/hooks';
import type { MapSource, MapState } from './map-source.js';
import { blockPoints, type Positions } from './points.js';
import { useLoaded } from '../shell/use-loaded.js';

interface Points {
  /** Of all points; NaN of those that have not come yet. */
  positions?: Positions;
  error?: unknown;
  again: () => void;
}

/** Where the points are: those of the lowest numbers first, the others as they come. */
export function usePoints(source: MapSource, map: MapState): Points {
  const [positions, setPositions] = useState<Positions>();
  useEffect(() => setPositions(undefined), [source, map.job, map.count]);
  const { error, again } = useLoaded(
    async (signal) => {
      const all = new Float32Array(2 * map.count).fill(Number.NaN);
      for (let from = 0; from < map.count; from += blockPoints) {
        all.set(await source.points(map, { from, to: Math.min(from + blockPoints, map.count), signal }), 2 * from);
        signal.throwIfAborted();
        // A new array each time, so that whoever looks sees that it has changed.
        setPositions(all.slice());
      }
    },
    [source, map.job, map.count],
  );
  return { ...(positions && { positions }), error, again };
}
