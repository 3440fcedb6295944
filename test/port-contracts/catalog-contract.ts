import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/domain/filter.js';
import type { Metadata } from '../../src/domain/metadata.js';
import type { Catalog, ItemWrite, ListPlace, ValueCounts } from '../../src/store/catalog.js';
import type { Job } from '../../src/store/job-catalog.js';
import { Random } from '../crash/random.js';
import { drawFilter, drawMetadata, fieldPath, reordered } from '../model-based/metadata.js';
import { livesOf, type Engine } from './engine.js';
import { direction, idOf, otherSpace, sha256, ShelfOfItems, space, told } from './oracle.js';

const photos = { name: 'photos', ...space, originals: 'keep' as const };
const others = { ...otherSpace, fromThumbnails: false, skipImpossible: false };

function text(id: string, content: string, rest: Omit<ItemWrite, 'id' | 'content'> = {}): ItemWrite {
  return { id, content: { modality: 'text', contentHash: sha256(content), text: content, embeddings: [direction(Random.named(content))] }, ...rest };
}

function picture(id: string, content: string, more: object = {}): ItemWrite {
  const original = Buffer.from(content);
  return { id, content: { modality: 'image', contentHash: sha256(original), embeddings: [direction(Random.named(content))], thumbnail: Buffer.from(`thumbnail of ${content}`), original, mediaType: 'image/png', width: 3, height: 2, ...more } };
}

const withoutOriginal = (write: ItemWrite, more: object = {}): ItemWrite => {
  const { original: _, ...content } = write.content!;
  return { ...write, content: { ...content, ...more } };
};

/** What every catalog promises. */
export function catalogContract(engine: Engine): void {
  const begin = livesOf(engine, photos);
  const refusal = (code: string, message: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(message) });

  describe(`A catalog (${engine.name})`, () => {
    it('tells all of a collection by keys: which items match, their whole embeddings, ids and values, and that something has changed', async () => {
      const { catalog } = (await begin()).store;
      const of = (name: string): Float32Array => direction(Random.named(name));
      const long = 'x'.repeat(300);
      await catalog.write('photos', [
        text('a', 'words', { metadata: { n: 1, list: [{}, 'first', 'second'], deep: { er: true } } }),
        picture('b', 'pixels', { embeddings: [of('pixels'), of('tile')], boxes: [[0, 0, 0.5, 0.5]] }),
        { ...picture('c', 'others'), metadata: { n: 2, long, none: null, object: {} } },
        { id: 'bare', content: { modality: 'image', contentHash: sha256('bare'), embeddings: [] } },
      ]);
      const changes = await catalog.changesOf('photos');
      const all = await catalog.matchingKeys('photos');
      const [a, b, c, bare, nobody] = await catalog.keysOfIds('photos', ['a', 'b', 'c', 'bare', 'nobody']);
      expect(nobody).toBe(0);
      expect([[...all.text], [...all.image]]).toEqual([[a], [b, c, bare]]);
      const some = await catalog.matchingKeys('photos', { n: { $gte: 1 } });
      expect([[...some.text], [...some.image]]).toEqual([[a], [c]]);
      const wholes = await catalog.wholeEmbeddings('photos');
      expect([wholes.fingerprint, [...wholes.text.items], [...wholes.image.items]]).toEqual([photos.fingerprint, [a], [b, c]]);
      const read = await catalog.readEmbeddings('photos', photos.fingerprint, Uint32Array.from([wholes.image.embeddings[1]!, 4_000_000, wholes.image.embeddings[0]!, wholes.text.embeddings[0]!]));
      expect([...read.found]).toEqual([1, 0, 1, 1]);
      expect([...read.values]).toEqual([...of('others'), ...new Float32Array(photos.dimension), ...of('pixels'), ...of('words')]);
      await expect(catalog.readEmbeddings('photos', otherSpace.fingerprint, new Uint32Array(0))).rejects.toEqual(refusal('conflict', /space/));
      expect(await catalog.idsOfKeys('photos', Uint32Array.from([c!, 4_000_000, a!]))).toEqual(['c', '', 'a']);
      const values = (field: string): Promise<unknown[]> => catalog.valuesOfKeys('photos', field, Uint32Array.from([c!, a!, 4_000_000, b!]));
      expect(await values('n')).toEqual([2, 1, undefined, undefined]);
      expect(await values('list')).toEqual([undefined, 'first', undefined, undefined]);
      expect(await values('deep.er')).toEqual([undefined, true, undefined, undefined]);
      expect(await values('long')).toEqual([long.slice(0, 257), undefined, undefined, undefined]);
      expect(await values('none')).toEqual([null, undefined, undefined, undefined]);
      expect(await values('object')).toEqual([undefined, undefined, undefined, undefined]);
      expect(await values('$item.modality')).toEqual(['image', 'text', undefined, 'image']);
      expect(await catalog.changesOf('photos')).toBe(changes);
      await catalog.write('photos', [text('a', 'other words')]);
      expect(await catalog.changesOf('photos')).toBeGreaterThan(changes);
      const after = await catalog.wholeEmbeddings('photos');
      expect(after.text.embeddings[0]).not.toBe(wholes.text.embeddings[0]);
      await catalog.deleteItem('photos', 'c');
      expect([...(await catalog.matchingKeys('photos')).image]).toEqual([b, bare]);
      expect(await catalog.idsOfKeys('photos', Uint32Array.from([c!]))).toEqual(['']);
    });

    it('knows its collections by name, gives none of a name twice, and has them after it was closed', async () => {
      const life = await begin();
      const { catalog } = life.store;
      await catalog.createCollection({ ...photos, ...otherSpace, name: 'Products', description: 'été 😀', originals: 'thumbnail' });
      await expect(catalog.createCollection({ ...photos, ...otherSpace })).rejects.toEqual(refusal('conflict', /"photos"/));
      const seen = await catalog.listCollections();
      expect(seen.map(({ name }) => name).sort()).toEqual(['Products', 'photos']);
      const { createdAt } = await catalog.getCollection('photos');
      expect(await catalog.getCollection('photos')).toEqual({ ...photos, textFields: [], tiles: 'none', createdAt });
      const again = (await life.again()).catalog;
      expect(await again.listCollections()).toEqual(seen);
      expect(await again.getCollection('Products')).toMatchObject({ ...otherSpace, description: 'été 😀', originals: 'thumbnail' });
      await again.deleteCollection('Products');
      await expect(again.getCollection('Products')).rejects.toEqual(refusal('not_found', /"Products"/));
      await again.createCollection({ ...photos, name: 'Products' });
      expect(await again.describeCollection('Products')).toMatchObject({ ...space, counts: { image: 0, text: 0 }, unembedded: 0, bytes: 0 });
    });

    it('keeps what jobs found out about a collection, the latest of each kind, until it is deleted', async () => {
      const life = await begin();
      let { catalog } = life.store;
      const [first, second, other] = [{ kind: 'clusters', job: 'clusters-1' }, { kind: 'clusters', job: 'clusters-2' }, { kind: 'duplicates', job: 'duplicates-1' }];
      const entries = Array.from({ length: 5_000 }, (_, number) => ({ number, body: { id: `é ${number}`, nested: [number, null] } }));
      expect(await catalog.getResult('photos', 'clusters')).toBeUndefined();
      await catalog.putResultEntries('photos', first, 'list', entries.slice(0, 3_000));
      await catalog.putResultEntries('photos', first, 'list', entries.slice(2_000));
      await catalog.putResultEntries('photos', first, 'on the way', entries.slice(0, 3));
      await catalog.putResultEntries('photos', other, 'list', [{ number: 7, body: 'another' }]);
      expect(await catalog.getResult('photos', 'clusters')).toBeUndefined();
      await catalog.publishResult('photos', { ...first, summary: { count: 5_000 } }, ['on the way']);
      catalog = (await life.again()).catalog;
      expect(await catalog.getResult('photos', 'clusters')).toEqual({ job: first.job, summary: { count: 5_000 } });
      expect(await catalog.listResultEntries('photos', first.job, 'on the way', { limit: 10 })).toEqual({ entries: [], more: false });
      expect(await catalog.listResultEntries('photos', first.job, 'list', { limit: 2, after: 4_996 })).toEqual({ entries: entries.slice(4_997, 4_999), more: true });
      expect(await catalog.listResultEntries('photos', first.job, 'list', { limit: 10_000 })).toEqual({ entries, more: false });
      await catalog.putResultEntries('photos', first, 'list', [{ number: 1, body: 'renamed' }]);
      expect((await catalog.listResultEntries('photos', first.job, 'list', { limit: 1, after: 0 })).entries).toEqual([{ number: 1, body: 'renamed' }]);
      await catalog.putResultEntries('photos', second, 'list', entries.slice(0, 1));
      expect(await catalog.getResult('photos', 'clusters')).toMatchObject({ job: first.job });
      expect(await catalog.listResults('photos')).toEqual([{ ...first, summary: { count: 5_000 } }]);
      await catalog.publishResult('photos', { ...second, summary: null });
      expect(await catalog.getResult('photos', 'clusters')).toEqual({ job: second.job, summary: null });
      expect(await catalog.listResults('photos')).toEqual([{ ...second, summary: null }]);
      expect(await catalog.listResultEntries('photos', first.job, 'list', { limit: 1 })).toEqual({ entries: [], more: false });
      expect((await catalog.listResultEntries('photos', other.job, 'list', { limit: 1 })).entries).toEqual([{ number: 7, body: 'another' }]);
      await catalog.discardResult('photos', other.job);
      expect(await catalog.listResultEntries('photos', other.job, 'list', { limit: 1 })).toEqual({ entries: [], more: false });
      await expect(catalog.listResults('elsewhere')).rejects.toEqual(refusal('not_found', /"elsewhere"/));
      await expect(catalog.getResult('elsewhere', 'clusters')).rejects.toEqual(refusal('not_found', /"elsewhere"/));
      await catalog.deleteCollection('photos');
      await catalog.createCollection(photos);
      expect(await catalog.getResult('photos', 'clusters')).toBeUndefined();
      expect(await catalog.listResultEntries('photos', second.job, 'list', { limit: 1 })).toEqual({ entries: [], more: false });
    });

    it('refuses whatever is asked of a collection or an item that is not there, by its name', async () => {
      const { catalog } = (await begin()).store;
      const asked: ((name: string) => Promise<unknown>)[] = [
        (name) => catalog.getCollection(name),
        (name) => catalog.describeCollection(name),
        (name) => catalog.deleteCollection(name),
        (name) => catalog.write(name, [text('a', 'a')]),
        (name) => catalog.present(name, ['a']),
        (name) => catalog.addMetadata(name, [], 9),
        (name) => catalog.listItems(name, { limit: 1 }),
        (name) => catalog.deleteItems(name),
        (name) => catalog.planReembedding(name, others),
        (name) => catalog.startReembedding(name, others),
        (name) => catalog.listImpossible(name, 1),
      ];
      for (const ask of asked) await expect(ask('none')).rejects.toEqual(refusal('not_found', /"none"/));
      const ofItems: ((id: string) => Promise<unknown>)[] = [
        (id) => catalog.getItem('photos', id),
        (id) => catalog.getEmbedding('photos', id),
        (id) => catalog.setMetadata('photos', id, {}),
        (id) => catalog.deleteItem('photos', id),
        (id) => catalog.getPicture('photos', id, 'thumbnail'),
        (id) => catalog.write('photos', [{ id, source: 's' }]),
      ];
      for (const ask of ofItems) await expect(ask('nobody')).rejects.toEqual(refusal('not_found', /"nobody"/));
      for (const ask of [() => catalog.nextToReembed('photos', { limit: 1 }), () => catalog.putReembedded('photos', 'f', []), () => catalog.finishReembedding('photos')]) {
        await expect(ask()).rejects.toMatchObject({ code: 'conflict' });
      }
    });

    it('writes all of a batch or nothing of it, and nothing of another space', async () => {
      const { catalog } = (await begin()).store;
      await expect(catalog.write('photos', [picture('a', 'a'), { id: 'unknown', source: 's' }])).rejects.toMatchObject({ code: 'not_found' });
      await expect(catalog.write('photos', [text('a', 'a')], otherSpace.fingerprint)).rejects.toMatchObject({ code: 'conflict' });
      expect(await catalog.listItems('photos', { limit: 9 })).toEqual({ items: [] });
      expect(await catalog.write('photos', [text('a', 'a'), text('a', 'a'), text('a', 'b'), text('b', 'a')], space.fingerprint)).toEqual(['created', 'unchanged', 'updated', 'created']);
    });

    it('lays fields over the metadata that is there at that moment, item by item, and says of each what came of it', async () => {
      const life = await begin();
      const { catalog } = life.store;
      const metadata = JSON.parse('{"__proto__": {"x": 1}, "label": "old", "kept": [1]}') as Metadata;
      await catalog.write('photos', [text('a', 'a', { metadata }), text('b', 'b', { metadata: { long: 'x'.repeat(80) } }), text('c', 'c')]);
      const add = (ids: string[]): Promise<unknown> => catalog.addMetadata('photos', ids.map((id) => ({ id, fields: { label: `of ${id}` } })), 99);
      const [outcomes] = await Promise.all([add(['a', 'b', 'gone', 'c']), catalog.setMetadata('photos', 'c', { mine: true })]);
      expect(outcomes).toEqual(['written', 'too_large', 'missing', 'written']);
      await catalog.setMetadata('photos', 'c', { mine: true });
      expect(await add(['c', 'c'])).toEqual(['written', 'written']);
      const again = (await life.again()).catalog;
      const held = async (id: string): Promise<string> => JSON.stringify((await again.getItem('photos', id)).metadata);
      expect([await held('a'), await held('c')]).toEqual(['{"__proto__":{"x":1},"label":"of a","kept":[1]}', '{"mine":true,"label":"of c"}']);
      expect(await again.listItems('photos', { filter: { label: 'of c' }, limit: 9 })).toMatchObject({ items: [{ id: 'c' }] });
      expect((await again.getItem('photos', 'b')).metadata).toEqual({ long: 'x'.repeat(80) });
    });

    it('keeps metadata as it was written, whatever its keys are called, and its parts in their order', async () => {
      const life = await begin();
      const metadata = JSON.parse('{"b": 1, "a": {"__proto__": {"x": 1}, "constructor": "y"}, "a.b": null, "": [1, "ü", "\\u0000", 1e21, -0.5], "10": true, "2": false}') as Metadata;
      await life.store.catalog.write('photos', [text('a', 'a', { metadata })]);
      const { catalog } = await life.again();
      expect(JSON.stringify((await catalog.getItem('photos', 'a')).metadata)).toBe(JSON.stringify(metadata));
      expect((await catalog.listItems('photos', { limit: 1, filter: JSON.parse('{"a.__proto__.x": 1}') as Filter })).items).toHaveLength(1);
    });

    it.each([1, 2, 3])('answers 200 operations drawn by a seed as a list in memory answers them, before and after it is closed (seed %i)', { timeout: 120_000 }, async (seed) => {
      const life = await begin();
      const shelf = new ShelfOfItems();
      for (let step = 0; step < 200; step++) {
        const random = Random.named(`catalog ${seed} ${step}`);
        if (step % 80 === 79) await life.again();
        await operate(life.store.catalog, shelf, random);
      }
      for (const id of shelf.ids()) expect(await life.store.catalog.getEmbedding('photos', id)).toEqual(shelf.items.get(id)!.vectors[0]);
    });

    it('tells how much it holds, and nothing once all is deleted', async () => {
      const { catalog } = (await begin()).store;
      const empty = await catalog.describeCollection('photos');
      await catalog.write('photos', [text('a', 'a'), picture('b', 'b'), { ...picture('c', 'c'), content: { ...picture('c', 'c').content!, embeddings: [] } }]);
      const full = await catalog.describeCollection('photos');
      expect(full).toMatchObject({ counts: { image: 2, text: 1 }, unembedded: 1 });
      expect(full.bytes - empty.bytes).toBeGreaterThanOrEqual(2 * space.dimension * 4 + 'thumbnail of b'.length * 2);
      expect(await catalog.getItem('photos', 'c')).toMatchObject({ unembedded: expect.stringMatching(/\.$/) as string });
      await expect(catalog.getEmbedding('photos', 'c')).rejects.toMatchObject({ code: 'conflict' });
      expect(await catalog.deleteItems('photos')).toBe(3);
      expect(await catalog.describeCollection('photos')).toEqual(empty);
    });

    it('says what it holds of the ids that it is asked for', async () => {
      const { catalog } = (await begin()).store;
      await catalog.write('photos', [text('a', 'words'), picture('b', 'p')]);
      for (const check of [undefined, 'whole'] as const) {
        const found = await catalog.present('photos', ['b', 'x', 'a'], check);
        expect(found.sort((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
          { id: 'a', contentHash: sha256('words'), modality: 'text', embedded: true, boxes: [] },
          { id: 'b', contentHash: sha256('p'), modality: 'image', embedded: true, boxes: [], width: 3, height: 2 },
        ]);
      }
    });

    it('gives a picture out as it came as long as an item shows it, and says why not otherwise', async () => {
      const life = await begin();
      const { catalog } = life.store;
      const file = path.join(life.folder, 'picture.png');
      await writeFile(file, 'by path');
      await catalog.write('photos', [picture('a', 'same'), picture('b', 'same'), withoutOriginal(picture('path', 'by path'), { path: file }), withoutOriginal(picture('thumb', 'thumb')), text('words', 'words')]);
      const original = async (id: string): Promise<string> => {
        const { bytes, mediaType } = await life.store.catalog.getPicture('photos', id, 'original');
        expect(mediaType).toBe('image/png');
        return Buffer.from(bytes).toString();
      };
      expect([await original('a'), await original('b'), await original('path')]).toEqual(['same', 'same', 'by path']);
      const { bytes, mediaType } = await catalog.getPicture('photos', 'path', 'thumbnail');
      expect([Buffer.from(bytes).toString(), mediaType]).toEqual(['thumbnail of by path', 'image/webp']);
      await catalog.deleteItem('photos', 'a');
      await life.again();
      expect(await original('b')).toBe('same');
      await writeFile(file, 'another');
      await expect(original('path')).rejects.toEqual(refusal('not_found', /changed/));
      await rm(file);
      await expect(original('path')).rejects.toEqual(refusal('not_found', /gone/));
      await expect(original('thumb')).rejects.toEqual(refusal('not_found', /not kept/));
      await expect(original('words')).rejects.toEqual(refusal('not_found', /text/));
      await writeFile(file, 'by path');
      expect(await original('path')).toBe((await readFile(file)).toString());
    });

    it('has a key for cursors that stays the same', async () => {
      const life = await begin();
      const key = await life.store.catalog.cursorKey();
      expect(key).toHaveLength(32);
      expect(new Set(key).size).toBeGreaterThan(8);
      expect(await (await life.again()).catalog.cursorKey()).toEqual(key);
    });
  });

  describe(`A collection on its way into another space (${engine.name})`, () => {
    const encoded = (id: string): Float32Array => direction(Random.named(`other ${id}`), otherSpace.dimension);
    async function putAll(catalog: Catalog, most = Infinity): Promise<string[]> {
      const done: string[] = [];
      for (;;) {
        const items = await catalog.nextToReembed('photos', { limit: Math.min(7, most - done.length) });
        if (items.length === 0 || done.length >= most) return done;
        done.push(...items.map(({ id }) => id));
        await catalog.putReembedded('photos', otherSpace.fingerprint, items.map(({ key, id, source }) => ('impossible' in source ? { key, ...source } : { key, embedding: encoded(id) })));
      }
    }

    it('is handed out item by item with what each is made of, stays as it is meanwhile, and goes over at once', async () => {
      const life = await begin();
      const { catalog } = life.store;
      await catalog.write('photos', [text('a', 'words'), picture('p', 'pixels')]);
      expect(await catalog.planReembedding('photos', others)).toEqual({ items: 2, kept: 0, fromThumbnails: 0, impossible: 0, first: [] });
      await catalog.startReembedding('photos', others);
      await expect(catalog.startReembedding('photos', { ...others, model: 'third', fingerprint: 'f-third' })).rejects.toMatchObject({ code: 'conflict' });
      const items = [];
      for (let after; ; ) {
        const [next] = await catalog.nextToReembed('photos', { limit: 1, ...(after ? { after } : {}) });
        if (!next) break;
        items.push(next);
        after = next;
      }
      expect(items.map(({ id, modality, source }) => [id, modality, 'text' in source ? source.text : 'picture' in source ? Buffer.from(source.picture).toString() : source]).sort()).toEqual([['a', 'text', 'words'], ['p', 'image', 'pixels']]);
      expect(await catalog.finishReembedding('photos')).toBe('pending');
      await expect(catalog.putReembedded('photos', 'f-third', [])).rejects.toMatchObject({ code: 'conflict' });
      await putAll(catalog, 7);
      expect(await catalog.getEmbedding('photos', 'a')).toEqual(direction(Random.named('words')));
      expect(await catalog.describeCollection('photos')).toMatchObject({ ...space, reembedding: { ...others, state: 'running', done: 2, impossible: 0 } });
      expect(await catalog.finishReembedding('photos')).toBe('done');
      expect(await catalog.getCollection('photos')).toMatchObject({ ...otherSpace, name: 'photos' });
      const again = (await life.again()).catalog;
      expect((await again.describeCollection('photos')).reembedding).toBeUndefined();
      for (const id of ['a', 'p']) expect(await again.getEmbedding('photos', id)).toEqual(encoded(id));
    });

    it('gives what is written meanwhile its turn, forgets what went, and goes on where it was after it was closed', async () => {
      const life = await begin();
      await life.store.catalog.write('photos', Array.from({ length: 30 }, (_, n) => text(`t${n}`, `words ${n}`)));
      await life.store.catalog.startReembedding('photos', others);
      const first = await putAll(life.store.catalog, 14);
      const { catalog } = await life.again();
      await catalog.write('photos', [text(first[0]!, 'replaced'), text('late', 'late')]);
      await catalog.deleteItem('photos', first[1]!);
      expect((await catalog.describeCollection('photos')).reembedding).toMatchObject({ done: 12 });
      const rest = await putAll(catalog);
      expect([...rest].sort()).toEqual([...Array.from({ length: 30 }, (_, n) => `t${n}`).filter((id) => !first.slice(1).includes(id)), 'late'].sort());
      expect(await catalog.finishReembedding('photos')).toBe('done');
      expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { text: 30 }, unembedded: 0 });
    });

    it('does not go over while items cannot, unless they may be left behind; those keep the embedding they had', async () => {
      const { catalog } = (await begin()).store;
      const given: ItemWrite = { id: 'given', content: { modality: 'image', contentHash: sha256('given'), embeddings: [direction(Random.named('given'))] } };
      await catalog.write('photos', [given, withoutOriginal(picture('thumb', 'thumb')), text('a', 'words')]);
      expect(await catalog.planReembedding('photos', { ...others, fromThumbnails: true })).toMatchObject({ items: 3, fromThumbnails: 1, impossible: 1, first: [{ id: 'given' }] });
      await catalog.startReembedding('photos', others);
      await putAll(catalog);
      expect(await catalog.finishReembedding('photos')).toBe('impossible');
      expect((await catalog.listImpossible('photos', 9)).map(({ id }) => id).sort()).toEqual(['given', 'thumb']);
      await catalog.startReembedding('photos', { ...others, skipImpossible: true });
      await putAll(catalog);
      expect(await catalog.finishReembedding('photos')).toBe('done');
      expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { image: 2, text: 1 }, unembedded: 2 });
      await expect(catalog.getEmbedding('photos', 'given')).rejects.toMatchObject({ code: 'conflict' });
      expect(await catalog.planReembedding('photos', { ...space, fromThumbnails: false })).toMatchObject({ items: 3, kept: 2, impossible: 0 });
    });

    it('is as it was when that is discarded', async () => {
      const { catalog } = (await begin()).store;
      await catalog.write('photos', [text('a', 'words'), text('b', 'others')]);
      await catalog.startReembedding('photos', others);
      await putAll(catalog, 1);
      await catalog.discardReembedding('photos');
      expect(await catalog.describeCollection('photos')).toMatchObject({ ...space, unembedded: 0 });
      await catalog.startReembedding('photos', others);
      expect((await catalog.describeCollection('photos')).reembedding).toMatchObject({ done: 0 });
    });
  });

  describe(`A table of classifiers (${engine.name})`, () => {
    const now = '2026-11-01T00:00:00.000Z';
    const colors = { name: 'colors', model: space.model, fingerprint: space.fingerprint, labels: ['red', 'blue'], createdAt: now, updatedAt: now };
    const example = (label: string, hash: string, negative = false): { label: string; hash: string; negative: boolean; embedding: Float32Array } => ({ label, hash, negative, embedding: direction(Random.named(hash)) });

    it('keeps them and their examples, each once for a label, also after it was closed', async () => {
      const life = await begin();
      const { catalog } = life.store;
      await catalog.putClassifier(colors, ['red', 'blue']);
      await catalog.addExamples('colors', { fingerprint: space.fingerprint, examples: [example('red', 'a'), example('red', 'b'), example('blue', 'a')], most: 10, updatedAt: now });
      await catalog.addExamples('colors', { fingerprint: space.fingerprint, examples: [example('red', 'a', true)], most: 10, updatedAt: '2026-11-02T00:00:00.000Z' });
      const again = (await life.again()).catalog;
      expect(await again.getClassifier('colors')).toEqual({ ...colors, updatedAt: '2026-11-02T00:00:00.000Z', examples: [{ label: 'red', count: 2, negative: 1 }, { label: 'blue', count: 1, negative: 0 }] });
      expect(await again.listExamples('colors')).toEqual([example('red', 'a', true), example('red', 'b'), example('blue', 'a')]);
      expect((await again.listClassifiers()).map(({ name }) => name)).toEqual(['colors']);
      expect(await again.removeExamples('colors', { label: 'red', hashes: ['a', 'z'] }, now)).toBe(1);
      expect(await again.listExamples('colors')).toEqual([example('red', 'b'), example('blue', 'a')]);
      await again.putClassifier({ ...colors, labels: ['blue', 'green'] }, ['blue', 'green']);
      expect(await again.listExamples('colors')).toEqual([example('blue', 'a')]);
      await again.putClassifier({ ...colors, fingerprint: 'another' }, ['red', 'blue']);
      expect(await again.listExamples('colors')).toEqual([]);
      await again.deleteClassifier('colors');
      await expect(again.getClassifier('colors')).rejects.toEqual(refusal('not_found', /"colors"/));
    });

    it('takes no examples of another space, and no more than it may, and then none of them', async () => {
      const { catalog } = (await begin()).store;
      await catalog.putClassifier(colors, ['red', 'blue']);
      await expect(catalog.addExamples('colors', { fingerprint: 'another', examples: [example('red', 'a')], most: 10, updatedAt: now })).rejects.toEqual(refusal('conflict', /another/));
      await expect(catalog.addExamples('colors', { fingerprint: space.fingerprint, examples: [example('red', 'a'), example('red', 'b')], most: 1, updatedAt: now })).rejects.toEqual(refusal('too_large', /at most 1/));
      await expect(catalog.addExamples('nobody', { fingerprint: space.fingerprint, examples: [], most: 1, updatedAt: now })).rejects.toEqual(refusal('not_found', /"nobody"/));
      expect(await catalog.listExamples('colors')).toEqual([]);
    });
  });

  describe(`A table of jobs (${engine.name})`, () => {
    const job = (n: number, more: Partial<Job> = {}): Job => ({ id: `job-${n}`, kind: n % 2 ? 'walk' : 'swim', state: 'running', parameters: { n }, done: 0, failed: 0, createdAt: '2026-01-01T00:00:00.000Z', ...more });

    it('holds each as it was written last, the newest first, page by page, after it was closed, too', async () => {
      const life = await begin();
      for (let n = 1; n <= 7; n++) await life.store.catalog.putJob(job(n, n > 4 ? { collection: 'photos' } : {}));
      const changed = job(3, { state: 'failed', done: 2, total: 9, failed: 1, checkpoint: ['é', 1], problem: 'It broke.', result: { a: 1 }, endedAt: '2026-01-02T00:00:00.000Z' });
      await life.store.catalog.putJob(changed);
      const { catalog } = await life.again();
      expect(await catalog.getJob('job-3')).toMatchObject(changed);
      expect(await catalog.getJob('job-9')).toBeUndefined();
      const first = await catalog.listJobs({ limit: 3 });
      expect([first.jobs.map(({ id }) => id), first.more]).toEqual([['job-7', 'job-6', 'job-5'], true]);
      const rest = await catalog.listJobs({ limit: 9, before: first.jobs.at(-1)!.number });
      expect([rest.jobs.map(({ id }) => id), rest.more]).toEqual([['job-4', 'job-3', 'job-2', 'job-1'], false]);
      expect((await catalog.listJobs({ limit: 9, kind: 'walk', states: ['running'] })).jobs.map(({ id }) => id)).toEqual(['job-7', 'job-5', 'job-1']);
      expect((await catalog.listJobs({ limit: 9, collections: ['photos'] })).jobs.map(({ id }) => id)).toEqual(['job-7', 'job-6', 'job-5']);
    });

    it('numbers failures once each, forgets them when told to, and keeps of ended jobs the newest', async () => {
      const { catalog } = (await begin()).store;
      const failure = (name: string, reason = 'It is broken.') => ({ what: 'file' as const, name, reason });
      const [a, b] = await catalog.putJob(job(1), { failures: [failure('a'), failure('b')] });
      expect(await catalog.putJob(job(1), { failures: [failure('a', 'Still.'), failure('c')] })).toMatchObject([{ name: 'c' }]);
      const listed = await catalog.listJobFailures('job-1', { limit: 2 });
      expect([listed.failures.map(({ name, number }) => [name, number]), listed.more]).toEqual([[['a', a!.number], ['b', b!.number]], true]);
      expect((await catalog.listJobFailures('job-1', { limit: 9, after: b!.number })).failures.map(({ name }) => name)).toEqual(['c']);
      const [again] = await catalog.putJob(job(1), { forget: true, failures: [failure('a')] });
      expect(again!.number).toBeGreaterThan(b!.number);
      expect((await catalog.listJobFailures('job-1', { limit: 9 })).failures.map(({ name }) => name)).toEqual(['a']);
      expect((await catalog.listJobFailures('none', { limit: 9 })).failures).toEqual([]);
      for (let n = 2; n <= 6; n++) await catalog.putJob(job(n, { state: 'done', endedAt: `2026-01-0${n}T00:00:00.000Z` }));
      await catalog.pruneJobs({ jobs: 2, failures: 100 });
      expect((await catalog.listJobs({ limit: 9 })).jobs.map(({ id }) => id)).toEqual(['job-6', 'job-5', 'job-1']);
    });
  });
}

const contents = Array.from({ length: 12 }, (_, n) => `content ${n}`);
const ids = Array.from({ length: 40 }, (_, n) => idOf(n));

function drawWrite(random: Random, shelf: ShelfOfItems): ItemWrite {
  const id = random.pick(ids);
  const before = shelf.items.get(id);
  const rest = {
    ...(random.next() < 0.5 ? { metadata: (before && random.next() < 0.4 ? reordered(before.metadata) : drawMetadata(random)) } : {}),
    ...(random.next() < 0.3 ? { source: random.pick(['camera', 'a.jpg', 'été']) } : {}),
  };
  if (before && random.next() < 0.2) return { id, ...rest };
  const content = random.pick(contents);
  return { ...(random.next() < 0.5 ? text(id, content) : picture(id, content)), ...rest };
}

async function expectSorted(catalog: Catalog, shelf: ShelfOfItems, random: Random): Promise<void> {
  const filter = random.next() < 0.5 ? drawFilter(random) : undefined;
  const sort = { field: fieldPath(random), descending: random.next() < 0.5 };
  const limit = random.pick([1, 3, 10, 100]);
  const seen: string[] = [];
  for (let after: ListPlace | undefined; ; ) {
    const { items, next } = await catalog.listItems('photos', { limit, sort, ...(filter ? { filter: filter as Filter } : {}), ...(after === undefined ? {} : { after }) });
    for (const item of items) expect(told(item)).toEqual(told(shelf.items.get(item.id)!));
    seen.push(...items.map(({ id }) => id));
    if (!next) break;
    expect(items).toHaveLength(limit);
    after = next;
  }
  let from = 0;
  for (const ids of shelf.sorted(sort.field, sort.descending, filter)) expect(seen.slice(from, (from += ids.length)).sort()).toEqual(ids);
  expect(seen).toHaveLength(from);
}

function expectCounts({ values, other, missing }: ValueCounts, expected: ReturnType<ShelfOfItems['valueCounts']>, limit: number): void {
  const all = [...expected.values.values()].sort((a, b) => b - a);
  expect(values.map(({ count }) => count)).toEqual(all.slice(0, limit));
  for (const { value, count } of values) expect([value, count]).toEqual([value, expected.values.get(JSON.stringify(value))]);
  expect({ other, missing }).toEqual({ other: expected.other + all.slice(limit).reduce((sum, count) => sum + count, 0), missing: expected.missing });
}

/** One operation, or a look at what is there. */
async function operate(catalog: Catalog, shelf: ShelfOfItems, random: Random): Promise<void> {
  const kind = random.next();
  if (kind < 0.45) {
    const writes = Array.from({ length: random.between(1, 8) }, () => drawWrite(random, shelf));
    const expected = writes.map((write) => shelf.take(write));
    expect(await catalog.write('photos', writes)).toEqual(expected);
  } else if (kind < 0.55) {
    const id = random.pick(ids);
    const metadata = drawMetadata(random);
    const before = shelf.items.get(id);
    if (!before) return void (await expect(catalog.setMetadata('photos', id, metadata)).rejects.toMatchObject({ code: 'not_found' }));
    shelf.take({ id, metadata });
    expect(told(await catalog.setMetadata('photos', id, metadata))).toEqual(told(shelf.items.get(id)!));
  } else if (kind < 0.62) {
    const id = random.pick(ids);
    if (shelf.items.delete(id)) await catalog.deleteItem('photos', id);
    else await expect(catalog.deleteItem('photos', id)).rejects.toMatchObject({ code: 'not_found' });
  } else if (kind < 0.67) {
    const filter = { $and: [drawFilter(random), drawFilter(random), drawFilter(random)] };
    const gone = shelf.ids(filter);
    expect(await catalog.deleteItems('photos', filter as Filter)).toBe(gone.length);
    for (const id of gone) shelf.items.delete(id);
  } else if (kind < 0.8) {
    const filter = random.next() < 0.7 ? drawFilter(random) : undefined;
    const limit = random.pick([1, 3, 10, 100]);
    const seen: string[] = [];
    for (let after: ListPlace | undefined; ; ) {
      const { items, next } = await catalog.listItems('photos', { limit, ...(filter ? { filter: filter as Filter } : {}), ...(after === undefined ? {} : { after }) });
      for (const item of items) expect(told(item)).toEqual(told(shelf.items.get(item.id)!));
      seen.push(...items.map(({ id }) => id));
      if (!next) break;
      expect(items).toHaveLength(limit);
      after = next;
    }
    expect(seen).toEqual(shelf.ids(filter));
  } else if (kind < 0.85) {
    await expectSorted(catalog, shelf, random);
  } else if (kind < 0.9) {
    const filter = random.next() < 0.5 ? drawFilter(random) : undefined;
    const fields = [fieldPath(random), fieldPath(random)];
    const limit = random.pick([1, 3, 100]);
    const counted = await catalog.countValues('photos', { fields, limit, ...(filter ? { filter: filter as Filter } : {}) });
    expect(Object.keys(counted)).toEqual([...new Set(fields)]);
    for (const field of fields) expectCounts(counted[field]!, shelf.valueCounts(field, filter), limit);
  } else if (kind < 0.95) {
    expect((await catalog.describeCollection('photos')).counts).toEqual(shelf.counts());
  } else {
    const id = random.pick(ids);
    const expected = shelf.items.get(id);
    if (expected) expect(told(await catalog.getItem('photos', id))).toEqual(told(expected));
    else await expect(catalog.getItem('photos', id)).rejects.toMatchObject({ code: 'not_found' });
  }
}
