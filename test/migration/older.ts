/** What a database of an older version is filled with, and what is asked of it before and after it is carried over. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { Random } from '../crash/random.js';
import { drawn } from '../pictures.js';
import type { EmbeddedStoreSettings } from '../../src/store/embedded/open.js';
import type { ItemWrite } from '../../src/store/catalog.js';
import type { Item } from '../../src/store/catalog.js';
import type { Store } from '../../src/store/store.js';
import { search, type SearchRequest } from '../store-search.js';
import { bothPorts, type BothPorts } from '../store-ports.js';

/** What makes searches quick where there are some texts. */
const settings: Partial<EmbeddedStoreSettings> = { cellsFrom: 15 };

type Write = Omit<ItemWrite, 'content'> & { content?: Omit<NonNullable<ItemWrite['content']>, 'embeddings'> & { embedding: Float32Array } };
/** The port as versions 0.3 and 0.4 had it. */
export type OlderStore = Omit<BothPorts, 'write' | 'describeCollection' | 'nearest' | 'cursorKey'> & {
  write(collection: string, writes: Write[]): Promise<unknown>;
  search(collection: string, request: SearchRequest): ReturnType<typeof search>;
};

/** Before 0.5 the store was opened by its folder's index. */
function entryOf(checkout: string): string {
  const [now, before] = ['open.js', 'index.js'].map((name) => path.join(checkout, 'dist/store/embedded', name)) as [string, string];
  return existsSync(now) ? now : before;
}

/** The store of a built checkout, in a thread of its own. */
export async function openStore<S = BothPorts>(checkout: string, directory: string, more: Partial<EmbeddedStoreSettings> = {}, log: string[] = []): Promise<S> {
  const { openEmbeddedStore } = (await import(pathToFileURL(entryOf(checkout)).href)) as { openEmbeddedStore(options: object): Promise<S | Store> };
  const opened = await openEmbeddedStore({ directory, settings: { ...settings, ...more }, log: (level: string, message: string, fields: object) => log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) });
  // Older ones have both in one.
  return isTwofold(opened) ? (bothPorts(opened) as S) : opened;
}

const isTwofold = (opened: unknown): opened is Store => typeof opened === 'object' && opened !== null && 'catalog' in opened;

export const spaces = {
  first: { model: 'first', fingerprint: 'f-first', dimension: 24 },
  second: { model: 'second', fingerprint: 'f-second', dimension: 32 },
  third: { model: 'third', fingerprint: 'f-third', dimension: 16 },
};
type Space = (typeof spaces)[keyof typeof spaces];

/** A direction that looks random and is the same each time. */
export function directionOf(name: string, { model, dimension }: Space): Float32Array {
  const random = Random.named(`${model} ${name}`);
  const values = Array.from({ length: dimension }, () => random.normal());
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const words = ['red', 'boat', 'cat', 'snow', 'house', 'bicycle', '红色', 'café', '😀'];

const idOf = (collection: string, n: number): string => `${collection} ${String(n).padStart(5, '0')}${n % 7 === 0 ? ` ${words[n % 9]}` : ''}`;

/** Of the first space: texts, embeddings alone and pictures, drawn for the first few; of some collections, later on, texts alone. */
async function itemsOf(collection: string, from: number, to: number): Promise<Write[]> {
  const isPlain = collection === 'unsettled' || collection === 'gone';
  return Promise.all(
    Array.from({ length: to - from }, async (_, i): Promise<Write> => {
      const n = from + i;
      const id = idOf(collection, n);
      const note = { metadata: { n, odd: n % 2 === 1, word: words[n % 9]!, nested: { list: [n, null] } }, source: n % 4 === 0 ? `https://example.org/${n}` : `file ${n}` };
      const embedding = directionOf(id, spaces.first);
      if (n % 3 === 0 || (n >= 60 && isPlain)) return { id, ...note, content: { modality: 'text', contentHash: sha256(id), text: `The ${words[n % 9]} of ${id}`, embedding } };
      if (n % 6 === 1) return { id, ...note, content: { modality: 'image', contentHash: sha256(id), embedding } };
      const picture = n < 60 ? await drawn(n, 'png', 40, 30) : Buffer.from(`the picture ${id}`);
      const thumbnail = n < 60 ? await sharp(picture).webp({ quality: 30 }).toBuffer() : Buffer.from(`the thumbnail ${id}`.repeat(20));
      const kept = n % 5 === 2 ? { path: `/nowhere/${n}.png` } : { original: picture };
      return { id, ...note, content: { modality: 'image', contentHash: sha256(picture), embedding, thumbnail, width: 40, height: 30, mediaType: 'image/png', takenAt: '2021-03-04T05:06:07', ...kept } };
    }),
  );
}

async function fill(store: OlderStore, collection: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 250) await store.write(collection, await itemsOf(collection, from, Math.min(count, from + 250)));
}

/** Outcomes for what waits, at most so many. What has no text is made from its key: an embedding alone cannot be made at all. */
async function embedAgain(store: OlderStore, collection: string, space: Space, most = Infinity): Promise<void> {
  for (let done = 0; done < most; ) {
    const items = await store.nextToReembed(collection, { limit: Math.min(250, most - done) });
    if (items.length === 0) return;
    await store.putReembedded(collection, space.fingerprint, items.map(({ key, source }) => ('impossible' in source ? { key, ...source } : { key, embedding: 'embedding' in source ? source.embedding : directionOf(`${collection} ${key}`, space) })));
    done += items.length;
  }
}

/** Resolves when what a going over left is in order. */
async function inOrder(store: OlderStore): Promise<void> {
  await store.createCollection({ name: 'next', ...spaces.first, originals: 'keep' });
  await store.startReembedding('next', { ...spaces.second, fromThumbnails: true, skipImpossible: true });
  await store.deleteCollection('next');
}

/** `items`: of the largest collection. The store is closed in between, so that what makes searches quick is saved. */
export async function fillOlder(checkout: string, directory: string, items: number): Promise<void> {
  const open = (): Promise<OlderStore> => openStore<OlderStore>(checkout, directory);
  const few = Math.max(60, Math.round(items / 10));
  const store = await open();
  const target = { fromThumbnails: true, skipImpossible: true };
  for (const name of ['photos', 'plain', 'unsettled', 'gone', 'half', 'again']) await store.createCollection({ name, ...spaces.first, originals: name === 'again' ? 'thumbnail' : 'keep', ...(name === 'plain' ? { description: 'Nothing was embedded again.' } : {}) });
  await fill(store, 'photos', items);
  for (const name of ['plain', 'half', 'again']) await fill(store, name, few);
  for (const name of ['unsettled', 'gone']) await fill(store, name, Math.max(300, few));
  await store.deleteItems('plain', { n: { $in: [3, 4, 5, few - 1] } });
  await store.setMetadata('plain', 'plain 00006', { changed: true });
  await store.write('plain', [{ id: 'plain 00009', source: 'a second source' }]);

  // In another space, some with an embedding of the first one alone; on the way to a third.
  await store.startReembedding('photos', { ...spaces.second, ...target });
  await embedAgain(store, 'photos', spaces.second);
  await store.finishReembedding('photos');
  await inOrder(store);
  await store.startReembedding('photos', { ...spaces.third, ...target, fromThumbnails: false });
  await embedAgain(store, 'photos', spaces.third, Math.round(items / 2));
  await store.stopReembedding('photos', 'The disk is full.');
  // There and back again.
  for (const space of [spaces.second, spaces.first]) {
    await store.startReembedding('again', { ...space, ...target });
    await embedAgain(store, 'again', space);
    await store.finishReembedding('again');
    await inOrder(store);
  }
  await store.startReembedding('half', { ...spaces.second, ...target });
  await embedAgain(store, 'half', spaces.second, few / 2);
  const settled = await Promise.all(['photos', 'plain'].map((name) => isReady(store, name)));
  if (!settled.every(Boolean)) throw new Error('Its searches compare with everything.');
  await store.close();
}

/** The last life, which ends in SIGKILL: what went over is not in its place yet, and what was deleted is still there. */
export async function leaveUnfinished(checkout: string, directory: string): Promise<void> {
  const store = await openStore<OlderStore>(checkout, directory);
  await store.startReembedding('unsettled', { ...spaces.second, fromThumbnails: true, skipImpossible: true });
  await embedAgain(store, 'unsettled', spaces.second);
  await Promise.all([store.finishReembedding('unsettled'), store.deleteCollection('gone')]);
  process.kill(process.pid, 'SIGKILL');
}

type Described = Awaited<ReturnType<BothPorts['describeCollection']>>;
const describeCollection = (store: BothPorts | OlderStore, name: string): Promise<Described> => ('describeCollection' in store ? store.describeCollection(name) : (store.getCollection(name) as Promise<Described>));

/** Whether there is something that makes searches quick, once it is not being made any more. */
async function isReady(store: BothPorts | OlderStore, name: string): Promise<boolean> {
  for (;;) {
    const { graph } = await describeCollection(store, name);
    if (graph.state !== 'building') return graph.state === 'ready';
    await sleep(20);
  }
}

/** Whatever is answered, or how it is refused. */
async function told<T>(answer: Promise<T>): Promise<T | { refused: string }> {
  return answer.catch((error: { code?: string; message: string }) => ({ refused: `${error.code} ${error.message}` }));
}

/** An older store says whether there are more, today's where the next page goes on. */
async function firstItems(store: BothPorts | OlderStore, name: string, limit: number): Promise<{ items: Item[]; more: boolean }> {
  const { items, next, more = next !== undefined } = (await store.listItems(name, { limit })) as Awaited<ReturnType<BothPorts['listItems']>> & { more?: boolean };
  return { items, more };
}

/** Everything that can be asked. Exact searches: others may miss neighbors that those of another version find. */
export async function ask(store: BothPorts | OlderStore, searches: number): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const listed of await store.listCollections()) {
    const { name, fingerprint } = listed;
    const space = Object.values(spaces).find((each) => each.fingerprint === fingerprint)!;
    await isReady(store, name);
    const most = 1.1 * Object.values(listed.counts).reduce((sum, count) => sum + count) + 10;
    const ids = Array.from({ length: Math.ceil(most) }, (_, n) => idOf(name, n));
    // Damage is found when it is first met, and told of the item from soon after on.
    const isJustMet = (answer: object): boolean => 'refused' in answer && String(answer.refused).includes('has no embedding. ');
    await Promise.all(
      ids.map(async (id) => {
        while (isJustMet(await told(store.getEmbedding(name, id)))) await sleep(5);
      }),
    );

    const held = createHash('sha256');
    const refused: string[] = [];
    const take = async (what: string, answer: Promise<unknown>): Promise<void> => {
      const found = (await told(answer)) as object;
      if ('refused' in found) refused.push(`${what}: ${String(found.refused)}`);
      else if (found instanceof Float32Array) held.update(Buffer.from(found.buffer, found.byteOffset, found.byteLength));
      else if ('bytes' in found) held.update(found.bytes as Uint8Array);
      else held.update(JSON.stringify(found));
    };
    for (let from = 0; from < ids.length; from += 32) {
      const asked = ids.slice(from, from + 32).map((id) => [
        { what: `item ${id}`, answer: told(store.getItem(name, id)) },
        { what: `embedding of ${id}`, answer: told(store.getEmbedding(name, id)) },
        { what: `thumbnail of ${id}`, answer: told(store.getPicture(name, id, 'thumbnail')) },
        { what: `original of ${id}`, answer: told(store.getPicture(name, id, 'original')) },
      ]);
      for (const { what, answer } of asked.flat()) await take(what, answer);
    }
    await take('list', firstItems(store, name, 1_000));
    const some = await told(firstItems(store, name, 3));

    const random = Random.named(name);
    const found: unknown[] = [];
    for (let i = 0; i < searches; i++) {
      const request = {
        embedding: directionOf(`query ${i}`, space),
        limit: random.between(1, 20),
        exact: true,
        ...(i % 3 === 1 ? { modality: random.pick(['image', 'text'] as const) } : {}),
        ...(i % 4 === 2 ? { filter: random.pick([{ odd: true }, { word: '红色' }, { n: { $lt: 20 } }, { changed: true }]) } : {}),
        ...(i % 5 === 3 ? { minScore: 0.1 } : {}),
        ...(i % 7 === 4 ? { excludeIds: [random.pick(ids)] } : {}),
      };
      const answer = await told('search' in store ? store.search(name, request) : search(store, name, request));
      found.push('matches' in answer ? { ...answer, matches: answer.matches.map(({ item, score }) => [item.id, score]) } : answer);
    }
    // What older versions did not tell.
    const { graph: _, recall: _unmeasured, textFields: _none, tiles: _uncut, parts: _parts, unread: _later, ...described } = (await describeCollection(store, name)) as Described & { recall?: unknown; textFields?: unknown; tiles?: unknown; parts?: unknown; unread?: unknown };
    const impossible = await store.listImpossible(name, 1_000_000);
    answers[name] = {
      described,
      held: held.digest('hex'),
      some,
      refused: [refused.length, sha256(JSON.stringify(refused)), ...refused.filter((line) => !line.includes('not_found')).slice(0, 10)],
      impossible: [impossible.length, sha256(JSON.stringify(impossible.map(({ id, reason }) => `${id} ${reason}`).sort()))],
      plans: await Promise.all(Object.values(spaces).map(({ fingerprint }) => store.planReembedding(name, { fingerprint, fromThumbnails: true }))),
      found: searches > 20 ? sha256(JSON.stringify(found)) : found,
      searches: found.length,
    };
  }
  return answers;
}
