/** The job that cuts the pictures that are there as their collection wants it by now. What is cut lies in the store, where the next run finds what is left. */
import type { Tiles } from '../../domain/tiles.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import type { Context } from '../context.js';
import { cutAll } from './cut-all.js';

export const tilesJob = 'tiles';

export interface TilesParameters {
  tiles: Tiles;
}

/** What all runs so far have come to. */
interface Checkpoint {
  originals: number;
  thumbnails: number;
  bytes: number;
  seconds: number;
}

export function tilesKind(context: Context): JobKind<TilesParameters> {
  return { name: tilesJob, isPausable: true, isSingle: false, retriesFailures: true, run: (work) => run(context, work) };
}

async function run(context: Context, work: JobWork<TilesParameters>): Promise<JobEnd> {
  const { parameters, collection } = work.job;
  const { tiles } = parameters;
  const name = collection!;
  const { originals = 0, thumbnails = 0, bytes = 0, seconds = 0 } = (work.job.checkpoint as Checkpoint | undefined) ?? {};
  const all: Checkpoint = { originals, thumbnails, bytes, seconds };
  const { counts } = await context.catalog.describeCollection(name);
  let [done, failed] = [0, 0];
  let since = performance.now();
  const isDone = await cutAll(context, { collection: name, tiles, signal: work.signal }, {
    begin: () => ([done, failed] = [0, 0]),
    cut: async (some) => {
      done += some.done;
      failed += some.unreachable.length;
      all.originals += some.originals;
      all.thumbnails += some.thumbnails;
      all.bytes += some.bytes;
      all.seconds += (performance.now() - since) / 1000;
      since = performance.now();
      for (const { id, reason } of some.unreachable) await work.failed({ what: 'item', name: id, reason });
      work.at({ done, failed, total: Math.max(counts.image, done + failed) });
      await work.save({ ...all } satisfies Checkpoint);
    },
  });
  if (!isDone) return { cancelled: 'Its pictures are to be cut otherwise by now: another job does so.' };
  work.at({ done, failed, total: done + failed });
  return { result: { tiles, from_originals: all.originals, from_thumbnails: all.thumbnails, unreachable: failed, bytes: all.bytes, seconds: Math.round(all.seconds * 10) / 10 } };
}
