import type { ExportFormat } from '../../contract/routes.js';
import { MixspaceError } from '../../errors.js';
import type { Item, ItemEmbeddings, ListPlace } from '../../store/catalog.js';
import type { Context } from '../context.js';
import { toldItem } from '../items.js';
import type { ExportedItem } from './exported-item.js';
import { jsonLines } from './json-lines.js';

/** Read, and written, at a time: some milliseconds of the main thread's. */
const pageItems = 256;
const attempts = 5;

const writers: Record<ExportFormat, (pages: AsyncIterable<ExportedItem[]>) => AsyncIterable<Uint8Array>> = {
  jsonl: jsonLines,
  async *parquet(pages) {
    const { parquet } = await import('./parquet.js');
    yield* parquet(pages);
  },
};

/**
 * A collection as the bytes of a file, item by item by id; what is written meanwhile may be in it or not.
 * @throws MixspaceError `not_found`; `conflict`: it is another collection now; `not_ready`: a damaged item, by name.
 */
export function exportItems(context: Context, collection: string, { format, thumbnails }: { format: ExportFormat; thumbnails: boolean }): AsyncIterable<Uint8Array> {
  return writers[format](pagesOf(context, collection, thumbnails));
}

async function* pagesOf({ catalog }: Context, collection: string, withThumbnails: boolean): AsyncGenerator<ExportedItem[]> {
  const { createdAt } = await catalog.getCollection(collection);
  for (let after: ListPlace | undefined; ; ) {
    const { items, next } = await catalog.listItems(collection, { limit: pageItems, ...(after ? { after } : {}) });
    const { fingerprint, items: embedded } = await catalog.getEmbeddings(collection, items.map(({ id }) => id));
    const byId = new Map(embedded.map((each) => [each.id, each]));
    const page: ExportedItem[] = [];
    for (const listed of items) {
      const whole = isOfOneMoment(listed, byId.get(listed.id)) ? { item: listed, of: byId.get(listed.id), fingerprint } : await readAgain(catalog, collection, listed.id);
      if (!whole) continue;
      const { image_url: _image, source_count: _all, ...told } = toldItem(collection, whole.item);
      const parts = whole.of?.parts;
      const thumbnail = withThumbnails && whole.item.hasImage ? await thumbnailOf(catalog, collection, listed.id) : undefined;
      page.push({ ...told, sources: whole.item.sources, fingerprint: whole.fingerprint, embedding: parts?.[0], parts: parts && parts.length > 1 ? parts : undefined, boxes: parts && parts.length > 1 ? whole.of!.boxes.slice(1) : undefined, thumbnail });
    }
    if ((await catalog.getCollection(collection)).createdAt !== createdAt) throw new MixspaceError('conflict', `The collection "${collection}" was deleted, and another of this name made.`);
    yield page;
    if (!next) return;
    after = next;
  }
}

type Embedded = ItemEmbeddings['items'][number];

const isOfOneMoment = (item: Item, of: Embedded | undefined): boolean => (of ? of.contentHash === item.contentHash : item.unembedded !== undefined);

/** What was written anew, or removed, between two questions; `undefined` where it has gone. */
async function readAgain(catalog: Context['catalog'], collection: string, id: string): Promise<{ item: Item; of: Embedded | undefined; fingerprint: string } | undefined> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const item = await ifThere(catalog.getItem(collection, id));
    if (!item) return undefined;
    const { fingerprint, items } = await catalog.getEmbeddings(collection, [id]);
    if (isOfOneMoment(item, items[0]) || attempt === attempts - 1) return { item, of: items[0], fingerprint };
  }
  return undefined;
}

/** `undefined` where there is none. */
async function thumbnailOf(catalog: Context['catalog'], collection: string, id: string): Promise<Uint8Array | undefined> {
  return (await ifThere(catalog.getPicture(collection, id, 'thumbnail')))?.bytes;
}

async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_found') return undefined;
    throw error;
  }
}
