import type { JobResponse } from '../../contract/classifiers.js';
import type { ImportRequest } from '../../contract/imports.js';
import { MixspaceError } from '../../errors.js';
import { absoluteName } from '../../file-names.js';
import type { JobContext } from '../context.js';
import { toldJob } from '../jobs.js';
import { importJob } from './job.js';
import { requireSent, requireSource, type ImportParameters } from './open-source.js';
import { openPlain } from './place.js';

/**
 * `POST .../imports`, of what lies under a root, or of URLs.
 * @throws MixspaceError `not_found`: no such collection; `unprocessable`: the path is outside the roots, or nothing that is imported.
 */
export async function importFrom(context: JobContext, collection: string, { path: given, archive, urls }: ImportRequest): Promise<JobResponse> {
  await context.catalog.getCollection(collection);
  if (urls !== undefined) {
    const lines = urls.map((each) => `${JSON.stringify(typeof each === 'string' ? { url: each } : each)}\n`);
    return begin(context, collection, { upload: await context.imports.uploads.keep(inPieces(lines)), name: 'urls' });
  }
  const at = archive ?? given!;
  await requireSource(context, { path: at, onlyArchive: archive !== undefined }).catch((error: unknown) => {
    throw error instanceof MixspaceError && archive !== undefined ? new MixspaceError(error.code, error.message, { param: 'archive' }) : error;
  });
  return begin(context, collection, { path: absoluteName(at) });
}

/** The same of a file that is sent. @throws MixspaceError `not_found`; `unprocessable`: it is no archive and no list; `disk_full`. */
export async function importUpload(context: JobContext, collection: string, bytes: AsyncIterable<Uint8Array>, name = 'upload'): Promise<JobResponse> {
  await context.catalog.getCollection(collection);
  const { uploads } = context.imports;
  const upload = await uploads.keep(bytes);
  try {
    const file = await openPlain(uploads.fileOf(upload), undefined);
    try {
      await requireSent(file);
    } finally {
      await file.handle.close();
    }
  } catch (error) {
    await uploads.remove(upload);
    throw error;
  }
  return begin(context, collection, { upload, name });
}

async function begin({ jobs, imports }: JobContext, collection: string, from: ImportParameters['from']): Promise<JobResponse> {
  try {
    const { job } = await jobs.start(importJob, { collection, parameters: { from } satisfies ImportParameters });
    return { job: toldJob(job) };
  } catch (error) {
    if ('upload' in from) await imports.uploads.remove(from.upload);
    throw error;
  }
}

async function* inPieces(lines: string[]): AsyncGenerator<Buffer> {
  for (let from = 0; from < lines.length; from += 1000) yield Buffer.from(lines.slice(from, from + 1000).join(''));
}
