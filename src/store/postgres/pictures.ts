/** What is kept of pictures, and what items can be embedded from once more. */
import { sha256 } from '../../content-hash.js';
import type { Log } from '../../telemetry.js';
import { Sources, type KeptEmbeddings } from '../pictures/sources.js';
import type { StoredItem } from '../stored-item.js';
import { spacesOf, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { partsOf } from './embeddings.js';
import { missingItem } from './items.js';
import { picturesOf } from './tables.js';

/** Lends a connection for as long as `work` needs it: `Database.session`, or one that is held already. */
export type Lend = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

/**
 * Of one collection's items. No connection is held while files are read. With one that is lent for the whole time,
 * ask of one item after the other.
 */
export function sourcesOf(lend: Lend, collection: Pick<CollectionRow, 'key' | 'name'>, log: Log): Sources<StoredItem> {
  return new Sources<StoredItem>({
    rows: {
      thumbnail: async (item) => (item.thumbnail_bytes === null ? 'none' : readPicture(lend, collection, item, 'thumbnail')),
      latest: (item) => lend((session) => latestOf(session, collection.key, item)),
    },
    originals: {
      read: async (item) => {
        const bytes = await readPicture(lend, collection, item, 'original');
        return (await sha256(bytes, 'hex')) === item.content_hash ? { bytes } : { problem: 'it is damaged' };
      },
      size: (item) =>
        lend(async (session) => {
          const row = await session.row<{ bytes: number | null }>(`SELECT octet_length(original) AS bytes FROM ${picturesOf(collection.key)} WHERE item = $1`, [item.key]);
          return row?.bytes ?? undefined;
        }),
    },
    where: 'the database',
    tell: (what, fields) => log('error', what, fields),
  });
}

/** Of an item that has one. Errors: `not_found`: the item has gone. */
async function readPicture(lend: Lend, { key, name }: Pick<CollectionRow, 'key' | 'name'>, item: StoredItem, size: 'thumbnail' | 'original'): Promise<Buffer> {
  const row = await lend((session) => session.row<{ bytes: Buffer | null }>(`SELECT ${size} AS bytes FROM ${picturesOf(key)} WHERE item = $1`, [item.key]));
  if (!row?.bytes) throw missingItem({ name }, item.id);
  return row.bytes;
}

async function latestOf(session: Session, collection: number, { key, modality }: StoredItem): Promise<KeptEmbeddings | undefined> {
  const been = (await spacesOf(session, collection)).filter(({ since }) => since !== null).sort((a, b) => b.since! - a.since!);
  for (const { key: space } of been) {
    const parts = (await partsOf(session, { space, modality }, [key])).get(key);
    if (parts) return { space, parts };
  }
  return undefined;
}
