import { MixspaceError } from '../../errors.js';
import { sizeOf } from '../stored-item.js';
import type { TileCatalog } from '../tile-catalog.js';
import { findCollection, takeCollection } from './collections.js';
import { boxesOf, insertParts, removeParts, type NewPart } from './embeddings.js';
import { itemsByKeys } from './items.js';
import type { Parts } from './parts.js';
import { sourcesOf } from './pictures.js';
import { itemsOf } from './tables.js';
import { Tallies } from './tallies.js';

const modality = 'image';
const bytesPerNumber = 4;

export function tileCatalogOf({ database, log }: Parts): TileCatalog {
  return {
    listTiled: (name, { after, limit }) =>
      database.read(async (session) => {
        const collection = await findCollection(session, name);
        const { key, space, fingerprint } = collection;
        const page = await session.rows<{ key: number; id: string; width: number | null; height: number | null; is_embedded: boolean }>(
          `SELECT key, id, width, height, NOT EXISTS (SELECT FROM unembedded WHERE space = $1 AND item = items.key) AS is_embedded
             FROM ${itemsOf(key)} AS items WHERE modality = $2 AND key > $3 ORDER BY key LIMIT $4`,
          [space, modality, after, limit],
        );
        const embedded = page.filter(({ is_embedded }) => is_embedded);
        const boxes = await boxesOf(session, { space, modality }, embedded.map((item) => item.key));
        const items = embedded.map((item) => ({ key: item.key, id: item.id, ...sizeOf(item), boxes: boxes.get(item.key) ?? [] }));
        return { fingerprint, items, ...(page.length === limit ? { through: page.at(-1)!.key } : {}) };
      }),
    readTileSources: async (name, keys) => {
      const { collection, items } = await database.read(async (session) => {
        const found = await findCollection(session, name);
        return { collection: found, items: new Map((await itemsByKeys(session, found, keys)).map((item) => [item.key, item])) };
      });
      const sources = sourcesOf((work) => database.session(work), collection, log);
      return Promise.all(
        keys.map(async (key) => {
          const item = items.get(key);
          return item && sources.uncut(item);
        }),
      );
    },
    putTiles: (name, made, cut) =>
      database.write(async (session) => {
        const collection = await takeCollection(session, name);
        const { space, fingerprint, tiles: wanted, dimension } = collection;
        if (made.fingerprint !== fingerprint || made.tiles !== wanted) throw new MixspaceError('conflict', `Collection "${name}" wants other tiles by now.`);
        const items = new Map((await itemsByKeys(session, collection, cut.map(({ key }) => key))).map((item) => [item.key, item]));
        const last = new Map(cut.filter(({ key }) => items.get(key)?.unembedded === null).map((each) => [each.key, each]));
        const gone = await removeParts(session, { space, modality }, [...last.keys()], 1);
        const parts = [...last.values()].flatMap(({ key, tiles }) => tiles.map(({ box, embedding }, i): NewPart => ({ item: key, part: 1 + i, box, embedding })));
        await insertParts(session, { space, modality }, parts);
        const more = parts.length - gone.embeddings;
        const tallies = new Tallies();
        tallies.addEmbeddings(space, modality, { embeddings: more });
        await tallies.write(session);
        return { bytes: more * dimension * bytesPerNumber };
      }),
  };
}
