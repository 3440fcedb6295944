/** Whether an index directory that no service uses is as it was written: every row, embedding and picture. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { Originals } from '../pictures/originals.js';
import { CellTable } from './cell-table.js';
import { CollectionTable, type CollectionRow } from './collection-table.js';
import { Damage } from './damage.js';
import { databaseName, databaseProblem, Sqlite, type Database } from './database.js';
import { inspect } from './directory-check.js';
import { EmbeddingTable } from './embedding-table.js';
import { ItemTable, type ItemRow } from './item-table.js';
import { WordTable } from './full-text/word-table.js';
import { readMigrations } from '../migrations.js';

const packageMigrations = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));
const pageRows = 512;

export interface Checked {
  collections: { name: string; items: number }[];
  /** Pictures kept as they came. */
  originals: number;
  /** Sentences, each of what is not as it was written. Nothing of it is given out by a service. */
  problems: string[];
  /** Sentences of what a service mends by itself when it starts. */
  notes: string[];
}

/**
 * Changes nothing. `progress` is told how many items were looked at, of how many.
 * Errors: as the store's own when it is opened, where the database as a whole is not as it was; `conflict`: a service uses it.
 */
export async function checkDirectory(directory: string, progress: (done: number, total: number) => void): Promise<Checked> {
  const file = join(directory, databaseName);
  if (!existsSync(directory)) throw new MixspaceError('invalid_request', `There is no folder ${directory}.`);
  const migrations = readMigrations(packageMigrations);
  const { damagedWords } = inspect(directory, migrations, Infinity);
  if (!existsSync(file)) return { collections: [], originals: 0, problems: [], notes: ['It is empty: there is no database yet.'] };
  const database = new Sqlite(file, { readonly: true, timeout: 0 });
  try {
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version < migrations.length) throw new MixspaceError('conflict', `${file} was written by an older mixspace: start the service once, which carries it over, and check it then.`);
    const checked = await new Check(database, directory, progress).run();
    if (damagedWords !== undefined || new WordTable(database).isMiscounted()) checked.notes.push('What finds words is damaged: it is made anew when the service starts; until then words may not be found.');
    return checked;
  } catch (error) {
    throw databaseProblem(error, file) ?? error;
  } finally {
    database.close();
  }
}

class Check {
  readonly #progress: (done: number, total: number) => void;
  readonly #collections: CollectionTable;
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;
  readonly #originals: Originals;
  readonly #cells: CellTable;
  readonly #checked: Checked = { collections: [], originals: 0, problems: [], notes: [] };
  readonly #seen = new Set<string>();
  #done = 0;

  constructor(database: Database, directory: string, progress: (done: number, total: number) => void) {
    const damage = new Damage(() => undefined);
    this.#progress = progress;
    this.#collections = new CollectionTable(database);
    this.#items = new ItemTable(database, { run: (work) => work() }, damage);
    this.#embeddings = new EmbeddingTable(database, damage);
    this.#cells = new CellTable(database, { run: (work) => work() });
    this.#originals = new Originals(join(directory, 'originals'), (hash) => this.#items.namesOriginal(hash));
  }

  async run(): Promise<Checked> {
    const rows = this.#collections.all();
    if (this.#embeddings.isMiscounted()) this.#checked.problems.push('The database does not hold as many embeddings as it counted.');
    const countOf = ({ key }: CollectionRow): number => this.#collections.tallies(key).reduce((sum, { items }) => sum + items, 0);
    const total = rows.reduce((sum, row) => sum + countOf(row), 0);
    for (const row of rows) {
      this.#checked.collections.push({ name: row.name, items: countOf(row) });
      for (let after = '', more = true; more; ) {
        const page = this.#items.page(row.key, after, pageRows);
        for (const item of page) await this.#item(row, item);
        this.#progress((this.#done += page.length), total);
        after = page.at(-1)?.id ?? after;
        more = page.length === pageRows;
      }
    }
    this.#checked.originals = this.#seen.size;
    this.#cellsOfAll();
    return this.#checked;
  }

  async #item({ name, space }: CollectionRow, row: ItemRow): Promise<void> {
    const tell = (what: string): void => void this.#checked.problems.push(`${name}: ${what} of the item "${row.id}" ${what.endsWith('s') ? 'are' : 'is'} damaged or lost.`);
    if (!this.#items.isSound(row)) tell('the row');
    if (!this.#items.hasSoundMetadata(row)) tell('the metadata');
    if (this.#items.thumbnail(row) === 'damaged') tell('the thumbnail');
    if (row.unembedded === null && !this.#embeddings.ofItem(row.key, space)) tell('the embedding');
    if (row.original_bytes === null || this.#seen.has(row.content_hash)) return;
    this.#seen.add(row.content_hash);
    if (!/^[0-9a-f]{64}$/.test(row.content_hash) || !(await this.#originals.isWhole(row.content_hash))) tell('the picture kept');
  }

  #cellsOfAll(): void {
    for (const { name, space, dimension } of this.#collections.all()) {
      for (const modality of modalities) {
        if (this.#cells.has(space, modality) && !this.#cells.get(space, modality, dimension)) {
          this.#checked.notes.push(`${name}: what makes searches of its ${modality === 'image' ? 'pictures' : 'texts'} quick is damaged: it is made anew when the service starts, and searches are right meanwhile.`);
        }
      }
    }
  }
}
