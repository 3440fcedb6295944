/** What the embedded store is made of, each part put together with those that it needs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../telemetry.js';
import { Originals } from '../pictures/originals.js';
import { Sources } from '../pictures/sources.js';
import { Backups } from './backups.js';
import { CellTable } from './cell-table.js';
import { ClassifierTable } from './classifier-table.js';
import { CollectionTable } from './collection-table.js';
import { ColumnMemory } from './columns/column-memory.js';
import { Commits } from './commits.js';
import { Damage } from './damage.js';
import { databaseName, openDatabase, type Database } from './database.js';
import { inspect } from './directory-check.js';
import { EmbeddedIndex } from './embedded-index.js';
import { EmbeddingTable } from './embedding-table.js';
import { FullText } from './full-text/full-text.js';
import { WordTable } from './full-text/word-table.js';
import { Housekeeping } from './housekeeping.js';
import { ItemTable, type ItemRow } from './item-table.js';
import { JobTable } from './job-table.js';
import { Listing } from './listing.js';
import { readMigrations } from '../migrations.js';
import { migrate } from './migrations.js';
import { Collections } from './open-collections.js';
import { ReembeddingTable } from './reembedding-table.js';
import { Reembeddings } from './reembeddings.js';
import { Restores } from './restores.js';
import { ResultTable } from './result-table.js';
import { SeenTable } from './seen-table.js';
import { Sightings } from '../writing/sightings.js';
import type { ExampleTable } from '../writing/tables.js';
import type { EmbeddedStoreSettings } from './settings.js';
import { Survey } from './survey.js';
import { Tilings } from './tilings.js';
import { VectorMemory } from './vectors/vector-memory.js';

export interface PartsOptions {
  directory: string;
  migrationsDirectory: string;
  settings: EmbeddedStoreSettings;
  log: Log;
}

export interface Parts {
  database: Database;
  commits: Commits;
  collectionTable: CollectionTable;
  items: ItemTable;
  embeddings: EmbeddingTable;
  jobs: JobTable;
  results: ResultTable;
  classifiers: ClassifierTable;
  seen: SeenTable;
  sightings: Sightings<ItemRow>;
  originals: Originals;
  sources: Sources<ItemRow>;
  /** Those that are there, each with what makes its searches quick. */
  collections: Collections;
  fullText: FullText;
  index: EmbeddedIndex;
  listing: Listing;
  reembeddings: Reembeddings;
  tilings: Tilings;
  survey: Survey;
  backups: Backups;
  restores: Restores;
  housekeeping: Housekeeping;
}

/** Opens the database and what follows it; what goes on in the background has begun. `setApart`: an item's embedding was found damaged. Errors as `inspect` and `openDatabase`. */
export function openParts({ directory, migrationsDirectory, settings, log }: PartsOptions, setApart: (item: number) => void): Parts {
  const migrations = readMigrations(migrationsDirectory);
  const { isTrusted, damagedWords } = inspect(directory, migrations, settings.checkedBytes);
  const database = openDatabase(directory, (opened) => migrate(opened, migrations, { carriedAtOnce: settings.carriedAtOnce, log }), settings.maxDatabaseBytes);
  const damage = new Damage(log);
  damage.onEmbedding = setApart;
  const commits = new Commits(database, directory, (error) => damage.tell('The mark beside the database cannot be written; a lost database might not be noticed.', { reason: String(error) }));
  const collectionTable = new CollectionTable(database);
  const results = new ResultTable(database, commits, damage);
  const classifiers = new ClassifierTable(database, commits);
  const seen = new SeenTable(database);
  const words = new WordTable(database);
  const items = new ItemTable(database, commits, damage, words);
  const embeddings = new EmbeddingTable(database, damage);
  if (embeddings.isMiscounted()) {
    items.transaction(() => embeddings.recount());
    damage.tell('The database did not hold as many embeddings as it counted; they were counted anew.', {});
  }
  const follow: ExampleTable<ItemRow>['follow'] = ({ space, fingerprint }, before, now) => {
    const [whole] = embeddings.ofItem(now.key, space) ?? [];
    if (whole) classifiers.replaceExample(fingerprint, before.content_hash, { hash: now.content_hash, embedding: whole.embedding });
  };
  const originals = new Originals(join(directory, 'originals'), (hash) => items.namesOriginal(hash));
  const sources = new Sources<ItemRow>({
    rows: { thumbnail: (item) => items.thumbnail(item), latest: ({ key }) => embeddings.latest(key) },
    originals: {
      read: async ({ content_hash }) => {
        const read = await originals.read(content_hash);
        return 'bytes' in read ? read : { ...read, file: originals.path(content_hash) };
      },
      size: ({ content_hash }) => originals.size(content_hash),
    },
    where: databaseName,
    tell: (what, fields) => damage.tell(what, fields),
  });
  const collections = new Collections({
    embeddings,
    cells: new CellTable(database, commits),
    memory: new VectorMemory(settings.vectorCacheBytes),
    items,
    columnMemory: new ColumnMemory(settings.columnBytes),
    log,
    settings,
  });
  for (const row of collectionTable.all()) collections.open(row);
  const fullText = new FullText(database, words, commits, { log, isDamaged: damagedWords !== undefined });
  const index = new EmbeddedIndex(collections, { items, embeddings, fullText }, log);
  // Of older versions.
  rmSync(join(directory, 'snapshots'), { force: true, recursive: true });
  const reembeddings = new Reembeddings({ table: new ReembeddingTable(database), items, embeddings, collections: collectionTable, sources });
  const restores = new Restores({ items, embeddings, results, seen, classifiers, table: collectionTable, collections, originals, directory, log });
  const housekeeping = new Housekeeping({ items, embeddings, damage, collectionTable, originals, reembeddings, restores, collections: () => collections.rows(), log });
  housekeeping.begin(isTrusted);
  index.start();
  fullText.wake();
  return {
    database,
    commits,
    collectionTable,
    items,
    embeddings,
    jobs: new JobTable(database, commits),
    results,
    classifiers,
    seen,
    sightings: new Sightings<ItemRow>({ items, embeddings, seen, examples: { follow } }),
    originals,
    sources,
    collections,
    fullText,
    index,
    listing: new Listing(items),
    reembeddings,
    tilings: new Tilings({ items, embeddings, sources }),
    survey: new Survey({ items, embeddings }),
    backups: new Backups(database, directory, originals),
    restores,
    housekeeping,
  };
}
