import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { MixspaceClient } from '../client/index.js';
import { isMissing } from '../files.js';
import { mapLimited } from '../map-limited.js';
import { isWithin } from '../open-file.js';

const pageSize = 1_000;

/** How many items were found under these folders, and under none of them are now. `there`: files that are known to be. */
export async function goneItems(client: MixspaceClient, collection: string, { folders, there, signal }: { folders: string[]; there: ReadonlySet<string>; signal: AbortSignal | undefined }): Promise<number> {
  let gone = 0;
  // What lies in one that lies in another is counted with that.
  for (const folder of new Set(folders.filter((each) => !folders.some((other) => other !== each && isWithin(other, each))))) {
    const prefix = folder.endsWith(path.sep) ? folder : folder + path.sep;
    for await (const { sources, source_count: count } of client.listItems(collection, { filter: { '$item.source': { $prefix: prefix } }, pageSize }, signal ? { signal } : {})) {
      // Where not all of its places are told, it may be at another of them.
      const here = sources.filter((source) => source.startsWith(prefix));
      if (count !== undefined || here.some((source) => there.has(source))) continue;
      const missing = await mapLimited(here, 8, (source) => lstat(source).then(() => false, isMissing));
      if (here.length > 0 && missing.every(Boolean)) gone++;
    }
  }
  return gone;
}
