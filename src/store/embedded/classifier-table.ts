import { MixspaceError } from '../../errors.js';
import type { ClassifierExample, ExampleChoice, ExampleCount, StoredClassifier } from '../classifier-catalog.js';
import { checksumOf } from './checksums.js';
import type { Commits } from './commits.js';
import type { Database } from './database.js';

interface Row {
  key: number;
  name: string;
  definition: string;
  checksum: number;
}

interface ExampleRow {
  label: string;
  negative: 0 | 1;
  hash: string;
  embedding: Buffer;
  checksum: number;
}

const sumOf = (name: string, definition: string): number => checksumOf(`${name}\n${definition}`);

export class ClassifierTable {
  readonly #commits: Pick<Commits, 'run'>;
  readonly #put;
  readonly #get;
  readonly #all;
  readonly #remove;
  readonly #counts;
  readonly #examples;
  readonly #count;
  readonly #add;
  readonly #drop;
  readonly #has;
  readonly #replace;

  constructor(database: Database, commits: Pick<Commits, 'run'>) {
    this.#commits = commits;
    this.#put = database.prepare<[string, string, number], number>('INSERT INTO classifiers (name, definition, checksum) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, checksum = excluded.checksum RETURNING key').pluck();
    this.#get = database.prepare<[string], Row>('SELECT * FROM classifiers WHERE name = ?');
    this.#all = database.prepare<[], Row>('SELECT * FROM classifiers ORDER BY name');
    this.#remove = database.prepare<[number]>('DELETE FROM classifiers WHERE key = ?');
    this.#counts = database.prepare<[number], ExampleCount>('SELECT label, count(*) AS count, sum(negative) AS negative FROM classifier_examples WHERE classifier = ? GROUP BY label ORDER BY min(number)');
    this.#examples = database.prepare<[number], ExampleRow>('SELECT label, negative, hash, embedding, checksum FROM classifier_examples WHERE classifier = ? ORDER BY number');
    this.#count = database.prepare<[number], number>('SELECT count(*) FROM classifier_examples WHERE classifier = ?').pluck();
    this.#add = database.prepare<[number, string, number, string, Buffer, number]>(
      'INSERT INTO classifier_examples (classifier, label, negative, hash, embedding, checksum) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (classifier, label, hash) DO UPDATE SET negative = excluded.negative, embedding = excluded.embedding, checksum = excluded.checksum',
    );
    this.#has = database.prepare<[number, string], number>('SELECT 1 FROM classifier_examples WHERE classifier = ? AND hash = ? LIMIT 1').pluck();
    this.#replace = database.prepare<[string, Buffer, number, number, string]>('UPDATE OR REPLACE classifier_examples SET hash = ?, embedding = ?, checksum = ? WHERE classifier = ? AND hash = ?');
    this.#drop = database.prepare<[{ classifier: number; label: string | null; negative: number | null; hashes: string | null; kept: string | null }]>(
      `DELETE FROM classifier_examples WHERE classifier = @classifier AND (@label IS NULL OR label = @label) AND (@negative IS NULL OR negative = @negative)
         AND (@hashes IS NULL OR hash IN (SELECT value FROM json_each(@hashes))) AND (@kept IS NULL OR label NOT IN (SELECT value FROM json_each(@kept)))`,
    );
  }

  put(classifier: StoredClassifier, labels: string[]): void {
    this.#commits.run(() => {
      const before = this.#get.get(classifier.name);
      const isSameSpace = before !== undefined && isSound(before) && definitionOf(before).fingerprint === classifier.fingerprint;
      const key = this.#write(classifier);
      this.#drop.run({ classifier: key, label: null, negative: null, hashes: null, kept: isSameSpace ? JSON.stringify(labels) : null });
    });
  }

  get(name: string): StoredClassifier & { examples: ExampleCount[] } {
    const row = this.#row(name);
    return { ...definitionOf(row), examples: this.#counts.all(row.key) };
  }

  /** Those that are damaged left out. */
  list(): (StoredClassifier & { examples: ExampleCount[] })[] {
    return this.#all.all().filter(isSound).map((row) => ({ ...definitionOf(row), examples: this.#counts.all(row.key) }));
  }

  delete(name: string): void {
    this.#commits.run(() => {
      const row = this.#get.get(name);
      if (!row) throw missing(name);
      this.#remove.run(row.key);
    });
  }

  examples(name: string): ClassifierExample[] {
    return this.#examples
      .all(this.#row(name).key)
      .filter(({ embedding, checksum }) => checksumOf(embedding) === checksum)
      .map(({ label, negative, hash, embedding }) => ({ label, negative: negative === 1, hash, embedding: new Float32Array(Uint8Array.from(embedding).buffer) }));
  }

  add(name: string, { fingerprint, examples, most, updatedAt }: { fingerprint: string; examples: ClassifierExample[]; most: number; updatedAt: string }): void {
    this.#commits.run(() => {
      const row = this.#row(name);
      const definition = definitionOf(row);
      if (definition.fingerprint !== fingerprint) throw new MixspaceError('conflict', `The classifier "${name}" is of the space ${definition.fingerprint}, these embeddings are of ${fingerprint}. Put it again to begin anew.`);
      for (const { label, negative, hash, embedding } of examples) {
        const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
        this.#add.run(row.key, label, Number(negative), hash, bytes, checksumOf(bytes));
      }
      if (this.#count.get(row.key)! > most) throw new MixspaceError('too_large', `A classifier has at most ${most} examples.`);
      this.#write({ ...definition, updatedAt });
    });
  }

  remove(name: string, { label, negative, hashes }: ExampleChoice, updatedAt: string): number {
    return this.#commits.run(() => {
      const row = this.#row(name);
      const { changes } = this.#drop.run({ classifier: row.key, label: label ?? null, negative: negative === undefined ? null : Number(negative), hashes: hashes === undefined ? null : JSON.stringify(hashes), kept: null });
      if (changes > 0) this.#write({ ...definitionOf(row), updatedAt });
      return changes;
    });
  }

  /** In all classifiers of the space, what was shown by content of one hash is shown by another from now on. */
  replaceExample(fingerprint: string, before: string, { hash, embedding }: Pick<ClassifierExample, 'hash' | 'embedding'>): void {
    const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
    this.#commits.run(() => {
      for (const row of this.#all.all()) {
        if (!this.#has.get(row.key, before) || !isSound(row) || definitionOf(row).fingerprint !== fingerprint) continue;
        this.#replace.run(hash, bytes, checksumOf(bytes), row.key, before);
        this.#write({ ...definitionOf(row), updatedAt: new Date().toISOString() });
      }
    });
  }

  /** Those of another database, with their examples, of which there is none of the name here. Names of these, and of those that stay as they are here. */
  takeIn(other: ClassifierTable): { taken: string[]; kept: string[] } {
    return this.#commits.run(() => {
      const [kept, taken] = [[] as string[], [] as string[]];
      for (const { key, name, definition, checksum } of other.#all.iterate()) {
        if (this.#get.get(name)) {
          kept.push(name);
          continue;
        }
        const here = this.#put.get(name, definition, checksum)!;
        for (const each of other.#examples.iterate(key)) this.#add.run(here, each.label, each.negative, each.hash, each.embedding, each.checksum);
        taken.push(name);
      }
      return { taken, kept };
    });
  }

  #write(classifier: StoredClassifier): number {
    const definition = JSON.stringify(classifier);
    return this.#put.get(classifier.name, definition, sumOf(classifier.name, definition))!;
  }

  #row(name: string): Row {
    const row = this.#get.get(name);
    if (!row) throw missing(name);
    if (!isSound(row)) throw new MixspaceError('not_ready', `What the database says of the classifier "${name}" is damaged. Put it again, or delete it.`);
    return row;
  }
}

const isSound = ({ name, definition, checksum }: Row): boolean => sumOf(name, definition) === checksum;
const definitionOf = ({ definition }: Row): StoredClassifier => JSON.parse(definition) as StoredClassifier;
const missing = (name: string): MixspaceError => new MixspaceError('not_found', `There is no classifier "${name}".`);
