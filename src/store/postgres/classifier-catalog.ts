import { MixspaceError } from '../../errors.js';
import type { ClassifierCatalog, ClassifierExample, ExampleCount, StoredClassifier } from '../classifier-catalog.js';
import type { Session } from './database.js';
import type { Parts } from './parts.js';
import { fromStored, toStored } from './stored-text.js';

export function classifierCatalogOf({ database }: Parts): ClassifierCatalog {
  return {
    putClassifier: (classifier, labels) =>
      database.write(async (session) => {
        await session.write('INSERT INTO classifiers (name, definition) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [toStored(classifier.name), JSON.stringify(classifier)]);
        const { key, definition } = await takeClassifier(session, classifier.name);
        const kept = definition.fingerprint === classifier.fingerprint ? labels.map(toStored) : [];
        await session.write('DELETE FROM classifier_examples WHERE classifier = $1 AND label <> ALL($2)', [key, kept]);
        await writeDefinition(session, key, classifier);
      }),
    getClassifier: (name) => database.read(async (session) => told(session, rowOf(name, await session.row<Columns>(`${select} WHERE name = $1`, [toStored(name)])))),
    listClassifiers: () =>
      database.read(async (session) => {
        const classifiers: (StoredClassifier & { examples: ExampleCount[] })[] = [];
        for (const columns of await session.rows<Columns>(`${select} ORDER BY name`)) classifiers.push(await told(session, toRow(columns)));
        return classifiers;
      }),
    deleteClassifier: async (name) => {
      const gone = await database.write((session) => session.write('DELETE FROM classifiers WHERE name = $1', [toStored(name)]));
      if (gone === 0) throw missing(name);
    },
    listExamples: (name) =>
      database.read(async (session) => {
        const { key } = rowOf(name, await session.row<Columns>(`${select} WHERE name = $1`, [toStored(name)]));
        const rows = await session.rows<{ label: string; negative: boolean; hash: string; embedding: Buffer }>('SELECT label, negative, hash, embedding FROM classifier_examples WHERE classifier = $1 ORDER BY number', [key]);
        return rows.map(({ label, negative, hash, embedding }) => ({ label: fromStored(label), negative, hash, embedding: new Float32Array(Uint8Array.from(embedding).buffer) }));
      }),
    addExamples: (name, { fingerprint, examples, most, updatedAt }) =>
      database.write(async (session) => {
        const { key, definition } = await takeClassifier(session, name);
        if (definition.fingerprint !== fingerprint) throw new MixspaceError('conflict', `The classifier "${name}" is of the space ${definition.fingerprint}, these embeddings are of ${fingerprint}. Put it again to begin anew.`);
        if (examples.length > 0) await putExamples(session, key, examples);
        const { count } = (await session.row<{ count: number }>('SELECT count(*) AS count FROM classifier_examples WHERE classifier = $1', [key]))!;
        if (count > most) throw new MixspaceError('too_large', `A classifier has at most ${most} examples.`);
        await writeDefinition(session, key, { ...definition, updatedAt });
      }),
    removeExamples: (name, { label, negative, hashes }, updatedAt) =>
      database.write(async (session) => {
        const { key, definition } = await takeClassifier(session, name);
        const removed = await session.write(
          `DELETE FROM classifier_examples WHERE classifier = $1 AND ($2::text IS NULL OR label = $2) AND ($3::boolean IS NULL OR negative = $3) AND ($4::text[] IS NULL OR hash = ANY($4))`,
          [key, label === undefined ? null : toStored(label), negative ?? null, hashes ?? null],
        );
        if (removed > 0) await writeDefinition(session, key, { ...definition, updatedAt });
        return removed;
      }),
  };
}

/** Inside the caller's transaction: in all classifiers of the space, what was shown by content of one hash is shown by another from now on. */
export async function replaceExample(session: Session, fingerprint: string, before: string, { hash, embedding }: Pick<ClassifierExample, 'hash' | 'embedding'>): Promise<void> {
  const found = await session.rows<Columns>(`${select} WHERE EXISTS (SELECT FROM classifier_examples WHERE classifier = classifiers.key AND hash = $1) ORDER BY key FOR UPDATE`, [before]);
  for (const { key, definition } of found.map(toRow)) {
    if (definition.fingerprint !== fingerprint || hash === before) continue;
    await session.write(
      'DELETE FROM classifier_examples AS other USING classifier_examples AS it WHERE it.classifier = $1 AND it.hash = $2 AND other.classifier = $1 AND other.hash = $3 AND other.label = it.label',
      [key, before, hash],
    );
    await session.write('UPDATE classifier_examples SET hash = $3, embedding = $4 WHERE classifier = $1 AND hash = $2', [key, before, hash, bytesOf(embedding)]);
    await writeDefinition(session, key, { ...definition, updatedAt: new Date().toISOString() });
  }
}

interface Columns {
  key: number;
  definition: string;
}

interface Row {
  key: number;
  definition: StoredClassifier;
}

const select = 'SELECT key, definition FROM classifiers';
const missing = (name: string): MixspaceError => new MixspaceError('not_found', `There is no classifier "${name}".`);
const bytesOf = (embedding: Float32Array): Buffer => Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);

const toRow = ({ key, definition }: Columns): Row => ({ key, definition: JSON.parse(definition) as StoredClassifier });

function rowOf(name: string, columns: Columns | undefined): Row {
  if (!columns) throw missing(name);
  return toRow(columns);
}

/** Others who write of it wait until the transaction ends. */
async function takeClassifier(session: Session, name: string): Promise<Row> {
  return rowOf(name, await session.row<Columns>(`${select} WHERE name = $1 FOR UPDATE`, [toStored(name)]));
}

async function writeDefinition(session: Session, key: number, definition: StoredClassifier): Promise<void> {
  await session.write('UPDATE classifiers SET definition = $1 WHERE key = $2', [JSON.stringify(definition), key]);
}

async function told(session: Session, { key, definition }: Row): Promise<StoredClassifier & { examples: ExampleCount[] }> {
  const counts = await session.rows<ExampleCount>('SELECT label, count(*) AS count, sum(negative::integer) AS negative FROM classifier_examples WHERE classifier = $1 GROUP BY label ORDER BY min(number)', [key]);
  return { ...definition, examples: counts.map((count) => ({ ...count, label: fromStored(count.label) })) };
}

async function putExamples(session: Session, classifier: number, examples: ClassifierExample[]): Promise<void> {
  // The last of the same picture for a label, in the place of the first.
  const each = [...new Map(examples.map((example) => [JSON.stringify([example.label, example.hash]), example])).values()];
  await session.write(
    `INSERT INTO classifier_examples (classifier, label, negative, hash, embedding)
       SELECT $1, label, negative, hash, embedding FROM unnest($2::text[], $3::boolean[], $4::text[], $5::bytea[]) WITH ORDINALITY AS new (label, negative, hash, embedding, place) ORDER BY place
       ON CONFLICT (classifier, label, hash) DO UPDATE SET negative = excluded.negative, embedding = excluded.embedding`,
    [classifier, each.map(({ label }) => toStored(label)), each.map(({ negative }) => negative), each.map(({ hash }) => hash), each.map(({ embedding }) => bytesOf(embedding))],
  );
}
