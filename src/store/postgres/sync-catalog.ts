import { boundsOf } from '../paths-under.js';
import type { SyncCatalog } from '../sync-catalog.js';
import { Sightings } from '../writing/sightings.js';
import type { SeenRow } from '../writing/tables.js';
import { findCollection, holdCollection, takeCollection } from './collections.js';
import type { Session } from './database.js';
import type { Parts } from './parts.js';
import { isGone } from './problems.js';
import { itemsOf } from './tables.js';
import { changeItems } from './transact.js';

/** What lies under a path, of a machine in a collection: `$1` to `$5`, of which `valuesUnder` are the values. By the index of the beginnings of paths. */
const isUnder = `collection = $1 AND machine = $2 AND (path = $3 OR (path >= $4 AND path < $5)) AND left(path, 500) >= left($3, 500) AND left(path, 500) <= left($5, 500)`;

function valuesUnder(collection: number, machine: string, under: string): unknown[] {
  const { alone, first, last } = boundsOf(under);
  return [collection, machine, alone, first, last];
}

export function syncCatalogOf({ database }: Parts): SyncCatalog {
  return {
    listSeen: (name, machine, under, { limit, after = '' }) =>
      database.read(async (session) => {
        const { key } = await findCollection(session, name);
        const rows = await session.rows<SeenRow & { is_there: boolean }>(
          `SELECT path, stamp, item, former, EXISTS (SELECT 1 FROM ${itemsOf(key)} WHERE id = item) AS is_there FROM seen_files
             WHERE ${isUnder} AND path > $6 AND left(path, 500) >= left($6, 500) ORDER BY left(path, 500), path LIMIT $7`,
          [...valuesUnder(key, machine, under), after, limit + 1],
        );
        const files = rows.slice(0, limit).map(({ is_there, former, ...file }) => ({ ...file, isThere: is_there, ...(former === null ? {} : { former }) }));
        return { files, more: rows.length > limit };
      }, isGone),
    countSeen: (name, machine, under) =>
      database.read(async (session) => {
        const { key } = await findCollection(session, name);
        return (await session.row<{ count: number }>(`SELECT count(*) AS count FROM seen_files WHERE ${isUnder}`, valuesUnder(key, machine, under)))!.count;
      }),
    noteSeen: (name, machine, files) =>
      database.write(async (session) => {
        const { key } = await holdCollection(session, name);
        const last = [...new Map(files.map((file) => [file.path, file])).values()];
        if (last.length === 0) return;
        await session.write(
          `INSERT INTO seen_files (collection, machine, path, stamp, item) SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[])
             ON CONFLICT (collection, machine, md5(path)) DO UPDATE SET stamp = excluded.stamp, item = excluded.item`,
          [key, machine, last.map(({ path }) => path), last.map(({ stamp }) => stamp), last.map(({ item }) => item)],
        );
      }),
    settleSeen: (name, machine, paths) =>
      database.write(async (session) => {
        const collection = await takeCollection(session, name);
        const files = paths.map((path) => ({ machine, path }));
        return changeItems(session, collection, { ids: [], files }, (tables, changes) => {
          const sightings = new Sightings(tables);
          return files.map((file) => sightings.settle(collection, file, changes)).filter((id) => id !== undefined);
        });
      }),
    forgetSeen: (name, machine, seen) =>
      database.write(async (session) => {
        const collection = await takeCollection(session, name);
        const files = seen.map((file) => ({ machine, ...file }));
        const gone = await changeItems(session, collection, { ids: [], files }, (tables, changes) => {
          const sightings = new Sightings(tables);
          return files.map((file) => sightings.forget(collection, file, changes)).filter((ids) => ids !== undefined);
        });
        return { files: gone.length, items: gone.flat() };
      }),
    listMounts: (name, machine, under) => database.read(async (session) => mountsUnder(session, valuesUnder((await findCollection(session, name)).key, machine, under))),
    putMounts: (name, machine, under, mounts) =>
      database.write(async (session) => {
        const { key } = await holdCollection(session, name);
        const before = await mountsUnder(session, valuesUnder(key, machine, under));
        const gone = before.filter((path) => !mounts.includes(path));
        if (gone.length > 0) await session.write('DELETE FROM seen_mounts WHERE collection = $1 AND machine = $2 AND path = ANY($3)', [key, machine, gone]);
        await session.write('INSERT INTO seen_mounts (collection, machine, path) SELECT $1, $2, * FROM unnest($3::text[]) ON CONFLICT DO NOTHING', [key, machine, mounts]);
      }),
  };
}

async function mountsUnder(session: Session, values: unknown[]): Promise<string[]> {
  return (await session.rows<{ path: string }>(`SELECT path FROM seen_mounts WHERE ${isUnder}`, values)).map(({ path }) => path);
}
