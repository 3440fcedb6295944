import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CachedEncoder } from '../src/encoder/cache/cached-encoder.js';
import type { Models, OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder } from '../src/encoder/open.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { drawn } from './pictures.js';
import { repository, startServer, type RunningServer } from './server.js';

const reference = path.join(repository, 'test/fixtures/reference');

describe('the service', () => {
  let server: RunningServer;
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(path.join(tmpdir(), 'mixspace-cache-models-'));
    for (const name of ['clip-tiny', 'siglip2-tiny']) await symlink(path.join(reference, name), path.join(models, name));
    server = await startServer({ env: { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'clip-tiny' } });
  });
  afterAll(async () => {
    await server.remove();
    await rm(models, { recursive: true });
  });

  const post = (at: string, body: unknown): Promise<Answer> => call(server.url, 'POST', at, body);
  const embed = (body: object): Promise<Answer> => post('/v1/embeddings', body);

  it('gives the same numbers and counts when it is asked again, and tells hits and misses in /metrics', async () => {
    const body = { input: ['a dog', 'dog '.repeat(300), { image: base64(await drawn(1)) }] };
    const before = await lookups(server);
    const first = await embed(body);
    expect(since(before, await lookups(server))).toEqual({ text: [0, 2], image: [0, 1] });
    const second = await embed(body);
    expect(second.body).toEqual(first.body);
    expect(second.body.data[1].truncated).toBe(true);
    expect(since(before, await lookups(server))).toEqual({ text: [2, 2], image: [1, 1] });
    expect(await metric(server, 'mixspace_cache_bytes')).toBeGreaterThan(3 * 64 * 4);
  });

  it('gives a kept embedding in any encoding, cut, and at the length the tower gave it', async () => {
    const fresh = { input: 'asked for in many ways', normalized: false };
    const raw = (await embed(fresh)).body.data[0].embedding as number[];
    const before = await lookups(server);
    const plain = (await embed({ input: fresh.input })).body.data[0].embedding as number[];
    const length = Math.hypot(...raw);
    expect(Math.abs(length - 1)).toBeGreaterThan(0.1);
    plain.forEach((value, i) => expect(value * length).toBeCloseTo(raw[i]!, 5));
    expect((await embed(fresh)).body.data[0].embedding).toEqual(raw);
    expect((await embed({ input: fresh.input, dimensions: 8, force_dimensions: true })).body.data[0].embedding).toHaveLength(8);
    expect((await embed({ input: fresh.input, normalized: true })).body.data[0].embedding).toEqual(plain);
    expect(since(before, await lookups(server))).toEqual({ text: [4, 0], image: [0, 0] });
  });

  it('does not answer for another model', async () => {
    const input = ['one text', { image: base64(await drawn(2)) }];
    const one = await embed({ input, model: 'clip-tiny' });
    const before = await lookups(server);
    const other = await embed({ input, model: 'siglip2-tiny' });
    expect(since(before, await lookups(server))).toEqual({ text: [0, 1], image: [0, 1] });
    for (const index of [0, 1]) expect(other.body.data[index].embedding).not.toEqual(one.body.data[index].embedding);
  });

  it('does not decode a picture again that is classified or searched by after it was embedded', async () => {
    const picture = base64(await drawn(3));
    await embed({ input: [{ image: picture }] });
    const before = await lookups(server);
    expect((await post('/v1/classify', { input: [{ image: picture }], labels: ['one thing', 'another thing'] })).status).toBe(200);
    expect((await post(searchIn(), { query: { image: picture } })).status).toBe(200);
    const form = new FormData();
    form.append('file', new Blob([await drawn(3)]), 'query.png');
    expect((await call(server.url, 'POST', searchIn(), form)).status).toBe(200);
    expect(since(before, await lookups(server)).image).toEqual([3, 0]);
  });

  it('takes in a picture with its thumbnail although its embedding is kept', async () => {
    const picture = base64(await drawn(4));
    await embed({ input: [{ image: picture }] });
    expect((await post(items(), { items: [{ id: 'kept', image: picture }] })).body.items[0].status).toBe('created');
    expect((await fetch(`${server.url}${items()}/kept/image`)).headers.get('content-type')).toBe('image/webp');
  });

  it('keeps no failure', async () => {
    const whole = await drawn(5, 'jpeg');
    const broken = base64(whole.subarray(0, 200));
    const before = await lookups(server);
    for (let turn = 0; turn < 2; turn++) {
      const { status, body } = await embed({ input: [{ image: base64(whole) }, { image: broken }] });
      expect([status, body.error.param]).toEqual([415, 'input[1].image']);
    }
    expect(since(before, await lookups(server)).image).toEqual([1, 3]);
  });

  it('is ready only after an inference of its own, each time', async () => {
    expect((await call(server.url, 'GET', '/readyz')).status).toBe(200);
    const before = await lookups(server);
    await embed({ input: 'ready?' });
    expect(since(before, await lookups(server)).text).toEqual([0, 1]);
  });
});

it('MIXSPACE_CACHE bounds what is kept, and 0 keeps nothing', async () => {
  const texts = Array.from({ length: 100 }, (_, i) => `text number ${i}`);
  const input = { input: texts };
  const small = await startServer({ env: { MIXSPACE_CACHE: '40kB' } });
  try {
    await call(small.url, 'POST', '/v1/embeddings', input);
    const held = await metric(small, 'mixspace_cache_bytes');
    expect(held).toBeGreaterThan(10_000);
    expect(held).toBeLessThanOrEqual(40_000);
    const before = await lookups(small);
    await call(small.url, 'POST', '/v1/embeddings', { input: texts.slice(-5) });
    await call(small.url, 'POST', '/v1/embeddings', { input: texts.slice(0, 5) });
    expect(since(before, await lookups(small)).text).toEqual([5, 5]);
  } finally {
    await small.remove();
  }
  const none = await startServer({ args: ['--cache', '0'] });
  try {
    const [first, second] = [await call(none.url, 'POST', '/v1/embeddings', input), await call(none.url, 'POST', '/v1/embeddings', input)];
    expect(second.body).toEqual(first.body);
    expect((await call<string>(none.url, 'GET', '/metrics')).body).not.toContain('mixspace_cache');
  } finally {
    await none.remove();
  }
});

describe('a cached encoder', () => {
  const bulk = { priority: 'bulk' } as const;
  const interactive = { priority: 'interactive' } as const;
  let folder: string;
  let inner: OpenEncoder;
  let encoder: CachedEncoder;
  let told: Record<string, [hits: number, misses: number]>;

  const open = (modelsDirectory: string, queueLimit = 4096): Promise<OpenEncoder> =>
    openEncoder({
      modelsDirectory,
      workers: 1,
      queueLimit,
      limits: { pictureBytes: 50e6, picturePixels: 100e6 },
      log: () => undefined,
      startWorker: startWorkerFrom(pathToFileURL(path.join(repository, 'dist/encoder/worker/worker.js'))),
    });

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mixspace-cache-'));
    await cp(path.join(reference, 'clip-tiny'), path.join(folder, 'model'), { recursive: true });
    inner = await open(folder);
  });
  beforeEach(() => {
    told = { text: [0, 0], image: [0, 0] };
    encoder = new CachedEncoder(inner.models, inner, { bytes: 1e6, onLookup: (modality, hits, misses) => (told[modality] = [told[modality]![0] + hits, told[modality]![1] + misses]) });
  });
  afterAll(async () => {
    await inner.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('encodes once what stands twice in a call, and what several ask for meanwhile', async () => {
    const [three, again] = await Promise.all([encoder.encodeTexts('model', ['a', 'b', 'a'], interactive), encoder.encodeTexts('model', ['b', 'c'], interactive)]);
    expect(told['text']).toEqual([2, 3]);
    expect(three[2]).toEqual(three[0]);
    expect(again[0]).toEqual(three[1]);
    expect(three).toEqual(await inner.encodeTexts('model', ['a', 'b', 'a'], interactive));
  });

  it('forgets first what was asked for longest ago', async () => {
    // Room for three texts: half of it is the texts', and one weighs some 1,100 bytes.
    encoder = new CachedEncoder(inner.models, inner, { bytes: 6_800, onLookup: (_, hits, misses) => (told['text'] = [hits, misses]) });
    const asked = async (text: string): Promise<[number, number]> => (await encoder.encodeTexts('model', [text], interactive), told['text']!);
    for (const text of ['a', 'b', 'c']) expect(await asked(text)).toEqual([0, 1]);
    expect(await asked('a')).toEqual([1, 0]);
    expect(await asked('d')).toEqual([0, 1]);
    expect(await asked('a')).toEqual([1, 0]);
    expect(await asked('b')).toEqual([0, 1]);
    expect(encoder.bytes).toBeLessThanOrEqual(3_400);
  });

  it('lends nobody its numbers', async () => {
    const [mine] = await encoder.encodeTexts('model', ['a'], interactive);
    const wanted = mine!.embedding.slice();
    mine!.embedding.fill(0);
    const [kept] = await encoder.encodeTexts('model', ['a'], interactive);
    expect(kept!.embedding).toEqual(wanted);
    kept!.embedding.fill(0);
    expect((await encoder.encodeTexts('model', ['a'], interactive))[0]!.embedding).toEqual(wanted);
  });

  it('does not let interactive work wait for bulk work', async () => {
    const pictures = await Promise.all(Array.from({ length: 60 }, (_, seed) => drawn(seed, 'jpeg', 800, 600)));
    let all = false;
    const many = encoder.encodeImages('model', pictures, bulk).then(() => (all = true));
    while (told['image']![1] < 60) await new Promise(setImmediate);
    await encoder.encodeImages('model', [pictures[59]!], interactive);
    expect(all).toBe(false);
    await many;
    expect(told['image']).toEqual([0, 61]);
  });

  it('encodes again for one who waits, when the one it waited for hangs up', async () => {
    const pictures = await Promise.all(Array.from({ length: 40 }, (_, seed) => drawn(seed, 'jpeg', 800, 600)));
    const caller = new AbortController();
    const first = encoder.encodeImages('model', pictures, { ...bulk, signal: caller.signal });
    const failed = expect(first).rejects.toMatchObject({ code: 'not_ready' });
    const second = encoder.encodeImages('model', pictures.slice(-2), bulk);
    while (told['image']![0] + told['image']![1] < 42) await new Promise(setImmediate);
    expect(told['image']).toEqual([2, 40]);
    caller.abort();
    await failed;
    const plain = await inner.encodeImages('model', pictures.slice(-2), bulk);
    expect(await second).toEqual(plain);
  });

  it('knows large pictures again, alone and as parts of one buffer', async () => {
    const pixels = Buffer.from({ length: 1500 * 1500 * 3 } as unknown as number[]).map((_, i) => (i * 2654435761) >>> 24);
    const large = await sharp(pixels, { raw: { width: 1500, height: 1500, channels: 3 } }).png({ compressionLevel: 0 }).toBuffer();
    expect(large.length).toBeGreaterThan(4 * 2 ** 20);
    const own = (): Uint8Array => new Uint8Array(large);
    const [first] = await encoder.encodeImages('model', [own()], interactive);
    expect((await encoder.encodeImages('model', [own()], interactive))[0]).toEqual(first);
    expect(told['image']).toEqual([1, 1]);

    const small = await drawn(9);
    const together = new Uint8Array(large.length + small.length);
    together.set(large);
    together.set(small, large.length);
    const parts = [together, together.subarray(large.length), together.subarray(0, large.length)];
    const outcomes = await encoder.encodeImages('model', parts, interactive);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(outcomes[2]).toEqual(first);
    expect(outcomes[1]).toEqual((await inner.encodeImages('model', [small], interactive))[0]);
  });

  it('leaves thumbnails to those who ask for them', async () => {
    const picture = await drawn(10);
    await encoder.encodeImages('model', [picture], interactive);
    const [withThumbnail] = await encoder.encodeImages('model', [picture], { ...interactive, thumbnail: true });
    expect(withThumbnail).toMatchObject({ ok: true, value: { width: 320, height: 240, mediaType: 'image/png', thumbnail: expect.any(Uint8Array) } });
    const [without] = await encoder.encodeImages('model', [picture], interactive);
    expect(without).toMatchObject({ ok: true, value: { width: 320, height: 240, mediaType: 'image/png' } });
    expect((without as { value: object }).value).not.toHaveProperty('thumbnail');
  });

  it('does not answer for a model of the same name whose files have changed', async () => {
    const changed = path.join(folder, 'changed');
    await cp(path.join(folder, 'model'), path.join(changed, 'model'), { recursive: true });
    await writeFile(path.join(changed, 'model/model.json'), JSON.stringify({ padding: 'max_length' }));
    const other = await open(changed);
    try {
      expect((await other.models.model('model')).fingerprint).not.toBe((await inner.models.model('model')).fingerprint);
      // As if the encoder behind it had read the model anew.
      const behind = { current: inner };
      const front = new CachedEncoder({ model: (id) => behind.current.models.model(id) } as Models, { encodeTexts: (...of) => behind.current.encodeTexts(...of), encodeImages: (...of) => behind.current.encodeImages(...of) }, { bytes: 1e6, onLookup: (modality, hits, misses) => (told[modality] = [hits, misses]) });
      for (const one of [inner, other]) {
        behind.current = one;
        await front.encodeTexts('model', ['a dog'], interactive);
        await front.encodeImages('model', [await drawn(11)], interactive);
        expect(told).toEqual({ text: [0, 1], image: [0, 1] });
      }
    } finally {
      await other.close();
    }
  });
});

type Lookups = Record<'text' | 'image', [hits: number, misses: number]>;

async function lookups(server: RunningServer): Promise<Lookups> {
  const of = async (modality: string, result: string): Promise<number> => metric(server, `mixspace_cache_lookups_total{modality="${modality}",result="${result}"}`);
  return { text: [await of('text', 'hit'), await of('text', 'miss')], image: [await of('image', 'hit'), await of('image', 'miss')] };
}

function since(before: Lookups, now: Lookups): Lookups {
  const of = (modality: 'text' | 'image'): [number, number] => [now[modality][0] - before[modality][0], now[modality][1] - before[modality][1]];
  return { text: of('text'), image: of('image') };
}

/** 0 for one that was not told yet. */
async function metric(server: RunningServer, name: string): Promise<number> {
  const line = (await call<string>(server.url, 'GET', '/metrics')).body.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
