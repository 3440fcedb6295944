/** Pictures cut into tiles, through the front door: where a match lies, what a tile is, and that it stays so. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { base64, call } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { runMixspace, startServer, type RunningServer } from './server.js';
import { dot } from './small-service.js';

let server: RunningServer;
let client: MixspaceClient;
beforeAll(async () => {
  server = await startServer();
  client = new MixspaceClient({ url: server.url, retries: 0 });
});
afterAll(() => server.remove());

type Color = [number, number, number];
const red: Color = [230, 30, 30];
const green: Color = [30, 200, 60];
const blue: Color = [40, 60, 220];
const yellow: Color = [240, 220, 40];

/** Cells of flat colors, row by row, with a little texture so that no two crops are alike. */
async function quilt(rows: Color[][], width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = rows[Math.min(rows.length - 1, Math.floor((y * rows.length) / height))]!;
    for (let x = 0; x < width; x++) {
      const color = row[Math.min(row.length - 1, Math.floor((x * row.length) / width))]!;
      for (let c = 0; c < 3; c++) pixels[(y * width + x) * 3 + c] = Math.max(0, Math.min(255, color[c]! + ((x * 7 + y * 13 + c * 5) % 17) - 8));
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } }).png().toBuffer();
}

const quarters = (width = 120, height = 90): Promise<Buffer> => quilt([[red, green], [blue, yellow]], width, height);
const flat = (color: Color, width = 60, height = 45): Promise<Buffer> => quilt([[color]], width, height);
const file = (id: string, bytes: Uint8Array) => ({ id, name: `${id}.png`, blob: new Blob([new Uint8Array(bytes)]) });
const embedded = async (bytes: Uint8Array, at = client): Promise<number[]> => [...(await at.embeddings({ input: [{ image: base64(bytes) }] }))[0]!];
const partsOf = async (name: string, id: string, at = server.url): Promise<{ part?: number; box?: number[]; embedding: number[] }[]> => (await call(at, 'POST', `/v1/collections/${name}/items/embeddings`, { ids: [id] })).body.data;
const ended = async (job: string, at = client): Promise<any> => {
  await expect.poll(async () => (await at.job(job)).state, { interval: 100 }).toMatch(/done|failed|cancelled/);
  return at.job(job);
};

async function collection(name: string, tiles: 'none' | '2x2' | '3x3' | 'auto', pictures: Record<string, Uint8Array>, more: object = {}): Promise<string> {
  await client.createCollection({ name, tiles, ...more });
  const files = Object.entries(pictures).map(([id, bytes]) => file(id, bytes));
  if (files.length > 0) expect((await client.uploadItems(name, files)).map(({ status }) => status)).toEqual(files.map(() => 'created'));
  return name;
}

describe('Tiles', () => {
  it('are each the embedding of that part of the picture sent alone', async () => {
    const picture = await quarters(121, 91);
    await collection('parts', '2x2', { quilt: picture });
    const [whole, ...tiles] = await partsOf('parts', 'quilt');
    expect(dot(whole!.embedding, await embedded(picture))).toBeGreaterThan(0.99999);
    expect(whole!.box).toBeUndefined();
    expect(tiles.map(({ box }) => box)).toEqual([[0, 0, 0.5, 0.5], [0.5, 0, 0.5, 0.5], [0, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]);
    // 60.5 and 45.5 are rounded up.
    for (const [i, [left, top, width, height]] of ([[0, 0, 61, 46], [61, 0, 60, 46], [0, 46, 61, 45], [61, 46, 60, 45]] as const).entries()) {
      const alone = await sharp(picture).extract({ left, top, width, height }).png().toBuffer();
      expect(dot(tiles[i]!.embedding, await embedded(alone))).toBeGreaterThan(0.9999);
    }
    expect(await client.collection('parts')).toMatchObject({ tiles: '2x2', parts: 5, counts: { image: 1 } });
  });

  it('tell a match where the best of it lies, each item once and on one page', async () => {
    const scene = await quarters();
    await collection('match', '2x2', { scene, red: await flat(red), other: await quilt([[green, green], [green, blue]], 120, 90) });
    const { matches } = await client.search('match', { image: base64(await flat(yellow)) });
    expect(matches[0]).toMatchObject({ id: 'scene', part: { box: [0.5, 0.5, 0.5, 0.5] } });
    expect(new Set(matches.map(({ id }) => id)).size).toBe(3);
    const corner = await client.search('match', { image: base64(await flat(blue)) }, { limit: 2 });
    expect(corner.matches.map(({ id, part }) => [id, part?.box])).toEqual(expect.arrayContaining([['scene', [0, 0.5, 0.5, 0.5]], ['other', [0.5, 0.5, 0.5, 0.5]]]));
    // The picture itself is nearest to its whole.
    const own = await client.search('match', { image: base64(scene) }, { limit: 1 });
    expect(own.matches[0]).toMatchObject({ id: 'scene' });
    expect(own.matches[0]!.part).toBeUndefined();
    for (const exact of [false, true]) {
      const seen: string[] = [];
      for (let cursor: string | undefined; ; ) {
        const page = await client.search('match', { image: base64(await flat(green)) }, { limit: 1, exact, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.matches.map(({ id }) => id));
        if ((cursor = page.next_cursor) === undefined) break;
      }
      expect(seen.toSorted()).toEqual(['other', 'red', 'scene']);
    }
  });

  it('lie in the picture as it is shown, whichever way a camera stored it', async () => {
    const upright = await quarters(120, 90);
    const pixels = sharp(upright);
    // What a viewer turns back to `upright`.
    const stored: Record<number, Buffer> = {
      1: await pixels.clone().png().toBuffer(),
      2: await pixels.clone().flop().png().toBuffer(),
      3: await pixels.clone().rotate(180).png().toBuffer(),
      4: await pixels.clone().flip().png().toBuffer(),
      6: await pixels.clone().rotate(270).png().toBuffer(),
      8: await pixels.clone().rotate(90).png().toBuffer(),
    };
    const pictures: Record<string, Buffer> = {};
    for (const [orientation, bytes] of Object.entries(stored)) pictures[`o${orientation}`] = await sharp(bytes).withMetadata({ orientation: Number(orientation) }).png().toBuffer();
    await collection('turned', '2x2', pictures);
    const yellowCorner = await sharp(upright).extract({ left: 60, top: 45, width: 60, height: 45 }).png().toBuffer();
    const { matches } = await client.search('turned', { image: base64(yellowCorner) });
    expect(matches).toHaveLength(6);
    for (const { score, part, width, height } of matches) {
      expect({ width, height, box: part?.box }).toEqual({ width: 120, height: 90, box: [0.5, 0.5, 0.5, 0.5] });
      expect(score).toBeGreaterThan(0.9999);
    }
  });

  it('go by size and shape where they are left to the service', async () => {
    const seen = (await client.models())[0]!.image_size!;
    const sized = async (width: number, height: number): Promise<Buffer> => quilt([[red, green], [blue, yellow]], width, height);
    await collection('auto', 'auto', {
      small: await sized(2 * seen - 1, Math.ceil(1.2 * seen)),
      flat: await sized(4 * seen, 2 * seen - 1),
      medium: await sized(2 * seen, 2 * seen),
      wide: await sized(3 * seen, 2 * seen),
      tall: await sized(2 * seen, 3 * seen),
      large: await sized(4 * seen, 4 * seen),
    });
    const counts: Record<string, number> = {};
    for (const id of ['small', 'flat', 'medium', 'wide', 'tall', 'large']) counts[id] = (await partsOf('auto', id)).length - 1;
    expect(counts).toEqual({ small: 0, flat: 2, medium: 4, wide: 6, tall: 6, large: 9 });
    expect((await partsOf('auto', 'tall')).slice(1).map(({ box }) => box![2])).toEqual(Array(6).fill(0.5));
  });

  it('are left alone where the same picture comes again, and the whole alone is what items are compared by elsewhere', async () => {
    const scene = await quarters();
    await collection('again', '3x3', { scene, crop: await sharp(scene).extract({ left: 0, top: 0, width: 40, height: 30 }).png().toBuffer() });
    const before = await partsOf('again', 'scene');
    expect(before).toHaveLength(10);
    expect((await client.uploadItems('again', [file('scene', scene)])).map(({ status }) => status)).toEqual(['unchanged']);
    expect(await partsOf('again', 'scene')).toEqual(before);
    // The crop is what one of the tiles shows, and no duplicate of the whole.
    const job = await client.findDuplicates('again');
    expect((await ended(job.id)).result).toMatchObject({ groups: 0 });
    const alike = await client.search('again', { id: 'scene' });
    expect(alike.matches.map(({ id }) => id)).toEqual(['crop']);
    const { body } = await call(server.url, 'GET', '/v1/collections/again/export?format=jsonl');
    const lines = (body as string).trim().split('\n').map((line) => JSON.parse(line));
    expect(lines.map(({ id, parts, boxes }) => [id, parts?.length, boxes?.[8]])).toEqual([['crop', 10, [0.6667, 0.6667, 0.3333, 0.3333]], ['scene', 10, [0.6667, 0.6667, 0.3333, 0.3333]]]);
  });

  it('are made and removed by a job where they are asked for later, from thumbnails where there is nothing else, and told', async () => {
    const scene = await quarters(480, 360);
    const embedding = await embedded(await flat(red));
    await collection('later', 'none', { kept: scene });
    await client.addItems('later', [{ id: 'vector', embedding, modality: 'image' }, { id: 'words', text: 'a red square' }]);
    const { job } = await client.patchCollection('later', { tiles: '2x2' });
    expect(await ended(job!)).toMatchObject({ kind: 'tiles', state: 'done', done: 1, failed: 1, total: 2, result: { tiles: '2x2', from_originals: 1, from_thumbnails: 0, unreachable: 1, bytes: 4 * 4 * embedding.length } });
    expect((await client.jobFailures(job!)).failures).toEqual([{ id: 'vector', reason: '"vector" was given as an embedding.' }]);
    const [, tile] = await partsOf('later', 'kept');
    expect(dot(tile!.embedding, await embedded(await sharp(scene).extract({ left: 0, top: 0, width: 240, height: 180 }).png().toBuffer()))).toBeGreaterThan(0.9999);
    expect(await client.collection('later')).toMatchObject({ tiles: '2x2', parts: 3 + 4 });

    await collection('thumbnails', 'none', { thin: scene }, { originals: 'thumbnail' });
    const thin = await client.patchCollection('thumbnails', { tiles: '3x3' });
    expect((await ended(thin.job!)).result).toMatchObject({ from_originals: 0, from_thumbnails: 1, unreachable: 0 });
    expect(await partsOf('thumbnails', 'thin')).toHaveLength(10);

    const none = await client.patchCollection('later', { tiles: 'none' });
    expect((await ended(none.job!)).result).toMatchObject({ from_originals: 0, bytes: -4 * 4 * embedding.length });
    expect(await partsOf('later', 'kept')).toHaveLength(1);
    expect(await client.collection('later')).toMatchObject({ tiles: 'none', parts: 3 });
    expect((await client.patchCollection('later', { tiles: 'none' })).job).toBeUndefined();
  });

  it('are of every picture in the end, whichever way it comes while they are asked for', async () => {
    await collection('meanwhile', 'none', {});
    const pictures = await Promise.all(Array.from({ length: 36 }, async (_, i) => file(`p${i}`, await quilt([[red, [i * 7, 20, 90]], [blue, yellow]], 100, 80))));
    const sending = Promise.all([0, 12, 24].map((from) => client.uploadItems('meanwhile', pictures.slice(from, from + 12))));
    const { job } = await client.patchCollection('meanwhile', { tiles: '2x2' });
    expect((await sending).flat().map(({ status }) => status)).toEqual(pictures.map(() => 'created'));
    await ended(job!);
    expect(await client.collection('meanwhile')).toMatchObject({ counts: { image: 36 }, parts: 36 * 5 });
    // Sent again, a picture is cut as is wanted by then.
    const [again, other] = await Promise.all([client.patchCollection('meanwhile', { tiles: '3x3' }), client.uploadItems('meanwhile', pictures.slice(0, 3))]);
    expect(other).toHaveLength(3);
    const last = await client.patchCollection('meanwhile', { tiles: 'none' });
    expect((await ended(again.job!)).state).toMatch(/done|cancelled/);
    expect((await ended(last.job!)).state).toBe('done');
    expect(await client.collection('meanwhile')).toMatchObject({ tiles: 'none', parts: 36 });
  });

  it('are cut out of pictures of every shape, a single pixel included', async () => {
    await collection('shapes', '3x3', { dot: await flat(red, 1, 1), line: await flat(blue, 5_000, 1), column: await flat(green, 1, 5_000), grey: await sharp(await flat(red, 50, 50)).greyscale().jpeg().toBuffer() });
    expect(await client.collection('shapes')).toMatchObject({ parts: 40, counts: { image: 4 } });
    expect((await client.search('shapes', 'red')).matches.length).toBe(4);
  });

  it('are asked for on the command line, which says where a match lies', async () => {
    const run = (...args: string[]) => runMixspace([...args, '--url', server.url]);
    expect(await run('collections', 'create', 'told', '--tiles', 'auto')).toMatchObject({ code: 0, stdout: expect.stringMatching(/told is there.*tiles auto/) });
    await client.uploadItems('told', [file('scene', await quarters())]);
    expect(await run('collections', 'set', 'told', '--tiles', '2x2')).toMatchObject({ code: 0, stdout: expect.stringMatching(/told: tiles 2x2, 1 picture cut; .* more/) });
    expect((await run('collections')).stdout).toMatch(/told +1 picture and 4 tiles/);
    const { stdout } = await run('search', 'yellow', '--collection', 'told', '--all');
    expect(stdout).toMatch(/scene/);
    expect(await run('collections', 'set', 'told')).toMatchObject({ code: 2, stderr: expect.stringMatching(/--tiles takes/) });
  });

  it('refuse what is no choice, by name', async () => {
    for (const tiles of ['4x4', 2, ['2x2'], '', 'AUTO']) {
      expect(await call(server.url, 'POST', '/v1/collections', { name: 'bad', tiles })).toMatchObject({ status: 400, body: { error: { param: 'tiles', message: expect.stringMatching(/none, 2x2, 3x3, auto/) } } });
      expect(await call(server.url, 'PATCH', '/v1/collections/default', { tiles })).toMatchObject({ status: 400, body: { error: { param: 'tiles' } } });
    }
    expect(await call(server.url, 'PATCH', '/v1/collections/nowhere', { tiles: '2x2' })).toMatchObject({ status: 404 });
  });
});

describe('A service that is stopped, killed or moved', () => {
  it('keeps tiles and goes on cutting', async () => {
    const indexDir = await mkdtemp(path.join(tmpdir(), 'mixspace-tiles-'));
    try {
      let own = await startServer({ indexDir });
      let at = new MixspaceClient({ url: own.url, retries: 0 });
      const scene = await quarters();
      await at.createCollection({ name: 'long' });
      await at.uploadItems('long', await Promise.all(Array.from({ length: 20 }, async (_, i) => file(`n${i}`, await quilt([[red, [i * 6, 90, 90]], [blue, yellow]], 240, 180)))));
      const { job } = await at.patchCollection('long', { tiles: '3x3' });
      await expect.poll(async () => (await at.job(job!)).done, { interval: 5 }).toBeGreaterThan(0);
      await own.kill();
      own = await startServer({ indexDir });
      at = new MixspaceClient({ url: own.url, retries: 0 });
      expect(await ended(job!, at)).toMatchObject({ state: 'done', done: 20, failed: 0 });
      expect(await at.collection('long')).toMatchObject({ tiles: '3x3', parts: 200 });

      await at.uploadItems('long', [file('scene', scene)]);
      const asked = { image: base64(await sharp(scene).extract({ left: 80, top: 60, width: 40, height: 30 }).png().toBuffer()) };
      const { matches } = await at.search('long', asked, { limit: 50 });
      const found = matches.find(({ id }) => id === 'scene')!;
      expect(found).toMatchObject({ part: { box: [0.6667, 0.6667, 0.3333, 0.3333] } });
      // All of them have a yellow corner: which comes first, the last digit decides.
      expect(matches[0]!.score! - found.score!).toBeLessThan(1e-6);
      await own.stop();
    } finally {
      await rm(indexDir, { recursive: true, force: true });
    }
  });

  it.skipIf(isOverPostgres)('a backup keeps tiles, and a damaged box is not told', async () => {
    const indexDir = await mkdtemp(path.join(tmpdir(), 'mixspace-tiles-'));
    try {
      const own = await startServer({ indexDir });
      const at = new MixspaceClient({ url: own.url, retries: 0 });
      const scene = await quarters();
      await at.createCollection({ name: 'long', tiles: '3x3' });
      await at.uploadItems('long', await Promise.all(Array.from({ length: 20 }, async (_, i) => file(`n${i}`, await quilt([[red, [i * 6, 90, 90]], [blue, yellow]], 240, 180)))));
      await at.uploadItems('long', [file('scene', scene)]);
      const asked = { image: base64(await sharp(scene).extract({ left: 80, top: 60, width: 40, height: 30 }).png().toBuffer()) };
      expect((await at.search('long', asked, { limit: 1 })).matches[0]).toMatchObject({ id: 'scene', part: { box: [0.6667, 0.6667, 0.3333, 0.3333] } });
      const archive = path.join(indexDir, 'tiles.tar');
      expect(await runMixspace(['backup', archive, '--url', own.url])).toMatchObject({ code: 0 });
      await own.stop();

      const restored = path.join(indexDir, 'restored');
      expect(await runMixspace(['restore', archive, '--index-dir', restored])).toMatchObject({ code: 0 });
      const database = new Sqlite(path.join(restored, 'mixspace.db'));
      database.prepare("UPDATE embeddings SET box = replace(box, '[0.6667', '[0.1667') WHERE part = 9 AND item = (SELECT key FROM items WHERE id = 'n3')").run();
      database.close();
      const second = await startServer({ indexDir: restored });
      try {
        const there = new MixspaceClient({ url: second.url, retries: 0 });
        expect(await there.collection('long')).toMatchObject({ tiles: '3x3', parts: 210 });
        const found = await there.search('long', asked, { limit: 50 });
        expect(found.matches[0]).toMatchObject({ id: 'scene', part: { box: [0.6667, 0.6667, 0.3333, 0.3333] } });
        expect(found.matches.filter(({ part }) => part?.box[0] === 0.1667)).toEqual([]);
        await expect.poll(async () => (await there.collection('long')).not_embedded).toBe(1);
        const { matches } = await there.search('long', asked, { limit: 50 });
        expect([matches.length, matches.some(({ id }) => id === 'n3')]).toEqual([20, false]);
      } finally {
        await second.remove();
      }
    } finally {
      await rm(indexDir, { recursive: true, force: true });
    }
  });

  it('cuts again what goes over to another model, as that one sees it', async () => {
    const own = await startServer({ env: { MIXSPACE_MODELS_DIR: path.join(import.meta.dirname, 'fixtures/reference'), MIXSPACE_MODEL: 'clip-tiny' } });
    try {
      const at = new MixspaceClient({ url: own.url, retries: 0 });
      const scene = await quarters();
      await at.createCollection({ name: 'moved', tiles: '2x2' });
      await at.uploadItems('moved', [file('scene', scene)]);
      const { job } = await at.reembed('moved', { model: 'siglip-tiny' });
      expect(await ended(job!, at)).toMatchObject({ state: 'done' });
      expect(await at.collection('moved')).toMatchObject({ model: 'siglip-tiny', tiles: '2x2', parts: 5 });
      const corner = await sharp(scene).extract({ left: 60, top: 0, width: 60, height: 45 }).png().toBuffer();
      const [alone] = await at.embeddings({ model: 'siglip-tiny', input: [{ image: base64(corner) }] });
      const tile = (await partsOf('moved', 'scene', own.url))[2]!;
      expect(tile.box).toEqual([0.5, 0, 0.5, 0.5]);
      expect(dot(tile.embedding, [...alone!])).toBeGreaterThan(0.9999);
      expect((await at.search('moved', { image: base64(corner) })).matches[0]).toMatchObject({ id: 'scene', part: { box: [0.5, 0, 0.5, 0.5] } });
    } finally {
      await own.remove();
    }
  });
});
