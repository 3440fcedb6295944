import { total, type Modality } from '../../domain/modality.js';
import type { ModelVersion } from '../../encoder/encoder.js';
import type { ReembeddedItem, ReembeddingItem, ReembeddingTarget } from '../../store/reembedding-catalog.js';
import type { Context } from '../context.js';
import type { Run } from './runs.js';
import { whenThereIsRoom } from '../when-there-is-room.js';

/** Items that are encoded and written together. */
const batchItems = 32;
/** Where a round found at most so many, writes are held for the rest of them: less than a second of work, or a few with a large model. */
const fewItems = 64;

/**
 * Embeds every item of the collection that waits, then takes it over. Items written meanwhile wait like the others; once
 * the first round has been over as many as there were, they are let in more slowly than they are embedded, and not at all
 * during the last. `impossible`: it may not go over without the items that cannot be embedded.
 */
export async function embedAgain(context: Context, name: string, target: ReembeddingTarget, run: Run): Promise<'done' | 'impossible'> {
  const work = new Work(context, name, target, run);
  const most = total((await context.catalog.describeCollection(name)).counts);
  while ((await work.round(most)) > fewItems) run.slowWrites();
  run.holdWrites();
  for (;;) {
    await work.round();
    const outcome = await context.catalog.finishReembedding(name);
    if (outcome !== 'pending') return outcome;
  }
}

class Work {
  readonly #context: Context;
  readonly #name: string;
  readonly #target: ReembeddingTarget;
  readonly #run: Run;
  /** The model has embedded something. */
  #works = false;

  constructor(context: Context, name: string, target: ReembeddingTarget, run: Run) {
    this.#context = context;
    this.#name = name;
    this.#target = target;
    this.#run = run;
  }

  /**
   * Once over all items that wait: while one batch is encoded, the next is read and encoded. Answers how many there were.
   * Those beyond `expected` were written meanwhile: a round that followed them at their own pace would have no end.
   */
  async round(expected = Infinity): Promise<number> {
    const { catalog } = this.#context;
    let count = 0;
    let after: { key: number; modality: Modality } | undefined;
    let put: Promise<void> = Promise.resolve();
    for (;;) {
      this.#run.signal.throwIfAborted();
      const items = await catalog.nextToReembed(this.#name, { limit: batchItems, ...(after ? { after } : {}) });
      const last = items.at(-1);
      if (!last) break;
      after = { key: last.key, modality: last.modality };
      count += items.length;
      if (count > expected) this.#run.slowWrites();
      const before = put;
      put = this.#put(items, before);
      // Met when it is awaited, in the next turn or at the end.
      put.catch(() => undefined);
      await before;
    }
    await put;
    return count;
  }

  async #put(items: ReembeddingItem[], before: Promise<void>): Promise<void> {
    const [outcomes] = await Promise.all([this.#embed(items), before]);
    await this.#context.catalog.putReembedded(this.#name, this.#target.fingerprint, outcomes);
    const ids = new Map(items.map(({ key, id }) => [key, id]));
    await this.#run.advanced(outcomes.length, outcomes.flatMap((each) => ('impossible' in each ? [{ id: ids.get(each.key)!, reason: each.impossible }] : [])));
  }

  async #embed(items: ReembeddingItem[]): Promise<ReembeddedItem[]> {
    const texts: { key: number; text: string }[] = [];
    const pictures: { key: number; picture: Uint8Array }[] = [];
    const settled: ReembeddedItem[] = [];
    for (const { key, source } of items) {
      if ('text' in source) texts.push({ key, text: source.text });
      else if ('picture' in source) pictures.push({ key, picture: source.picture });
      else settled.push({ key, ...source });
    }
    const [ofTexts, ofPictures] = await Promise.all([texts.length > 0 ? this.#texts(texts) : [], pictures.length > 0 ? this.#pictures(pictures) : []]);
    return [...settled, ...ofTexts, ...ofPictures];
  }

  async #texts(texts: { key: number; text: string }[]): Promise<ReembeddedItem[]> {
    const embeddings = await whenThereIsRoom(() => this.#context.encoder.encodeTexts(this.#space, texts.map(({ text }) => text), this.#options), this.#run.signal);
    return texts.map(({ key }, index) => ({ key, embedding: embeddings[index]!.embedding }));
  }

  async #pictures(pictures: { key: number; picture: Uint8Array }[]): Promise<ReembeddedItem[]> {
    const bytes = pictures.map(({ picture }) => picture);
    const { tiles } = await this.#context.catalog.getCollection(this.#name);
    const outcomes = await whenThereIsRoom(() => this.#context.encoder.encodeImages(this.#space, bytes, { ...this.#options, tiles }), this.#run.signal);
    this.#works ||= outcomes.some((outcome) => outcome.ok);
    return pictures.map(({ key }, index) => {
      const outcome = outcomes[index]!;
      if (outcome.ok) return { key, embedding: outcome.value.embedding, ...(outcome.value.tiles ? { tiles: outcome.value.tiles } : {}) };
      // What the service is not ready for, or a model that embeds nothing, is no fault of the pictures.
      if (outcome.error.code === 'not_ready' || (!this.#works && outcome.error.code === 'internal')) throw outcome.error;
      return { key, impossible: `It could not be embedded: ${outcome.error.message}` };
    });
  }

  get #space(): ModelVersion {
    return { id: this.#target.model, fingerprint: this.#target.fingerprint };
  }

  get #options(): { priority: 'bulk'; signal: AbortSignal } {
    return { priority: 'bulk', signal: this.#run.signal };
  }
}
