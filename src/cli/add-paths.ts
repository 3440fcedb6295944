import path from 'node:path';
import { batches, MixspaceApiError, type MixspaceClient } from '../client/index.js';
import type { ItemOutcome } from '../contract/items.js';
import { mapLimited } from '../map-limited.js';
import { listPictures, readPictureFile, sorted, unreadable, type Known, type LeftOut, type PictureFile, type WalkOptions } from '../picture-files.js';
import { goneItems } from './gone-items.js';

export interface AddFailure {
  file: string;
  reason: string;
}

export interface AddSummary {
  found: number;
  created: number;
  /** Already there: the picture was found in one more place. */
  updated: number;
  /** Already there, from this very place. */
  known: number;
  failures: AddFailure[];
  leftOut: LeftOut;
  /** Items that were found under the paths, and whose files are no longer there. */
  gone: number;
  stopped: boolean;
}

export interface AddOptions extends WalkOptions {
  collection: string;
  /** Stops it; the summary says so. */
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** Pictures that are hashed, and asked for, together. */
const askedAtOnce = 256;
const batchFiles = 64;
const batchBytes = 16e6;
const requestsInFlight = 2;

/**
 * Sends the pictures under the paths that are not there yet: by path where the service may read it, else as an upload.
 * @throws MixspaceApiError, MixspaceUnreachableError when the service takes nothing more; what was sent stays, so the next run goes on from there.
 */
export async function addPaths(client: MixspaceClient, paths: string[], options: AddOptions): Promise<AddSummary> {
  const { pictures, leftOut } = await listPictures(paths, options.signal, options);
  const summary: AddSummary = { found: pictures.length, created: 0, updated: 0, known: 0, failures: [], leftOut, gone: 0, stopped: false };
  try {
    await new Adding(client, options, summary).run(pictures);
    summary.gone = await goneItems(client, options.collection, { folders: paths.map((each) => path.resolve(each)), there: new Set(pictures.map(({ file }) => file)), signal: options.signal });
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    summary.stopped = true;
  }
  return summary;
}

class Adding {
  /** Paths of the command line whose files the service may not read. */
  readonly #refused = new Set<string>();
  readonly #mayReadPaths: boolean;
  #done = 0;

  constructor(
    readonly client: MixspaceClient,
    readonly options: AddOptions,
    readonly summary: AddSummary,
  ) {
    this.#mayReadPaths = isLoopback(client.url);
  }

  get #call(): { signal?: AbortSignal } {
    return this.options.signal ? { signal: this.options.signal } : {};
  }

  async run(pictures: PictureFile[]): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    for await (const batch of batches(this.#unknown(pictures), ({ bytes }) => bytes, batchFiles, batchBytes)) {
      const sending = this.#send(batch).finally(() => inFlight.delete(sending));
      // Its error is met at the race or at the end, maybe after the next has begun.
      sending.catch(() => {});
      inFlight.add(sending);
      if (inFlight.size >= requestsInFlight) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  }

  /** Those that the service lacks, or has from other places only. */
  async *#unknown(pictures: PictureFile[]): AsyncGenerator<PictureFile> {
    for (let from = 0; from < pictures.length; from += askedAtOnce) {
      this.options.signal?.throwIfAborted();
      const { lacking, known, failures } = await sorted(pictures.slice(from, from + askedAtOnce), this.#known);
      for (const { file, reason } of failures) this.#fail({ file }, reason);
      for (const _ of known) {
        this.summary.known++;
        this.#advance();
      }
      yield* lacking;
    }
  }

  get #known(): Known {
    const { client, options: { collection } } = this;
    return {
      there: async (ids) => {
        const missing = new Set((await client.itemsExist(collection, ids, this.#call)).missing);
        return new Set(ids.filter((id) => !missing.has(id)));
      },
      sourcesOf: async (id) => {
        try {
          return (await client.getItem(collection, id, this.#call)).sources;
        } catch (error) {
          if (error instanceof MixspaceApiError && error.status === 404) return [];
          throw error;
        }
      },
    };
  }

  async #send(batch: PictureFile[]): Promise<void> {
    const isReadable = ({ root }: PictureFile): boolean => this.#mayReadPaths && !this.#refused.has(root);
    const refused = await this.#sendPaths(batch.filter(isReadable));
    await this.#upload([...batch.filter((picture) => !isReadable(picture) && !refused.includes(picture)), ...refused]);
  }

  /** Answers with those that the service refuses to read. */
  async #sendPaths(pictures: PictureFile[]): Promise<PictureFile[]> {
    if (pictures.length === 0) return [];
    const items = pictures.map(({ file }) => ({ path: file, source: file }));
    const outcomes = await this.client.addItems(this.options.collection, items, this.#call);
    const refused = pictures.filter((_, index) => isPathRefused(outcomes[index]!));
    for (const { root } of refused) {
      if (pictures.every((picture) => picture.root !== root || refused.includes(picture))) this.#refused.add(root);
    }
    pictures.forEach((picture, index) => {
      if (!refused.includes(picture)) this.#settle(picture, outcomes[index]!);
    });
    return refused;
  }

  async #upload(pictures: PictureFile[]): Promise<void> {
    const read = await mapLimited(pictures, 4, async (picture) => {
      const bytes = await readPictureFile(picture).catch((error: unknown) => this.#fail(picture, unreadable(error)));
      return bytes && { picture, file: { blob: new Blob([bytes]), name: path.basename(picture.file), source: picture.file } };
    });
    const uploads = read.filter((each) => each !== undefined);
    if (uploads.length === 0) return;
    try {
      const outcomes = await this.client.uploadItems(this.options.collection, uploads.map(({ file }) => file), this.#call);
      uploads.forEach(({ picture }, index) => this.#settle(picture, outcomes[index]!));
    } catch (error) {
      if (!(error instanceof MixspaceApiError) || error.status !== 413) throw error;
      if (uploads.length === 1) return this.#fail(uploads[0]!.picture, error.message);
      for (const { picture } of uploads) await this.#upload([picture]);
    }
  }

  #settle(picture: PictureFile, { status, error }: ItemOutcome): void {
    if (status === 'failed') return this.#fail(picture, error?.message ?? 'The service does not say why.');
    if (status === 'unchanged') this.summary.known++;
    else this.summary[status]++;
    this.#advance();
  }

  #fail({ file }: Pick<PictureFile, 'file'>, reason: string): undefined {
    this.summary.failures.push({ file, reason });
    this.#advance();
  }

  #advance(): void {
    this.options.onProgress?.(++this.#done, this.summary.found);
  }
}

/** Not so what is wrong with the picture itself. */
function isPathRefused({ error }: ItemOutcome): boolean {
  return error !== undefined && (error.param ?? '').endsWith('path') && ['unprocessable', 'forbidden', 'not_found'].includes(error.code);
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || hostname.startsWith('127.');
}
