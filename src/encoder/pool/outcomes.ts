import { MixspaceError, reviveError } from '../../errors.js';
import type { ImageEmbedding, Outcome, TextEmbedding } from '../encoder.js';
import type { PicturesReply, TextsReply } from '../protocol/messages.js';

/** Of each input of a batch, in order. */
export function outcomesOf(reply: TextsReply | PicturesReply): Outcome<TextEmbedding | ImageEmbedding>[] {
  if (reply.kind === 'texts') {
    const dimension = reply.embeddings.length / reply.texts.length;
    return reply.texts.map((text, i) => finite({ ...text, embedding: reply.embeddings.slice(i * dimension, (i + 1) * dimension), norm: reply.norms[i]! }));
  }
  const rows = reply.norms.length;
  const dimension = reply.embeddings.length / Math.max(rows, 1);
  const embeddingAt = (row: number): Float32Array => reply.embeddings.slice(row * dimension, (row + 1) * dimension);
  let next = 0;
  return reply.pictures.map((outcome) => {
    if (!outcome.ok) return { ok: false, error: reviveError(outcome.error, outcome.cause) };
    const row = next++;
    const { boxes, ...picture } = outcome.picture;
    const tiles = boxes?.map((box) => ({ box, embedding: embeddingAt(next++) }));
    return finite({ ...picture, embedding: embeddingAt(row), norm: reply.norms[row]!, ...(tiles ? { tiles } : {}) });
  });
}

function finite<T extends TextEmbedding | ImageEmbedding>(value: T): Outcome<T> {
  const tiles = ('tiles' in value ? value.tiles : undefined) ?? [];
  if ([value, ...tiles].every(({ embedding }) => embedding.every(Number.isFinite))) return { ok: true, value };
  return { ok: false, error: new MixspaceError('unprocessable', 'The model gives no finite embedding for this input.') };
}
