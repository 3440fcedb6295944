/** Examples of classifiers that are of another content from now on, as the file that showed them is. */
import type { Modality } from '../../domain/modality.js';
import type { StoredClassifier } from '../classifier-catalog.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { partsOf } from './embeddings.js';

export interface Following {
  /** The hash of the content that it was. */
  before: string;
  /** The item that it is. */
  now: { key: number; modality: Modality; hash: string };
  /** The item's whole, where it is not stored yet. */
  embedding: Float32Array | undefined;
}

/** One after the other, in all classifiers of the collection's space; before any of the items is removed. */
export async function followExamples(session: Session, { space, fingerprint }: CollectionRow, following: Following[]): Promise<void> {
  if (following.length === 0) return;
  const shown = await session.rows<{ key: number; definition: string }>(
    'SELECT key, definition FROM classifiers WHERE key IN (SELECT classifier FROM classifier_examples WHERE hash = ANY($1)) ORDER BY key FOR UPDATE',
    [following.map(({ before }) => before)],
  );
  const classifiers = shown.map(({ key, definition }) => ({ key, definition: JSON.parse(definition) as StoredClassifier })).filter(({ definition }) => definition.fingerprint === fingerprint);
  if (classifiers.length === 0) return;
  for (const { before, now, embedding } of following) {
    const whole = embedding ?? (await partsOf(session, { space, modality: now.modality }, [now.key])).get(now.key)?.[0]?.embedding;
    if (whole) for (const classifier of classifiers) await replaceExample(session, classifier, before, { hash: now.hash, embedding: whole });
  }
}

async function replaceExample(session: Session, { key, definition }: { key: number; definition: StoredClassifier }, before: string, { hash, embedding }: { hash: string; embedding: Float32Array }): Promise<void> {
  if (before === hash) return;
  // Where a label has both already, the one that changes stays.
  await session.write(
    'DELETE FROM classifier_examples AS other USING classifier_examples AS changed WHERE other.classifier = $1 AND other.hash = $3 AND changed.classifier = $1 AND changed.hash = $2 AND other.label = changed.label',
    [key, before, hash],
  );
  const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  const changed = await session.write('UPDATE classifier_examples SET hash = $3, embedding = $4 WHERE classifier = $1 AND hash = $2', [key, before, hash, bytes]);
  if (changed > 0) await session.write('UPDATE classifiers SET definition = $2 WHERE key = $1', [key, JSON.stringify({ ...definition, updatedAt: new Date().toISOString() })]);
}
