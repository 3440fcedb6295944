import type { ExportFormat } from '../../contract/routes.js';
import { MixspaceError } from '../../errors.js';
import type { ListPlace } from '../../store/catalog.js';
import type { Context } from '../context.js';
import { toldItem } from '../items.js';
import type { ExportedItem } from './exported-item.js';
import { jsonLines } from './json-lines.js';
import { parquet } from './parquet.js';

/** Read, and written, at a time: some milliseconds of the main thread's. */
const pageItems = 256;

const writers: Record<ExportFormat, (pages: AsyncIterable<ExportedItem[]>) => AsyncIterable<Uint8Array>> = { jsonl: jsonLines, parquet };

/**
 * A collection as the bytes of a file, item by item by id; what is written meanwhile may be in it or not.
 * @throws MixspaceError `not_found`; `not_ready`: a damaged item, by name.
 */
export function exportItems(context: Context, collection: string, { format, thumbnails }: { format: ExportFormat; thumbnails: boolean }): AsyncIterable<Uint8Array> {
  return writers[format](pagesOf(context, collection, thumbnails));
}

async function* pagesOf({ catalog }: Context, collection: string, withThumbnails: boolean): AsyncGenerator<ExportedItem[]> {
  for (let after: ListPlace | undefined; ; ) {
    const { items, next } = await catalog.listItems(collection, { limit: pageItems, ...(after ? { after } : {}) });
    const { fingerprint, items: embedded } = await catalog.getEmbeddings(collection, items.map(({ id }) => id));
    const byId = new Map(embedded.map(({ id, parts }) => [id, parts]));
    const page: ExportedItem[] = [];
    for (const item of items) {
      const { image_url: _image, ...told } = toldItem(collection, item);
      const parts = byId.get(item.id);
      const thumbnail = withThumbnails && item.hasImage ? await thumbnailOf(catalog, collection, item.id) : undefined;
      page.push({ ...told, fingerprint, embedding: parts?.[0], parts: parts && parts.length > 1 ? parts : undefined, thumbnail });
    }
    yield page;
    if (!next) return;
    after = next;
  }
}

/** `undefined` where there is none. */
async function thumbnailOf(catalog: Context['catalog'], collection: string, id: string): Promise<Uint8Array | undefined> {
  try {
    return (await catalog.getPicture(collection, id, 'thumbnail')).bytes;
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_found') return undefined;
    throw error;
  }
}
