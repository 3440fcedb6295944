import { isUnderWay } from '../../domain/job.js';
import type { Tiles } from '../../domain/tiles.js';
import { total } from '../../domain/modality.js';
import type { JobContext } from '../context.js';
import { tilesJob, type TilesParameters } from './job.js';

/**
 * Pictures of the collection are cut like that from now on; the id of the job that does so with those that are there, where
 * there is something to be done. @throws MixspaceError `not_found`, `overloaded`.
 */
export async function wantTiles({ catalog, jobs }: JobContext, name: string, tiles: Tiles): Promise<string | undefined> {
  const { tiles: before, parts, counts, unembedded } = await catalog.describeCollection(name);
  const latest = await jobs.find(tilesJob, name);
  if (before === tiles) {
    if (latest && isUnderWay(latest.state) && (latest.parameters as TilesParameters).tiles === tiles) return latest.id;
    if (tiles === 'none' && parts <= total(counts) - unembedded) return undefined;
  } else await catalog.setTiles(name, tiles);
  const { job } = await jobs.start(tilesJob, { collection: name, parameters: { tiles } satisfies TilesParameters });
  return job.id;
}
