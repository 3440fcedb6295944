/** Takes in the pictures under folders of this machine, by their paths, without a request. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ItemOutcome } from '../contract/items.js';
import { MixspaceError } from '../errors.js';
import { mapLimited } from '../map-limited.js';
import { contentId, listPictures, unreadable, type LeftOut, type PictureFile } from '../picture-files.js';
import type { Context } from './context.js';
import { ingest } from './ingest.js';

export interface TakenIn {
  found: number;
  created: number;
  /** Already there: the picture was found in one more place. */
  updated: number;
  /** Already there, from this very place. */
  known: number;
  failures: { file: string; reason: string }[];
  leftOut: LeftOut;
}

/** Pictures that are hashed, and looked up, together. */
const lookedUpAtOnce = 256;
const takenAtOnce = 64;
const batchesInFlight = 2;
/** Seconds after which a full queue is tried again, where it does not say. */
const waitSeconds = 1;

/**
 * Takes in what the collection lacks; files that it has from the same place are only read. The paths must lie under the
 * context's roots.
 * @throws MixspaceError `not_found` (a path, or the collection), `disk_full`, `not_ready`; whatever `signal` was aborted with.
 */
export async function takeIn(context: Context, collection: string, paths: string[], signal: AbortSignal): Promise<TakenIn> {
  const { pictures, leftOut } = await listPictures(paths, signal);
  const taken: TakenIn = { found: pictures.length, created: 0, updated: 0, known: 0, failures: [], leftOut };
  const batchFiles = Math.min(takenAtOnce, context.limits.items);
  for (let from = 0; from < pictures.length; from += lookedUpAtOnce) {
    const lacking = await unknown(context, collection, pictures.slice(from, from + lookedUpAtOnce), taken, signal);
    const batches = Array.from({ length: Math.ceil(lacking.length / batchFiles) }, (_, i) => lacking.slice(i * batchFiles, (i + 1) * batchFiles));
    await mapLimited(batches, batchesInFlight, async (batch) => {
      const outcomes = await whenThereIsRoom(() => ingest(context, collection, batch.map(({ file }) => ({ source: file, content: { path: file } })), { signal }), signal);
      batch.forEach(({ file }, index) => note(taken, file, outcomes.items[index]!));
    });
  }
  return taken;
}

/** Those that the collection lacks, or has from other places only. */
async function unknown(context: Context, collection: string, pictures: PictureFile[], taken: TakenIn, signal: AbortSignal): Promise<PictureFile[]> {
  signal.throwIfAborted();
  const hashed = await mapLimited(pictures, 4, async (picture) => {
    const id = await contentId(picture).catch((error: unknown) => void taken.failures.push({ file: picture.file, reason: unreadable(error) }));
    return { picture, id };
  });
  const readable = hashed.filter((each): each is { picture: PictureFile; id: string } => each.id !== undefined);
  const there = new Set((await context.store.present(collection, [...new Set(readable.map(({ id }) => id))])).map(({ id }) => id));
  const isKnown = await mapLimited(readable, 8, async ({ picture, id }) => there.has(id) && (await isKnownAt(context, collection, id, picture.file)));
  taken.known += isKnown.filter(Boolean).length;
  return readable.filter((_, index) => !isKnown[index]).map(({ picture }) => picture);
}

async function isKnownAt({ store }: Context, collection: string, id: string, file: string): Promise<boolean> {
  try {
    return (await store.getItem(collection, id)).sources.includes(file);
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_found') return false;
    throw error;
  }
}

async function whenThereIsRoom<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MixspaceError) || error.code !== 'overloaded') throw error;
      await delay((error.retryAfter ?? waitSeconds) * 1000, undefined, { signal });
    }
  }
}

function note(taken: TakenIn, file: string, { status, error }: ItemOutcome): void {
  if (status === 'failed') taken.failures.push({ file, reason: error?.message ?? 'The service does not say why.' });
  else if (status === 'unchanged') taken.known++;
  else taken[status]++;
}
