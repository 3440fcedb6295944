/** What clients compare with, and how they tell what they have done. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const { url, key, model, collection, texts, textVectors, picture, pictureVector } = JSON.parse(readFileSync(process.env.EXPECTED, 'utf8'));
export const dataUri = `data:image/png;base64,${picture}`;

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Each vector is the one that /v1/embeddings gave. */
export function same(vectors, references) {
  assert.equal(vectors.length, references.length);
  vectors.forEach((vector, i) => {
    const given = Array.from(vector);
    const cosine = dot(given, references[i]) / Math.sqrt(dot(given, given) * dot(references[i], references[i]));
    assert.ok(cosine > 0.999999, `vector ${i} of ${given.length} numbers has a cosine of ${cosine}`);
  });
}

/** The client throws, and its error holds what the service said. */
export async function refused(promise, words) {
  const error = await Promise.resolve(promise).then(() => undefined, (thrown) => thrown);
  assert.ok(error, 'nothing was refused');
  const told = `${error.message} ${error.error ?? ''} ${error.responseBody ?? ''} ${JSON.stringify(error.body ?? '')} ${JSON.stringify(error.httpResponse?.body ?? '')}`;
  assert.match(told, words);
}

export const ran = (what) => console.log(`ran: ${what}`);
