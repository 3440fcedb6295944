import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../src/domain/metadata.js';
import type { Catalog, ItemWrite } from '../../src/store/catalog.js';
import { Random } from '../crash/random.js';
import { livesOf, type Engine } from './engine.js';
import { direction, sha256, space } from './oracle.js';

const photos = { name: 'photos', ...space, originals: 'keep' as const };
const machine = 'here';

interface Seen {
  stamp?: string;
  metadata?: Metadata;
  on?: string;
}

/** A text with its id, seen in a file. */
function seen(id: string, file: string, { stamp = '1', metadata, on = machine }: Seen = {}): ItemWrite {
  return {
    id,
    content: { modality: 'text', contentHash: sha256(id), text: id, embeddings: [direction(Random.named(id))] },
    source: file,
    seen: { machine: on, path: file, stamp, file },
    ...(metadata && { metadata }),
  };
}

/** What every catalog promises of the files in which it has seen items. */
export function syncContract(engine: Engine): void {
  const begin = livesOf(engine, photos);
  const catalogOf = async (): Promise<Catalog> => (await begin()).store.catalog;
  const all = async (catalog: Catalog, under = '/'): Promise<[string, string, string, boolean, string | undefined][]> =>
    (await catalog.listSeen('photos', machine, under, { limit: 100 })).files.map(({ path, stamp, item, isThere, former }) => [path, stamp, item, isThere, former]);
  const ids = async (catalog: Catalog, of: string[]): Promise<string[]> => (await catalog.present('photos', of)).map(({ id }) => id).sort();

  describe(`A record of files (${engine.name})`, () => {
    it('tells in which files items were seen, page by page in the order of code points, of one machine and under one folder', async () => {
      const life = await begin();
      const long = `/b/x${Array.from({ length: 50 }, (_, n) => sha256(String(n))).join('')}`;
      const paths = ['/b/z', '/b', '/b/é/1', '/b!', '/b0', '/a', `${long}1`, `${long}2`, '/b/\uFFEE', '/b/😀'];
      await life.store.catalog.write('photos', paths.map((file, n) => seen(`i${n}`, file)));
      await life.store.catalog.write('photos', [seen('i0', '/b/z', { on: 'there' })]);
      const { catalog } = await life.again();
      const under = ['/b', `${long}1`, `${long}2`, '/b/z', '/b/é/1', '/b/\uFFEE', '/b/😀'];
      const listed: string[] = [];
      for (let after: string | undefined; ; after = listed.at(-1)) {
        const { files, more } = await catalog.listSeen('photos', machine, '/b', { limit: 2, ...(after !== undefined && { after }) });
        listed.push(...files.map((file) => file.path));
        if (!more) break;
        expect(files).toHaveLength(2);
      }
      expect(listed).toEqual(under);
      expect(await catalog.countSeen('photos', machine, '/b')).toBe(under.length);
      expect(await catalog.countSeen('photos', machine, '/b/z')).toBe(1);
      expect(await catalog.countSeen('photos', machine, '/')).toBe(paths.length);
      expect(await catalog.countSeen('photos', 'there', '/')).toBe(1);
      await catalog.deleteItem('photos', 'i0');
      expect(await all(catalog, '/b/z')).toEqual([['/b/z', '1', 'i0', false, undefined]]);
      await expect(catalog.listSeen('none', machine, '/', { limit: 1 })).rejects.toMatchObject({ code: 'not_found' });
    });

    it('writes down what was seen and nothing of any item, keeping what a file was before, and changes nothing that follows the collection', async () => {
      const catalog = await catalogOf();
      await catalog.write('photos', [seen('old', '/f'), seen('new', '/f', { stamp: '2' })]);
      const [before, changes] = [await catalog.getItem('photos', 'new'), await catalog.changesOf('photos')];
      await catalog.noteSeen('photos', machine, [{ path: '/f', stamp: '3', item: 'new' }, { path: '/g', stamp: '1', item: 'nobody' }, { path: '/g', stamp: '2', item: 'nobody' }]);
      expect(await all(catalog)).toEqual([['/f', '3', 'new', true, 'old'], ['/g', '2', 'nobody', false, undefined]]);
      expect(await catalog.getItem('photos', 'new')).toEqual(before);
      await catalog.putMounts('photos', machine, '/', ['/mnt']);
      expect(await catalog.changesOf('photos')).toBe(changes);
      await catalog.settleSeen('photos', machine, []);
    });

    it('gives what a file became the metadata of what it was, which goes once that is settled unless it lies elsewhere', async () => {
      const catalog = await catalogOf();
      const metadata = { label: 'kept', '': [1] };
      await catalog.write('photos', [seen('old', '/f', { metadata }), seen('both', '/g', { metadata }), { ...seen('both', '/elsewhere') }]);
      const was = await catalog.getItem('photos', 'old');
      expect(await catalog.write('photos', [seen('new', '/f', { stamp: '2' }), seen('other', '/g', { stamp: '2', metadata: { own: true } })])).toEqual(['created', 'created']);
      expect(await catalog.getItem('photos', 'new')).toMatchObject({ metadata, createdAt: was.createdAt, sources: ['/f'] });
      expect(await catalog.getItem('photos', 'other')).toMatchObject({ metadata: { own: true } });
      expect(await all(catalog)).toEqual([['/elsewhere', '1', 'both', true, undefined], ['/f', '2', 'new', true, 'old'], ['/g', '2', 'other', true, 'both']]);
      expect(await catalog.settleSeen('photos', machine, ['/f', '/g', '/unknown'])).toEqual(['old']);
      expect(await all(catalog)).toEqual([['/elsewhere', '1', 'both', true, undefined], ['/f', '2', 'new', true, undefined], ['/g', '2', 'other', true, undefined]]);
      expect(await ids(catalog, ['old', 'new', 'both', 'other'])).toEqual(['both', 'new', 'other']);
      expect(await catalog.getItem('photos', 'both')).toMatchObject({ sources: ['/elsewhere'], metadata });
      expect(await catalog.settleSeen('photos', machine, ['/f'])).toEqual([]);
    });

    it('settles what a file was before the last time when it is edited once more, in the same call or in another', async () => {
      const catalog = await catalogOf();
      await catalog.write('photos', [seen('1', '/f', { metadata: { n: 1 } })]);
      await catalog.write('photos', [seen('2', '/f', { stamp: '2' })]);
      await catalog.write('photos', [seen('3', '/f', { stamp: '3' })]);
      expect([await ids(catalog, ['1', '2', '3']), await all(catalog)]).toEqual([['2', '3'], [['/f', '3', '3', true, '2']]]);
      await catalog.write('photos', ['4', '5', '6'].map((id) => seen(id, '/f', { stamp: id })));
      expect([await ids(catalog, ['2', '3', '4', '5', '6']), await all(catalog)]).toEqual([['5', '6'], [['/f', '6', '6', true, '5']]]);
      expect((await catalog.getItem('photos', '6')).metadata).toEqual({ n: 1 });
      await catalog.write('photos', [seen('5', '/f', { stamp: '7' })]);
      expect(await all(catalog)).toEqual([['/f', '7', '5', true, '6']]);
      expect(await catalog.settleSeen('photos', machine, ['/f'])).toEqual(['6']);
      expect(await ids(catalog, ['5', '6'])).toEqual(['5']);
      expect(await catalog.describeCollection('photos')).toMatchObject({ counts: { text: 1 }, parts: 1 });
    });

    it('lets an item go with the last of its files, unless that was seen otherwise meanwhile, and gives it back what was known of it', async () => {
      const life = await begin();
      const { catalog } = life.store;
      await catalog.write('photos', [seen('a', '/1', { metadata: { label: 'mine' } }), seen('a', '/2'), seen('b', '/3'), { ...seen('c', '/4'), source: 'upload' }]);
      const { createdAt } = await catalog.getItem('photos', 'a');
      const file = (name: string, item: string, stamp = '1'): { path: string; stamp: string; item: string } => ({ path: name, stamp, item });
      expect(await catalog.forgetSeen('photos', machine, [file('/1', 'a'), file('/3', 'b', 'older'), file('/4', 'c'), file('/none', 'b')])).toEqual({ files: 2, items: [] });
      expect(await catalog.getItem('photos', 'a')).toMatchObject({ sources: ['/2'] });
      expect(await ids(catalog, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
      expect(await catalog.forgetSeen('photos', machine, [file('/2', 'a'), file('/3', 'b')])).toEqual({ files: 2, items: ['a', 'b'] });
      expect([await ids(catalog, ['a', 'b', 'c']), await all(catalog)]).toEqual([['c'], []]);
      const again = (await life.again()).catalog;
      await again.write('photos', [seen('a', '/5')]);
      expect(await again.getItem('photos', 'a')).toMatchObject({ metadata: { label: 'mine' }, createdAt, sources: ['/5'] });
      await again.deleteItem('photos', 'a');
      await again.write('photos', [seen('a', '/5')]);
      expect((await again.getItem('photos', 'a')).metadata).toEqual({});
    });

    it('shows a picture that was taken in by path from another of its files when the first has gone', async () => {
      const { folder, store } = await begin();
      const [one, two] = ['one.png', 'two.png'].map((name) => path.join(folder, name)) as [string, string];
      const picture = (file: string): ItemWrite => ({
        id: 'p',
        content: { modality: 'image', contentHash: sha256('pixels'), embeddings: [direction(Random.named('p'))], mediaType: 'image/png', path: file },
        source: file,
        seen: { machine, path: file, stamp: '1', file },
      });
      await writeFile(one, 'pixels');
      await store.catalog.write('photos', [picture(two), picture(one)]);
      await expect(store.catalog.forgetSeen('photos', machine, [{ path: two, stamp: '1', item: 'p' }])).resolves.toEqual({ files: 1, items: [] });
      expect(Buffer.from((await store.catalog.getPicture('photos', 'p', 'original')).bytes).toString()).toBe('pixels');
      await writeFile(two, 'pixels');
      await store.catalog.write('photos', [{ id: 'p', source: two, seen: { machine, path: two, stamp: '2', file: two } }]);
      await writeFile(one, 'others');
      await store.catalog.forgetSeen('photos', machine, [{ path: one, stamp: '1', item: 'p' }]);
      expect(Buffer.from((await store.catalog.getPicture('photos', 'p', 'original')).bytes).toString()).toBe('pixels');
      expect(await store.catalog.getItem('photos', 'p')).toMatchObject({ sources: [two] });
    });

    it('forgets all files, and what was known of what went, when the collection is emptied', async () => {
      const catalog = await catalogOf();
      await catalog.write('photos', [seen('a', '/1', { metadata: { n: 1 } }), seen('b', '/2', { metadata: { n: 2 } })]);
      await catalog.forgetSeen('photos', machine, [{ path: '/1', stamp: '1', item: 'a' }]);
      expect(await catalog.deleteItems('photos')).toBe(1);
      expect(await all(catalog)).toEqual([]);
      await catalog.write('photos', [seen('a', '/1')]);
      expect((await catalog.getItem('photos', 'a')).metadata).toEqual({});
    });

    it('lets the examples of a classifier follow the file that showed them', async () => {
      const catalog = await catalogOf();
      const now = '2026-11-01T00:00:00.000Z';
      const example = (label: string, id: string, negative = false): { label: string; hash: string; negative: boolean; embedding: Float32Array } => ({ label, hash: sha256(id), negative, embedding: direction(Random.named(id)) });
      const kinds = { name: 'kinds', model: space.model, fingerprint: space.fingerprint, labels: ['a', 'b'], createdAt: now, updatedAt: now };
      await catalog.putClassifier(kinds, ['a', 'b']);
      await catalog.putClassifier({ ...kinds, name: 'of another space', fingerprint: 'f-second' }, ['a', 'b']);
      for (const [name, fingerprint] of [['kinds', space.fingerprint], ['of another space', 'f-second']] as const) {
        await catalog.addExamples(name, { fingerprint, examples: [example('a', '1'), example('b', '1', true), example('b', '2'), example('a', 'else')], most: 9, updatedAt: now });
      }
      await catalog.write('photos', [seen('1', '/f')]);
      await catalog.write('photos', [seen('2', '/f', { stamp: '2' })]);
      await catalog.settleSeen('photos', machine, ['/f']);
      expect(await catalog.listExamples('kinds')).toEqual([example('a', '2'), example('b', '2', true), example('a', 'else')]);
      expect((await catalog.getClassifier('kinds')).updatedAt).not.toBe(now);
      await catalog.write('photos', ['3', '4', '5'].map((id) => seen(id, '/f', { stamp: id })));
      expect(await catalog.listExamples('kinds')).toEqual([example('a', '4'), example('b', '4', true), example('a', 'else')]);
      expect((await catalog.listExamples('of another space')).map(({ hash }) => hash)).toEqual(['1', '1', '2', 'else'].map((id) => sha256(id)));
    });

    it('knows the folders on which another file system was mounted', async () => {
      const catalog = await catalogOf();
      await catalog.putMounts('photos', machine, '/a', ['/a/x', '/a/y']);
      await catalog.putMounts('photos', machine, '/b', ['/b']);
      await catalog.putMounts('photos', 'there', '/a', ['/a/z']);
      expect((await catalog.listMounts('photos', machine, '/')).sort()).toEqual(['/a/x', '/a/y', '/b']);
      await catalog.putMounts('photos', machine, '/a', ['/a/y']);
      await catalog.putMounts('photos', machine, '/b', []);
      expect(await catalog.listMounts('photos', machine, '/')).toEqual(['/a/y']);
      expect(await catalog.listMounts('photos', machine, '/a/y')).toEqual(['/a/y']);
      expect(await catalog.listMounts('photos', machine, '/a/y/z')).toEqual([]);
    });
  });
}
