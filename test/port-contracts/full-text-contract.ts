import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/domain/filter.js';
import type { Phrase } from '../../src/domain/words.js';
import type { ItemWrite } from '../../src/store/catalog.js';
import type { WordsRequest } from '../../src/store/full-text.js';
import type { Store } from '../../src/store/store.js';
import { Random } from '../crash/random.js';
import { byteOrder } from '../model-based/filter-oracle.js';
import { livesOf, type Engine } from './engine.js';
import { direction, idOf, sha256, ShelfOfItems, space, type Kept } from './oracle.js';

/** So few, and of one form, that what a word is needs no reading. */
const vocabulary = ['red', 'dog', 'beach', 'rome', 'sun', 'img', 'two', 'sea', '7', '2041'];
const asIs = (...words: string[]): Phrase => ({ words, prefix: false });

/** What full text promises, beside a catalog whose items it follows. */
export function fullTextContract(engine: Engine): void {
  const begin = livesOf(engine, { name: 'notes', ...space, originals: 'keep', textFields: ['title'] });

  async function fill({ catalog }: Store, shelf: ShelfOfItems, writes: ItemWrite[]): Promise<void> {
    await catalog.write('notes', writes);
    for (const write of writes) shelf.take(write);
  }

  describe(`Full text (${engine.name})`, () => {
    it.each([1, 2])('finds what a scan finds, in the order of weights and scores, while items come, change and go (seed %i)', { timeout: 60_000 }, async (seed) => {
      const life = await begin();
      const shelf = new ShelfOfItems();
      await fill(life.store, shelf, Array.from({ length: 300 }, (_, n) => drawItem(Random.named(`item ${seed} ${n}`), n)));
      let found = 0;
      for (let n = 0; n < 80; n++) {
        const random = Random.named(`query ${seed} ${n}`);
        if (n % 5 === 4) await change(life.store, shelf, random);
        if (n === 60) await life.again();
        const request = drawRequest(random, shelf);
        const answer = await life.store.words.withWords('notes', request);
        const right = scan(shelf, request);
        expect(answer.matches.map(({ id, phrases }) => ({ id, phrases }))).toEqual(right.slice(0, request.limit).map(({ id, phrases }) => ({ id, phrases })));
        for (const [place, { score }] of answer.matches.entries()) expect(score).toBeCloseTo(right[place]!.score, 5);
        if (answer.complete) expect(right.length).toBeLessThanOrEqual(request.limit);
        found += answer.matches.length;
        const phrases = request.phrases.map(({ phrase }) => phrase);
        expect(await life.store.words.countWords('notes', phrases, 1_000)).toEqual({ items: [...shelf.items.values()].filter(({ vectors }) => vectors.length > 0).length, counts: phrases.map((phrase) => [...shelf.items.values()].filter((item) => stands(item, phrase)).length) });
      }
      expect(found).toBeGreaterThan(600);
    });

    it('goes no further in counting than it was asked to', async () => {
      const { store } = await begin();
      await fill(store, new ShelfOfItems(), Array.from({ length: 40 }, (_, n) => textItem(`t${n}`, 'red sun', Random.named(`${n}`))));
      expect(await store.words.countWords('notes', [asIs('red'), asIs('nowhere')], 15)).toEqual({ items: 40, counts: [15, 0] });
    });

    it('takes the end of a phrase for a beginning where it is one', async () => {
      const { store } = await begin();
      await fill(store, new ShelfOfItems(), ['sea sun', 'sea sunset', 'sun sea'].map((text, n) => textItem(`t${n}`, text, Random.named(`${n}`))));
      expect(await store.words.countWords('notes', [{ words: ['sea', 'sun'], prefix: true }, asIs('sea', 'sun'), { words: ['s'], prefix: true }], 9)).toEqual({ items: 3, counts: [2, 1, 3] });
    });

    it('reads other fields once they are chosen, and tells until when it is not done', async () => {
      const { store } = await begin();
      await fill(store, new ShelfOfItems(), Array.from({ length: 600 }, (_, n) => ({ ...textItem(`t${n}`, 'sun', Random.named(`${n}`)), metadata: { title: 'red', place: n % 2 ? 'rome' : 'beach' } })));
      const counts = async (): Promise<number[]> => (await store.words.countWords('notes', [asIs('red'), asIs('rome'), asIs('sun')], 9_999)).counts;
      expect(await counts()).toEqual([600, 0, 600]);
      await store.catalog.setTextFields('notes', ['place']);
      await expect.poll(async () => (await store.catalog.describeCollection('notes')).unread, { interval: 20, timeout: 10_000 }).toBe(0);
      expect(await counts()).toEqual([0, 300, 600]);
    });

    it('tells folders by their names, and knows no collection that is not there', async () => {
      const { store } = await begin();
      const sources = ['/a/Rome/1.jpg', '/b/rome/sub/2.jpg', '/c/roman/3.jpg', '/rome.jpg'];
      await fill(store, new ShelfOfItems(), sources.map((source, n) => ({ ...textItem(`t${n}`, 'sun', Random.named(`${n}`)), source })));
      expect(await store.words.foldersNamed('notes', 'ROME', 9)).toEqual(['/a/Rome/', '/b/rome/']);
      expect(await store.words.foldersNamed('notes', 'rome', 1)).toHaveLength(1);
      const gone = { code: 'not_found' };
      await expect(store.words.countWords('none', [asIs('sun')], 1)).rejects.toMatchObject(gone);
      await expect(store.words.foldersNamed('none', 'rome', 1)).rejects.toMatchObject(gone);
      const request: WordsRequest = { embedding: direction(Random.named('q')), modalities: ['text'], phrases: [{ phrase: asIs('sun'), weight: 1 }], limit: 1 };
      await expect(store.words.withWords('none', request)).rejects.toMatchObject(gone);
      await expect(store.words.withWords('notes', { ...request, fingerprint: 'another' })).rejects.toMatchObject({ code: 'conflict' });
    });
  });
}

const textItem = (id: string, text: string, random: Random): ItemWrite => ({ id, content: { modality: 'text', contentHash: sha256(`${id} ${text}`), text, embeddings: [direction(random)] } });

function drawItem(random: Random, n: number): ItemWrite {
  const words = (most: number): string => Array.from({ length: random.between(1, most) }, () => random.pick(vocabulary)).join(' ');
  const isText = random.next() < 0.5;
  const source = random.next() < 0.7 ? `/${words(2).replaceAll(' ', '_')}/${words(3).replaceAll(' ', '-')}.jpg` : undefined;
  return {
    ...textItem(idOf(n), words(6), random),
    ...(isText ? {} : { content: { modality: 'image', contentHash: sha256(`picture ${n} ${random.next()}`), embeddings: random.next() < 0.05 ? [] : [direction(random), ...(random.next() < 0.2 ? [direction(random)] : [])] } }),
    metadata: { half: n % 2, ...(random.next() < 0.5 ? { title: words(3) } : {}), other: words(2) },
    ...(source === undefined ? {} : { source }),
  };
}

async function change({ catalog }: Store, shelf: ShelfOfItems, random: Random): Promise<void> {
  const id = random.pick([...shelf.items.keys()]);
  if (random.next() < 0.3) {
    await catalog.deleteItem('notes', id);
    shelf.items.delete(id);
    return;
  }
  const drawn = { ...drawItem(random, random.between(0, 500)), id };
  const { content: _content, ...note } = drawn;
  const write = random.next() < 0.4 ? note : drawn;
  await catalog.write('notes', [write]);
  shelf.take(write);
}

function drawRequest(random: Random, shelf: ShelfOfItems): WordsRequest {
  const drawPhrase = (): Phrase => asIs(...Array.from({ length: random.between(1, 2) }, () => random.pick(vocabulary)));
  const filters: Filter[] = [{ half: 1 }, { title: { $exists: true } }, { '$item.modality': 'image' }];
  return {
    embedding: direction(random),
    modalities: random.pick([['image'], ['text'], ['image', 'text']]),
    // No two sums of these are equal.
    phrases: Array.from({ length: random.between(1, 3) }, (_, i) => ({ phrase: drawPhrase(), weight: 1 + 0.37 * i * i })),
    ...(random.next() < 0.3 ? { required: [drawPhrase()] } : {}),
    ...(random.next() < 0.4 ? { filter: random.pick(filters) } : {}),
    ...(random.next() < 0.3 ? { excludeIds: random.shuffle([...shelf.items.keys()]).slice(0, 30) } : {}),
    ...(random.next() < 0.2 ? { minScore: 0.2 } : {}),
    limit: random.pick([1, 5, 50, 1_000]),
  };
}

/** Whether the words stand behind each other, all in the text, in one source, or in the title. */
function stands({ text, sources, metadata }: Kept, { words }: Phrase): boolean {
  const fields = [...(text === undefined ? [] : [text]), ...sources, ...(typeof metadata.title === 'string' ? [metadata.title] : [])];
  return fields.some((field) => ` ${field.split(/[^a-z0-9]+/).join(' ')} `.includes(` ${words.join(' ')} `));
}

function scan(shelf: ShelfOfItems, { phrases, required = [], limit: _limit, minScore = -1, modalities, ...request }: WordsRequest): { id: string; score: number; phrases: number[] }[] {
  return modalities
    .flatMap((modality) => shelf.ranked(modality, request))
    .flatMap(({ id, score }) => {
      const item = shelf.items.get(id)!;
      const places = [...phrases.keys()].filter((place) => stands(item, phrases[place]!.phrase));
      if (places.length === 0 || score < minScore || !required.every((phrase) => stands(item, phrase))) return [];
      return [{ id, score, phrases: places, weight: places.reduce((sum, place) => sum + phrases[place]!.weight, 0) }];
    })
    .sort((a, b) => b.weight - a.weight || b.score - a.score || byteOrder(a.id, b.id))
    .map(({ weight: _weight, ...each }) => each);
}
