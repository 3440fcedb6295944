import { byModality, modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Catalog, CollectionDescription } from '../catalog.js';
import { allCollections, dropCollection, findCollection, identityOf, insertCollection, spacesOf, spaceTalliesOf, takeCollection, talliesOf, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { graphsOf } from './graphs.js';
import type { Parts } from './parts.js';
import { reembeddingOf } from './reembeddings.js';
import { itemsOf } from './tables.js';

const bytesPerNumber = 4;

type CollectionCatalog = Pick<Catalog, 'createCollection' | 'listCollections' | 'getCollection' | 'describeCollection' | 'setTextFields' | 'setTiles' | 'deleteCollection' | 'cursorKey' | 'check'>;

export function collectionCatalogOf({ database, settings }: Parts): CollectionCatalog {
  const describe = async (session: Session, row: CollectionRow): Promise<CollectionDescription> => {
    const items = await talliesOf(session, row.key);
    const tallies = await spaceTalliesOf(session, row.space);
    const reembedding = await reembeddingOf(session, row.key);
    const { unread } = (await session.row<{ unread: number }>(`SELECT count(*) AS unread FROM ${itemsOf(row.key)} WHERE unread`))!;
    let bytes = modalities.reduce((sum, modality) => sum + items[modality].bytes, 0);
    for (const { key, dimension, since } of await spacesOf(session, row.key)) {
      if (since !== null) bytes += dimension * bytesPerNumber * sum(await spaceTalliesOf(session, key), 'embeddings');
    }
    return {
      ...identityOf(row),
      counts: byModality((modality) => items[modality].items),
      parts: sum(tallies, 'embeddings'),
      unembedded: sum(tallies, 'unembedded'),
      bytes,
      graph: await graphsOf(session, { space: row.space, tallies, settings }),
      recall: modalities.map((modality) => ({ modality, state: tallies[modality].embeddings < settings.graphFrom ? 'exact' : 'unknown', bands: [] })),
      unread,
      ...(reembedding && { reembedding }),
    };
  };
  /** The row is taken, changed, and told as it is then. */
  const change = (name: string, work: (session: Session, row: CollectionRow) => Promise<void>): Promise<CollectionDescription> =>
    database.write(async (session) => {
      await work(session, await takeCollection(session, name));
      return describe(session, await findCollection(session, name));
    });
  return {
    createCollection: (collection) => database.write(async (session) => describe(session, await insertCollection(session, collection))),
    listCollections: () =>
      database.read(async (session) => {
        const described: CollectionDescription[] = [];
        for (const row of await allCollections(session)) described.push(await describe(session, row));
        return described;
      }),
    getCollection: (name) => database.session(async (session) => identityOf(await findCollection(session, name))),
    describeCollection: (name) => database.read(async (session) => describe(session, await findCollection(session, name))),
    setTextFields: (name, fields) =>
      change(name, async (session, row) => {
        await session.write('UPDATE collections SET text_fields = $1 WHERE key = $2', [JSON.stringify(fields), row.key]);
        await session.write(`UPDATE ${itemsOf(row.key)} SET unread = true WHERE NOT unread`);
      }),
    setTiles: (name, tiles) => change(name, async (session, row) => void (await session.write('UPDATE collections SET tiles = $1 WHERE key = $2', [tiles, row.key]))),
    deleteCollection: (name) => database.write(async (session) => dropCollection(session, await takeCollection(session, name))),
    cursorKey: () =>
      database.session(async (session) => {
        const { cursor_key } = (await session.row<{ cursor_key: Buffer }>('SELECT cursor_key FROM store'))!;
        return Uint8Array.from(cursor_key);
      }),
    check: () =>
      database.read(async (session) => {
        for (const { key, name } of await allCollections(session)) {
          const there = await session.row<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [itemsOf(key)]);
          if (!there?.is) throw new MixspaceError('not_ready', `The items of the collection "${name}" are not in the database any more.`);
        }
      }),
  };
}

function sum<Key extends string>(tallies: Record<string, Record<Key, number>>, key: Key): number {
  return Object.values(tallies).reduce((all, tally) => all + tally[key], 0);
}
