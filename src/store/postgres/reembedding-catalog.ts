import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { SourceChoice } from '../pictures/sources.js';
import { planFrom, readFrom } from '../pictures/to-reembed.js';
import type { ReembeddedItem, ReembeddingCatalog } from '../reembedding-catalog.js';
import type { StoredItem } from '../stored-item.js';
import { dropSpace, findCollection, goOver, holdCollection, insertSpace, spacesOf, spaceTalliesOf, talliesOf, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { insertParts, removeParts, type NewPart } from './embeddings.js';
import { itemColumns, itemsByKeys, toStoredItem } from './items.js';
import type { Parts } from './parts.js';
import { sourcesOf, type Lend } from './pictures.js';
import { reembeddingRow, type ReembeddingRow } from './reembeddings.js';
import { embeddingsOf, itemsOf } from './tables.js';
import { Tallies } from './tallies.js';

const pageRows = 512;

export function reembeddingCatalogOf({ database, log }: Parts): ReembeddingCatalog {
  const lend: Lend = (work) => database.session(work);
  return {
    planReembedding: async (name, target) => {
      const { collection, started, choice } = await database.read(async (session) => {
        const found = await findCollection(session, name);
        const row = await reembeddingRow(session, found.key);
        return { collection: found, started: row?.fingerprint === target.fingerprint ? row.space : undefined, choice: await choiceOf(session, found, target) };
      });
      return planFrom(allItems(lend, collection, started), sourcesOf(lend, collection, log), choice);
    },
    startReembedding: (name, target) =>
      database.write(async (session) => {
        const collection = await holdCollection(session, name);
        const row = await reembeddingRow(session, collection.key);
        if (row && row.fingerprint !== target.fingerprint) {
          throw new MixspaceError('conflict', `Collection "${name}" is being embedded again with model "${row.model}": stop and discard that first.`, { param: 'model' });
        }
        const choices = [target.fromThumbnails, target.skipImpossible];
        if (row) {
          await forgetUnembedded(session, row.space);
          await session.write("UPDATE reembeddings SET state = 'running', problem = NULL, from_thumbnails = $2, skip_impossible = $3 WHERE collection = $1", [collection.key, ...choices]);
          return;
        }
        const space = await insertSpace(session, collection.key, target, null);
        await session.write("INSERT INTO reembeddings (collection, space, from_thumbnails, skip_impossible, state, started_at) VALUES ($1, $2, $3, $4, 'running', $5)", [collection.key, space, ...choices, new Date().toISOString()]);
      }),
    nextToReembed: async (name, { limit, after }) => {
      const { collection, choice, items } = await database.read(async (session) => {
        const found = await findCollection(session, name);
        const row = await require(session, found);
        let page: StoredItem[] = [];
        for (const modality of modalities.slice(after ? modalities.indexOf(after.modality) : 0)) {
          page = await waiting(session, found, { space: row.space, modality, after: after?.modality === modality ? after.key : 0, limit });
          if (page.length > 0) break;
        }
        return { collection: found, choice: await choiceOf(session, found, row), items: page };
      });
      return readFrom(items, sourcesOf(lend, collection, log), choice);
    },
    putReembedded: (name, fingerprint, items) =>
      database.write(async (session) => {
        const collection = await holdCollection(session, name);
        const { space } = await require(session, collection, fingerprint);
        await put(session, { collection, space }, items);
      }),
    finishReembedding: (name) =>
      database.write(async (session) => {
        const collection = await holdCollection(session, name);
        const { space, skipImpossible } = await require(session, collection);
        const tallies = Object.values(await spaceTalliesOf(session, space));
        const impossible = tallies.reduce((sum, { unembedded }) => sum + unembedded, 0);
        const all = Object.values(await talliesOf(session, collection.key)).reduce((sum, { items }) => sum + items, 0);
        if (tallies.reduce((sum, { items }) => sum + items, 0) + impossible < all) return 'pending';
        if (impossible > 0 && !skipImpossible) return 'impossible';
        await session.write('DELETE FROM reembeddings WHERE collection = $1', [collection.key]);
        await goOver(session, collection, space);
        return 'done';
      }),
    stopReembedding: (name, problem) =>
      database.write(async (session) => {
        const collection = await holdCollection(session, name);
        await require(session, collection);
        await session.write("UPDATE reembeddings SET state = 'stopped', problem = $2 WHERE collection = $1", [collection.key, problem ?? null]);
      }),
    discardReembedding: (name) =>
      database.write(async (session) => {
        const collection = await holdCollection(session, name);
        const { space } = await require(session, collection);
        await session.write('DELETE FROM reembeddings WHERE collection = $1', [collection.key]);
        await dropSpace(session, space);
      }),
    listImpossible: (name, limit) =>
      database.read(async (session) => {
        const collection = await findCollection(session, name);
        const row = await reembeddingRow(session, collection.key);
        return session.rows(`SELECT id, reason FROM unembedded JOIN ${itemsOf(collection.key)} AS items ON items.key = unembedded.item WHERE space = $1 ORDER BY item LIMIT $2`, [row?.space ?? collection.space, limit]);
      }),
  };
}

async function require(session: Session, { key, name }: CollectionRow, fingerprint?: string): Promise<ReembeddingRow> {
  const row = await reembeddingRow(session, key);
  if (row && (fingerprint === undefined || row.fingerprint === fingerprint)) return row;
  throw new MixspaceError('conflict', `Collection "${name}" is not being embedded again${fingerprint === undefined ? '' : ' into this space'}.`);
}

async function choiceOf(session: Session, { key }: CollectionRow, { fingerprint, fromThumbnails }: { fingerprint: string; fromThumbnails: boolean }): Promise<SourceChoice> {
  const same = (await spacesOf(session, key)).filter((space) => space.since !== null && space.fingerprint === fingerprint);
  return { spaces: new Set(same.map((space) => space.key)), fromThumbnails };
}

/** Whose outcome is not there; in no space, all are waiting. */
async function waiting(session: Session, { key, space: own }: CollectionRow, { space, modality, after, limit }: { space: number | undefined; modality: Modality; after: number; limit: number }): Promise<StoredItem[]> {
  const waits =
    space === undefined
      ? ''
      : `AND NOT EXISTS (SELECT FROM ${embeddingsOf(space, modality)} AS theirs WHERE theirs.item = items.key AND part = 0)
         AND NOT EXISTS (SELECT FROM unembedded AS theirs WHERE theirs.space = ${space} AND theirs.item = items.key)`;
  const rows = await session.rows<StoredItem>(`SELECT ${itemColumns(own)} FROM ${itemsOf(key)} AS items WHERE modality = $1 AND key > $2 ${waits} ORDER BY key LIMIT $3`, [modality, after, limit]);
  return rows.map(toStoredItem);
}

/** Of all modalities; what was tried in vain is tried again by the next start. */
async function* allItems(lend: Lend, collection: CollectionRow, space: number | undefined): AsyncGenerator<StoredItem> {
  for (const modality of modalities) {
    for (let after = 0; ; ) {
      const page = await lend((session) => waiting(session, collection, { space, modality, after, limit: pageRows }));
      yield* page;
      if (page.length < pageRows) break;
      after = page.at(-1)!.key;
    }
  }
  for (let after = 0; space !== undefined; ) {
    const keys = await lend(async (session) => (await session.rows<{ item: number }>('SELECT item FROM unembedded WHERE space = $1 AND item > $2 ORDER BY item LIMIT $3', [space, after, pageRows])).map(({ item }) => item));
    yield* await lend((session) => itemsByKeys(session, collection, keys));
    if (keys.length < pageRows) return;
    after = keys.at(-1)!;
  }
}

async function put(session: Session, { collection, space }: { collection: CollectionRow; space: number }, outcomes: ReembeddedItem[]): Promise<void> {
  const tallies = new Tallies();
  const items = new Map((await itemsByKeys(session, collection, outcomes.map(({ key }) => key))).map((item) => [item.key, item]));
  // The last word on an item holds.
  const last = new Map(outcomes.filter(({ key }) => items.has(key)).map((outcome) => [outcome.key, outcome]));
  await forgetUnembedded(session, space, [...last.keys()], tallies);
  for (const modality of modalities) {
    const own = [...last.values()].filter(({ key }) => items.get(key)!.modality === modality);
    const gone = await removeParts(session, { space, modality }, own.map(({ key }) => key));
    const parts = own.flatMap((outcome): NewPart[] =>
      'embedding' in outcome ? [{ embedding: outcome.embedding, box: undefined }, ...(outcome.tiles ?? [])].map((part, i) => ({ ...part, item: outcome.key, part: i })) : [],
    );
    await insertParts(session, { space, modality }, parts);
    const impossible = own.flatMap((outcome) => ('impossible' in outcome ? [outcome] : []));
    if (impossible.length > 0) {
      await session.write('INSERT INTO unembedded (space, item, modality, reason) SELECT $1, item, $2, reason FROM unnest($3::bigint[], $4::text[]) AS outcomes (item, reason)', [
        space,
        modality,
        impossible.map(({ key }) => key),
        impossible.map((outcome) => outcome.impossible),
      ]);
    }
    tallies.addEmbeddings(space, modality, { items: parts.filter(({ part }) => part === 0).length - gone.items, embeddings: parts.length - gone.embeddings, unembedded: impossible.length });
  }
  await tallies.write(session);
}

/** Why items have no embedding in a space: of all of them, or of these. */
async function forgetUnembedded(session: Session, space: number, items?: number[], told?: Tallies): Promise<void> {
  const tallies = told ?? new Tallies();
  const gone = await session.rows<{ modality: Modality }>(`DELETE FROM unembedded WHERE space = $1 ${items ? 'AND item = ANY($2::bigint[])' : ''} RETURNING modality`, items ? [space, items] : [space]);
  for (const { modality } of gone) tallies.addEmbeddings(space, modality, { unembedded: -1 });
  if (!told) await tallies.write(session);
}
