/** `npx tsx test/migration/write-older.ts CHECKOUT DIRECTORY [ITEMS]`: a directory as a killed service of an older, built checkout leaves it, and beside it, in DIRECTORY.json, what that version answers. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Sqlite } from '../../src/store/embedded/database.js';
import { ask, fillOlder, leaveUnfinished, openStore, type OlderStore } from './older.js';

const [checkout, directory, items = '90', life] = process.argv.slice(2);
if (checkout === undefined || directory === undefined) throw new Error('Name a built checkout and a directory.');
if (life === 'last') await leaveUnfinished(checkout, directory);

await fillOlder(checkout, directory, Number(items));
const filled = `${directory}-filled`;
cpSync(directory, filled, { recursive: true });
for (let attempt = 1; ; attempt++) {
  const { signal, stderr } = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), checkout, directory, items, 'last'], { encoding: 'utf8' });
  if (signal !== 'SIGKILL') throw new Error(stderr);
  const database = new Sqlite(path.join(directory, 'mixspace.db'));
  const left = database.prepare("SELECT count(*) FROM reembedded JOIN collections ON collections.key = collection WHERE name = 'unsettled' AND reembedded.space = collections.space").pluck().get() as number;
  const deleted = database.prepare('SELECT count(*) FROM items JOIN collections ON collections.key = collection WHERE name IS NULL').pluck().get() as number;
  const hasChecksums = database.prepare("SELECT 1 FROM pragma_table_info('items') WHERE name = 'checksum'").get() !== undefined;
  if (hasChecksums) spoil(database);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  console.log(`${left} embeddings are not in their place yet, ${deleted} items of a deleted collection are left`);
  if (left > 0 && deleted > 0) break;
  if (attempt === 10) throw new Error('It was too quick each time.');
  rmSync(directory, { recursive: true });
  cpSync(filled, directory, { recursive: true });
}
rmSync(filled, { recursive: true });

/** What a disk may do to rows, and rows that are older than their checksums. */
function spoil(database: InstanceType<typeof Sqlite>): void {
  const change = (sql: string): void => {
    if (database.prepare(sql).run().changes === 0) throw new Error(`Nothing was changed by ${sql}`);
  };
  const flipped = "CAST(substr(embedding, 1, 5) || x'00' || substr(embedding, 7) AS BLOB)";
  change("UPDATE items SET text = 'Another text.' WHERE id = 'plain 00012'");
  change("UPDATE items SET metadata = '{' WHERE id = 'plain 00015'");
  change("UPDATE items SET created_at = '1999-01-01T00:00:00.000Z' WHERE id = 'plain 00017'");
  change(`UPDATE items SET embedding = ${flipped} WHERE id IN ('plain 00018', 'plain 00020', 'half 00003')`);
  change(`UPDATE reembedded SET embedding = ${flipped} WHERE item = (SELECT key FROM items WHERE id = 'unsettled 00299')`);
  change("UPDATE items SET space = 77 WHERE id = 'plain 00022'");
  change("UPDATE thumbnails SET webp = zeroblob(length(webp)) WHERE item = (SELECT key FROM items WHERE id = 'plain 00023')");
  change("UPDATE items SET checksum = NULL, metadata_checksum = NULL, embedding_checksum = NULL, thumbnail_checksum = NULL WHERE id LIKE 'again 0002%'");
  change("UPDATE collections SET checksum = NULL WHERE name = 'again'");
}

const copy = `${directory}-asked`;
cpSync(directory, copy, { recursive: true });
const store = await openStore<OlderStore>(checkout, copy);
await store.createCollection({ name: 'next', model: 'm', fingerprint: 'f', dimension: 2, originals: 'keep' });
await store.startReembedding('next', { model: 'n', fingerprint: 'g', dimension: 2, fromThumbnails: false, skipImpossible: false });
await store.deleteCollection('next');
const answers = await ask(store, Number(items) > 1000 ? 50 : 12);
await store.close();
rmSync(copy, { recursive: true });
mkdirSync(path.dirname(directory), { recursive: true });
writeFileSync(`${directory}.json`, `${JSON.stringify(answers, null, 1)}\n`);
