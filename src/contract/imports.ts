import { z } from 'zod';
import { Id, Metadata } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const sources = ['path', 'archive', 'urls'] as const;
const Path = z.string().min(1).max(limits.pathLength);
const ListedUrl = z.string().min(1).max(limits.urlLength, `A URL has at most ${limits.urlLength} characters.`);
const ListedPicture = z.strictObject({ url: ListedUrl, id: maybe(Id), metadata: maybe(Metadata) });

/** What a file that is sent in place of JSON may be. What it is, its first bytes say. */
export const importTypes = ['application/zip', 'application/x-tar', 'application/gzip', 'application/jsonl', 'application/x-ndjson', 'text/csv'] as const;

export const ImportRequest = z
  .strictObject({
    path: maybe(Path).meta({ description: "Under the server's roots: a folder, an archive (zip, tar, tar.gz), or a list of URLs (JSON Lines or CSV with a field `url`, perhaps `id`; all else is metadata)." }),
    archive: maybe(Path).meta({ description: 'As `path`, of an archive alone.' }),
    urls: maybe(list(z.union([ListedUrl, ListedPicture])).min(1).max(limits.importUrls, `At most ${limits.importUrls} URLs; a list in a file may hold more.`)).meta({ description: 'https URLs, each alone or with an id and metadata.' }),
  })
  .check(({ value, issues }) => {
    const given = sources.filter((field) => value[field] !== undefined);
    if (given.length !== 1) issues.push({ code: 'custom', path: given.length > 1 ? [given[1]!] : [], input: value, message: `An import has exactly one of ${sources.join(', ')}${given.length ? `, not ${given.join(' and ')}` : ''}.` });
  })
  .meta({ id: 'ImportRequest' });
export type ImportRequest = z.infer<typeof ImportRequest>;

export const ImportQuery = z.strictObject({
  name: z.string().min(1).max(limits.importNameLength).regex(/^[^/\\\0]+$/, 'A name has no slashes.').optional().meta({ description: 'Of a file that is sent: its name, which stands in the sources of its items.' }),
});
